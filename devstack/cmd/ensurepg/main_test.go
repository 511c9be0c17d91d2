package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pglocal"
)

func TestAFailingInstallerEndsInOneCommandToType(t *testing.T) {
	t.Parallel()
	nowhere := func() (string, error) { return "", pglocal.ErrNoPostgres }
	var talk strings.Builder
	_, err := ensure(t.Context(), nowhere, [][][]string{{{"no-such-package-manager", "install"}}}, &talk)
	require.ErrorIs(t, err, pglocal.ErrNoPostgres)
	require.Contains(t, talk.String(), "no-such-package-manager did not succeed")
}

func TestAWrongSettingIsSaidAndNotInstalledOver(t *testing.T) {
	t.Parallel()
	wrong := errors.New("RECOURSE_PG_BIN is wrong")
	var talk strings.Builder
	_, err := ensure(t.Context(), func() (string, error) { return "", wrong }, [][][]string{{{"no-such-package-manager"}}}, &talk)
	require.ErrorIs(t, err, wrong)
	require.Empty(t, talk.String())
}

func TestNothingIsInstalledWherePostgresIs(t *testing.T) {
	t.Parallel()
	var talk strings.Builder
	bin, err := ensure(t.Context(), pglocal.Find, [][][]string{{{"no-such-package-manager"}}}, &talk)
	require.NoError(t, err)
	require.NotEmpty(t, bin)
	require.Empty(t, talk.String())
}
