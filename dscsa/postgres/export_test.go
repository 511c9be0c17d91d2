package postgres

import "github.com/recourse/recourse/dscsa/query"

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
