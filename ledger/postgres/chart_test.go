package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// The database opens the standard chart and nothing else without an approval:
// what it takes for that chart is what the program opens.
func TestTheStandardChartIsTheProgramsOwn(t *testing.T) {
	t.Parallel()
	rows, err := pgtest.New(t).Super().Query(t.Context(), `select code, name, type, side from ledger.standard_chart()`)
	require.NoError(t, err)
	chart, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a ledger.Account, err error) {
		return a, row.Scan(&a.Code, &a.Name, &a.Type, &a.Normal)
	})
	require.NoError(t, err)
	require.Equal(t, ledger.Chart(), chart)
}

// A currency is opened by what is posted in it, not by what is refused beside
// it, and what is refused is told the reason it has, as if it were open.
func TestOnlyWhatIsPostedOpensACurrency(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, tenant := postgres.New(db.Pool("app_worker")), db.Tenant()
	in := func(currency string, change func(*ledger.Transaction)) ledger.Transaction {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
		for i := range x.Entries {
			x.Entries[i].Currency = currency
		}
		if change != nil {
			change(&x)
		}
		return x
	}
	hold := in("sek", func(x *ledger.Transaction) { x.Kind = ledger.Pending })
	void := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: hold.ID, Purpose: "test", Actor: "test"}
	post := func(batch ...ledger.Transaction) (out []ledger.Outcome) {
		results, err := store.Post(t.Context(), ledger.Main(tenant), batch)
		require.NoError(t, err)
		for _, r := range results {
			out = append(out, r.Outcome)
		}
		return out
	}
	currencies := func() (out []string) {
		balances, err := store.TrialBalance(t.Context(), ledger.Main(tenant), "")
		require.NoError(t, err)
		for i, b := range balances {
			if i == 0 || balances[i-1].Currency != b.Currency {
				out = append(out, b.Currency)
			}
		}
		return out
	}
	unbalanced := in("jpy", func(x *ledger.Transaction) { x.Entries[0].Amount++ })
	require.Equal(t, []ledger.Outcome{ledger.Unbalanced}, post(unbalanced))
	require.Empty(t, currencies())
	require.Equal(t, []ledger.Outcome{ledger.Unbalanced, ledger.Created, ledger.AccountUnknown, ledger.Created, ledger.Created},
		post(unbalanced, in("usd", nil), in("chf", func(x *ledger.Transaction) { x.Entries[0].Account = "9999" }), hold, void))
	require.Equal(t, []string{"sek", "usd"}, currencies())
	require.Equal(t, []ledger.Outcome{ledger.Created, ledger.Unbalanced}, post(in("jpy", nil), in("eur", func(x *ledger.Transaction) { x.Entries[0].Amount++ })))
	require.Equal(t, []string{"jpy", "sek", "usd"}, currencies())
	requireSound(t, db)
}

func TestBooksThatAreNotOpenTakeNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, book := postgres.New(db.Pool("app_worker")), ledger.Book{Tenant: db.Tenant(), Entity: "gmbh"}
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	outcomes := race(20, func(int) (ledger.Outcome, error) {
		_, err := store.Post(t.Context(), book, []ledger.Transaction{x})
		require.ErrorIs(t, err, ledger.ErrNoBook)
		return "", nil
	})
	require.Equal(t, map[string]int{"": 20}, outcomes)
	super := db.Super()
	for range 2 {
		asOwner(t, super, book.Tenant, `select ledger.open_book('`+book.Tenant.String()+`', 'gmbh')`)
	}
	results, err := store.Post(t.Context(), book, []ledger.Transaction{x})
	require.NoError(t, err)
	require.Equal(t, ledger.Created, results[0].Outcome)
	requireSound(t, db)
}
