package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// These tests set the environment, so they do not run in parallel.

func TestServeReadsSecretsFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(file, []byte("postgres://app_api:s3cret@127.0.0.1/recourse\n"), 0o600))
	t.Setenv("RECOURSE_DATABASE_URL", "")
	t.Setenv("RECOURSE_DATABASE_URL_FILE", file)
	c, err := ForServe()
	require.NoError(t, err)
	require.Equal(t, "postgres://app_api:s3cret@127.0.0.1/recourse", c.Database.URL)
	require.Equal(t, "http://127.0.0.1:8080", c.BaseURL)
}

func TestWrongSettingsAreNamedAndNeverShown(t *testing.T) {
	t.Setenv("RECOURSE_DATABASE_URL", "mysql://root:hunter2@db/x")
	t.Setenv("RECOURSE_DATABASE_MAX_CONNS", "16")
	t.Setenv("RECOURSE_STRIPE_KEY", "")
	t.Setenv("RECOURSE_PARTICIPANTS_KEY", "")
	t.Setenv("RECOURSE_PARTICIPANTS_URL", "ftp://hunter2")
	_, err := ForWorker()
	for _, name := range []string{"RECOURSE_DATABASE_URL", "RECOURSE_STRIPE_KEY", "RECOURSE_PARTICIPANTS_KEY", "RECOURSE_PARTICIPANTS_URL"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "hunter2")

	t.Setenv("RECOURSE_DATABASE_MAX_CONNS", "hunter2")
	_, err = ForWorker()
	require.ErrorContains(t, err, "MaxConns")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestProductionRefusesPlainConnections(t *testing.T) {
	t.Setenv("RECOURSE_PROFILE", "production")
	t.Setenv("RECOURSE_DATABASE_URL", "postgres://app_worker@db/recourse?sslmode=disable")
	t.Setenv("RECOURSE_STRIPE_KEY", "rk_live_x")
	t.Setenv("RECOURSE_STRIPE_URL", "http://127.0.0.1:12111")
	t.Setenv("RECOURSE_PARTICIPANTS_KEY", "k")
	t.Setenv("RECOURSE_PARTICIPANTS_URL", "https://inventory.example")
	_, err := ForWorker()
	require.ErrorContains(t, err, "RECOURSE_DATABASE_URL: production needs sslmode=verify-full")
	require.ErrorContains(t, err, "RECOURSE_STRIPE_URL: production needs https")

	t.Setenv("RECOURSE_PROFILE", "staging")
	_, err = ForWorker()
	require.ErrorContains(t, err, "RECOURSE_PROFILE")
}
