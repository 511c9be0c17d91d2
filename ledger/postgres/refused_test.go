package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
)

// partition is the table that holds this month's rows.
func partition(of string) string { return of + time.Now().UTC().Format("_2006_01") }

// refused runs sql as tenant in one transaction and requires that it fails for
// want of a right.
func refused(t *testing.T, url string, tenant uuid.UUID, sql string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, `begin; select set_config('app.tenant', '`+tenant.String()+`', true); `+sql)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg, sql)
	require.Contains(t, []string{"42501", "25006"}, pg.Code, "%s: %s", sql, pg.Message)
}

// unasked lets transactions name approvals that nobody gave: who allows what is
// not what the test is about.
func unasked(t *testing.T, db *pgtest.DB) {
	t.Helper()
	_, err := db.Super().Exec(t.Context(), `select guard.open_maintenance('a test'); alter table ledger.journal disable trigger journal_approval`,
		pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
}
