package postgres

import (
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
)

// The accounts of a batch that a writer has not met cost a round trip during
// which nothing is posted. A book whose every trip meets new ones would pay it
// for a long time, 46,000 transfers for 10,000 accounts met at random, so each
// reading reads as many again ahead as were read ahead until then. A sheet that
// is lost soon has not read much.
const (
	firstAhead = 64
	maxAhead   = 50_000 // accounts read ahead on one sheet; a larger book is met as it is used
)

//go:embed door/accounts_after.sql
var accountsAfter string

// readAhead is how far a sheet has read ahead in its book.
type readAhead struct {
	last ledger.AccountKey // where it has got to, in the order of code and currency
	n    int               // accounts read ahead
	done bool              // there are no more, or enough
}

// queue adds the next accounts to a round trip. Those on the sheet stay as they
// are: what is under way has moved them.
func (a *readAhead) queue(q *pgx.Batch, sh *sheet) {
	if a.done {
		return
	}
	limit := max(firstAhead, min(a.n, maxAhead-a.n))
	q.Queue(accountsAfter, sh.Head.BookID, a.last.Code, a.last.Currency, limit).Query(func(rows pgx.Rows) error {
		n := 0
		err := eachAccount(rows, func(key ledger.AccountKey, account *ledger.OpenAccount) {
			if n++; sh.Accounts[key] == nil {
				sh.Accounts[key] = account
			}
			a.last = key
		})
		a.n += n
		a.done = err != nil || n < limit || a.n >= maxAhead
		return err
	})
}
