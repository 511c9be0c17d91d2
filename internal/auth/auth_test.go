package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
)

func TestParseRefusesWhatIsNotAKey(t *testing.T) {
	t.Parallel()
	good, err := auth.NewKey("test")
	require.NoError(t, err)
	id, digest, err := auth.Parse(good.Text)
	require.NoError(t, err)
	require.Equal(t, good.ID, id)
	require.Equal(t, good.Digest, digest)

	for _, bad := range []string{
		"", "sk", "sk_test", "sk_test__", "sk_prod_" + good.ID + "_" + strings.Repeat("a", 43), "pk" + good.Text[2:],
		good.Text + "_x", "sk_test_" + good.ID + "_short", good.Text + strings.Repeat("a", 200),
		"sk_test_" + good.ID + "_" + strings.Repeat("ä", 43), "sk_test_../../../e_" + strings.Repeat("a", 43),
	} {
		_, _, err := auth.Parse(bad)
		require.ErrorIs(t, err, auth.ErrMalformed, bad)
	}
}

func TestCheckerLetsInLiveKeysOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), db.URL("migrator"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tenant, err := tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "Keys")
	require.NoError(t, err)
	put := func(expires *time.Time) auth.Key {
		key, err := auth.NewKey("test")
		require.NoError(t, err)
		require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{
			ID: key.ID, Tenant: tenant, Role: "marketplace", SecretSHA256: key.Digest, ExpiresAt: expires,
		}))
		return key
	}
	past := time.Now().Add(-time.Minute)
	live, expired, revoked := put(nil), put(&past), put(nil)
	require.NoError(t, tenancy.RevokeKey(t.Context(), conn, revoked.ID))

	now := time.Now()
	checker := auth.NewChecker(db.Pool("app_api"), func() time.Time { return now })
	who, err := checker.Check(t.Context(), live.Text)
	require.NoError(t, err)
	require.Equal(t, auth.Principal{Tenant: tenant, KeyID: live.ID, Role: "marketplace", Proof: live.Digest}, who)

	other, err := auth.NewKey("test")
	require.NoError(t, err)
	wrong := "sk_test_" + live.ID + "_" + other.Text[len(other.Text)-43:]
	for _, text := range []string{expired.Text, revoked.Text, other.Text, wrong} {
		_, err := checker.Check(t.Context(), text)
		require.ErrorIs(t, err, auth.ErrUnknown)
	}

	require.NoError(t, tenancy.RevokeKey(t.Context(), conn, live.ID))
	_, err = checker.Check(t.Context(), live.Text)
	require.NoError(t, err, "a key just let in is remembered")
	now = now.Add(time.Minute)
	_, err = checker.Check(t.Context(), live.Text)
	require.ErrorIs(t, err, auth.ErrUnknown, "but not for long")
}
