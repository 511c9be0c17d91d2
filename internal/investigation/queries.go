package investigation

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed queries/*.sql
var files embed.FS

// statement reads one of the files; a missing one is a fault of the build.
func statement(name string) string {
	raw, err := files.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(raw)
}

var (
	sqlLock             = statement("lock")
	sqlPutInvestigation = statement("put_investigation")
	sqlInvestigations   = statement("investigations")
	sqlProgress         = statement("progress")
	sqlPackages         = statement("packages")
	sqlUnder            = statement("under")
	sqlCovered          = statement("covered")
	sqlPutVerifications = statement("put_verifications")
	sqlVerifications    = statement("verifications")
	sqlPutEnd           = statement("put_end")
	sqlPutDisposition   = statement("put_disposition")
	sqlMatches          = statement("matches")
	sqlPutNotification  = statement("put_notification")
	sqlPutForm          = statement("put_form")
	sqlNotifications    = statement("notifications")
	sqlPutSubmission    = statement("put_submission")
	sqlPutIncident      = statement("put_incident")
	sqlRaiseAlerts      = statement("raise_alerts")
)

// collect runs a query and scans each row with into.
func collect[T any](ctx context.Context, tx pgx.Tx, what, sql string, into func(pgx.CollectableRow) (T, error), args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	out, err := pgx.CollectRows(rows, into)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}
