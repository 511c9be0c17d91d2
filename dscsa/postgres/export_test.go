package postgres

// SQL is the statement a query runs.
func (q *EventQuery) SQL(chain int32) (string, []any, error) { return q.sql(chain) }
