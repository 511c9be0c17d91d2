package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa/query"
)

// DecideTx adds any decision to the chain: what a program that was taken over
// can do.
func (st *Store) DecideTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, kind, actor, reason, body string) (int64, error) {
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return 0, err
	}
	return s.decide(ctx, &decision{kind: kind, actor: actor, reason: reason, body: []byte(body)})
}

// QuerySQL is the statement that a query's first chunk runs.
func QuerySQL(chain int32, q query.Query) (string, []any) {
	f := narrow(chain, &q, nil, nil)
	sql := f.sql()
	return sql, f.args
}
