package postgres

import "github.com/recourse/recourse/dscsa/query"

// QuerySQL is the statement that a query's first chunk runs.
func QuerySQL(chain int32, q query.Query) (string, []any) {
	f := narrow(chain, &q, nil, nil)
	sql := f.sql()
	return sql, f.args
}
