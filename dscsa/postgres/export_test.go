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

// Lookups are the statements that ask for many things at once.
func Lookups() map[string]string {
	return map[string]string{
		"items_by_key": sqlItemsByKey, "items_by_id": sqlItemsByID, "items_within": sqlItemsWithin, "items_above": sqlItemsAbove,
		"events_known": sqlEventsKnown, "things_known": sqlThingsKnown, "holds_on": sqlHoldsOn, "facts_of": sqlFactsOf,
		"facts_by_seq": sqlFactsBySeq, "facts_declaring": sqlFactsDeclaring, "events_by_seq": sqlEventsBySeq,
	}
}
