package postgres_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// A small book beside a large one is read another way; both are whole, and
// what is wrong with one is not said of the other.
func TestBooksBesideOneAnotherAreAuditedEachByItself(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store := postgres.New(db.Pool("app_worker"))
	large, small := db.Tenant(), db.Tenant()
	fill := func(tenant uuid.UUID, n int) {
		var batch []ledger.Transaction
		for range n {
			batch = append(batch, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 3))
		}
		requirePosted(t, store, tenant, batch...)
	}
	fill(small, 4)
	fill(large, 700)
	fill(small, 5)
	report := audit(t, db, postgres.Audit{})
	require.Empty(t, report.Violations)
	require.Len(t, report.Books, 2)
	require.Equal(t, []int64{9, 700}, []int64{report.Books[0].Transactions, report.Books[1].Transactions})
	require.Equal(t, []int64{18, 1400}, []int64{report.Books[0].Postings, report.Books[1].Postings})

	b := sealedBook{db: db}
	b.tamper(t, `update ledger.posting set amount = 4 where book_id = (select id from ledger.book where tenant_id = '`+small.String()+`') and seq = 5`)
	report = audit(t, db, postgres.Audit{})
	require.Equal(t, []int64{5, 0}, []int64{report.Books[0].FirstBad, report.Books[1].FirstBad})
	for _, v := range report.Violations {
		require.Equal(t, small.String(), v.Tenant)
	}
	// A line that belongs to no transaction, in the book that is read by its
	// transactions.
	b.tamper(t, `update ledger.posting set amount = 3 where amount = 4`,
		`insert into ledger.posting select recorded_at + interval '1 microsecond', seq, account_id, amount, posted_after, 0, 0, book_id, period, line, side, layer
		   from ledger.posting where book_id = (select id from ledger.book where tenant_id = '`+small.String()+`') and seq = 4`)
	report = audit(t, db, postgres.Audit{})
	require.Len(t, report.Violations, 1)
	require.Contains(t, report.Violations[0].Detail, "there are 20 lines and 18 belong to a transaction")
}

// The audit reads one snapshot: the product goes on beside it.
func TestTheAuditRunsBesideWritersAndSealers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, seals := postgres.New(db.Pool("app_worker")), postgres.NewSeals(db.Pool("sealer"))
	tenant, key := db.Tenant(), newLogKey(t)
	requirePosted(t, store, tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 3))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			batch := []ledger.Transaction{
				ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 3),
				ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 1),
			}
			if _, err := store.Post(t.Context(), ledger.Main(tenant), batch); err != nil {
				t.Error(err)
				return
			}
			due, err := seals.Due(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			for _, b := range due {
				if _, _, _, err := seals.Seal(t.Context(), b, key); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 10 {
		report := audit(t, db, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}})
		require.Empty(t, report.Violations)
	}
	close(stop)
	wg.Wait()
}

// What was pending long ago is looked up; what was pending just now is
// remembered. Both are held to the rules.
func TestWrongResolutionsAreFound(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	b.save(t)
	for name, c := range map[string]struct {
		edit string
		says string
	}{
		"resolves what is not pending": {`update ledger.journal set resolves = (select id from ledger.journal where seq = 1) where seq = 130`, "not pending"},
		"resolves nothing":             {`update ledger.journal set resolves = gen_random_uuid() where seq = 130`, "not there"},
		"resolves a later one":         {`update ledger.journal set resolves = (select id from ledger.journal where seq = 500) where seq = 130`, "not there, or not before it"},
		"posts more than was held":     {`update ledger.posting set amount = 101 where seq = 130 and layer = 'P'`, "more is posted"},
		"releases something else":      {`update ledger.posting set amount = 99 where seq = 130 and layer = 'R'`, "not what was held"},
		"too late":                     {`update ledger.journal set expires_at = recorded_at where seq = 100`, "its time"},
		"reverses what is pending":     {`update ledger.journal set reverses = (select id from ledger.journal where seq = 100) where seq = 150`, "not final"},
		"not the mirror":               {`update ledger.posting set amount = 2 where seq = 150`, "not the mirror"},
	} {
		b.tamper(t, c.edit)
		said := ""
		for _, v := range b.audit(t).Violations {
			said += v.Detail + "\n"
		}
		require.Contains(t, said, c.says, name)
		b.restore(t)
	}
}
