package pgtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/pgtest"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := pgtest.New(t), pgtest.New(t)
	tenant := a.Tenant()
	for i, d := range []*pgtest.DB{a, b} {
		var n int
		require.NoError(t, d.Super().QueryRow(t.Context(), `select count(*) from app.tenant where id = $1`, tenant).Scan(&n))
		require.Equal(t, 1-i, n)
	}
}

func TestTheSchemaIsTheProgramsAndRolesCanLogIn(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	conn := d.Pool("migrator")
	require.NoError(t, db.Check(t.Context(), conn))
	for _, role := range []string{"app_api", "app_worker", "finance_ro", "auditor_ro"} {
		var who string
		require.NoError(t, d.Pool(role).QueryRow(t.Context(), `select current_user`).Scan(&who))
		require.Equal(t, role, who)
	}
}
