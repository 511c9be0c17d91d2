package tradebook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sagabook"
	"github.com/recourse/recourse/internal/sandbox"
	"github.com/recourse/recourse/internal/tradebook"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/workflows"
)

// bundle is a database with the sandbox's goods in it, and sagas that run on it
// in virtual time: everything is real but the orchestrator and the processor.
type bundle struct {
	*testing.T
	db      *pgtest.DB
	tenant  uuid.UUID
	pool    *pgxpool.Pool
	trade   *tradebook.Book
	custody *custodypg.Store
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.New(t)
	b := &bundle{T: t, db: db, tenant: db.Tenant(), pool: db.Pool("app_worker")}
	b.trade, b.custody = tradebook.New(b.pool), custodypg.New(b.pool)
	require.NoError(t, sandbox.Seed(t.Context(), db.Super(), b.tenant, ""))
	return b
}

func (b *bundle) partner(gln string) string {
	b.Helper()
	p, err := b.trade.Partner(b.Context(), b.tenant, gln)
	require.NoError(b, err)
	return p.ID
}

func (b *bundle) order(buyer string, units ...string) activities.TransferOrder {
	return activities.TransferOrder{
		OrderRef: "PO-" + uuid.NewString()[:8], Seller: b.partner(sandbox.Wholesaler), Buyer: b.partner(buyer), Units: units, Price: 25000,
		Currency: "usd", PaymentMethod: "pm_card_visa", History: true,
	}
}

// accept puts an order on record as the API does.
func (b *bundle) accept(kind string, o activities.TransferOrder) string {
	b.Helper()
	request, err := json.Marshal(o)
	require.NoError(b, err)
	id := "sg_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26]
	super := b.db.Super()
	_, err = super.Exec(b.Context(), `insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, created_by)
		values ($1, $2, $3, $4, $5, $6, $7, '{}', 'key')`, b.tenant, id, kind, o.OrderRef, o.Price, o.Currency, request)
	require.NoError(b, err)
	_, err = super.Exec(b.Context(), `insert into app.saga_event (tenant_id, saga_id, version, type, data) values ($1, $2, 1, 'saga.created', '{}')`, b.tenant, id)
	require.NoError(b, err)
	return id
}

// life is one saga with the processor it spoke to.
type life struct {
	saga  string
	world *activitiestest.World
}

// inbox is a buyer that fetches its documents.
type inbox struct{}

func (inbox) Deliver(context.Context, activities.Addressee, string, []byte) error { return nil }

func (inbox) Receipt(context.Context, activities.Addressee, string) (dscsa.Receipt, bool, error) {
	return dscsa.Receipt{}, false, nil
}

// run lives a saga. onCall is told of each call to the processor before it is
// made; received is what the buyer says a day after it was shipped.
func (b *bundle) run(kind string, o activities.TransferOrder, onCall func(l *life, n int), received *dscsa.Receipt) *life {
	b.Helper()
	l := &life{saga: b.accept(kind, o)}
	l.world = activitiestest.NewWorld(func(n int) {
		if onCall != nil {
			onCall(l, n)
		}
	})
	book := sagabook.New(b.pool, ledgerpg.New(b.pool), b.trade)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	workflows.Register(env, workflows.Activities{
		Sagas: &activities.Sagas{Book: book}, Payments: &activities.Payments{Book: book, Gateway: l.world},
		Reservations: &activities.Reservations{Book: book}, Postings: &activities.Postings{Book: book},
		Custody: &activities.Custody{Book: book, Trade: b.trade, Inbox: inbox{}, Now: time.Now},
	})
	if received != nil {
		env.RegisterDelayedCallback(func() {
			require.NoError(b, b.tx(func(ctx context.Context, tx pgx.Tx) error {
				_, err := tradebook.AddReceiptTx(ctx, tx, b.tenant, l.saga, *received)
				return err
			}))
		}, 24*time.Hour)
	}
	env.ExecuteWorkflow(kind, activities.SagaInput{Tenant: b.tenant, Saga: l.saga}, activities.TransferPlan{})
	require.NoError(b, env.GetWorkflowError())
	return l
}

func (b *bundle) tx(fn func(context.Context, pgx.Tx) error) error {
	return pgtenant.Tx(b.Context(), b.pool, b.tenant, fn)
}

func (b *bundle) ended(saga string) (status, code string) {
	b.Helper()
	require.NoError(b, b.db.Super().QueryRow(b.Context(), `select status, coalesce(failure ->> 'code', '') from app.saga where id = $1`, saga).Scan(&status, &code))
	return status, code
}

func (b *bundle) owners(units ...string) map[string]int {
	b.Helper()
	found, err := b.custody.Units(b.Context(), b.tenant, units)
	require.NoError(b, err)
	out := map[string]int{}
	for _, u := range found {
		out[u.Owner]++
	}
	return out
}

// balances are the posted net debits of the accounts.
func (b *bundle) balances() map[string]int64 {
	b.Helper()
	rows, err := b.db.Super().Query(b.Context(), `select a.code, b.debits_posted - b.credits_posted, b.debits_pending + b.credits_pending
		from ledger.account a join ledger.balance b on b.account_id = a.id where a.tenant_id = $1`, b.tenant)
	require.NoError(b, err)
	out := map[string]int64{}
	var code string
	var net, pending int64
	_, err = pgx.ForEachRow(rows, []any{&code, &net, &pending}, func() error {
		require.Zero(b, pending, "something is pending on %s", code)
		if net != 0 {
			out[code] = net
		}
		return nil
	})
	require.NoError(b, err)
	return out
}

func (b *bundle) reservations() (n int) {
	b.Helper()
	require.NoError(b, b.db.Super().QueryRow(b.Context(), `select count(*) from custody.reservation`).Scan(&n))
	return n
}

func all(units ...string) *dscsa.Receipt {
	return &dscsa.Receipt{Received: units, At: time.Date(2027, 1, 4, 10, 0, 0, 0, time.UTC), By: "buyer"}
}

func TestATransferMovesMoneyAndGoodsTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	units := []string{sandbox.Unit(sandbox.Drug, 1), sandbox.Unit(sandbox.Drug, 2), sandbox.Case(3)}
	l := b.run(activities.TransferType, b.order(sandbox.Pharmacy, units...), nil, all(units...))
	status, code := b.ended(l.saga)
	require.Equal(t, "completed", status, code)
	require.Equal(t, map[string]int{sandbox.Pharmacy: 3}, b.owners(units...))
	require.Equal(t, map[string]int{sandbox.Pharmacy: 1}, b.owners(sandbox.Unit(sandbox.Drug, 125)), "what is in a case goes with it")
	require.Equal(t, map[string]int{sandbox.Wholesaler: 1}, b.owners(sandbox.Unit(sandbox.Drug, 101)))
	require.Equal(t, int64(25000), l.world.Captured-l.world.Refunded)
	require.Equal(t, map[string]int64{"1010": -25000, "1020": 25000 - activitiestest.Fee, "5010": activitiestest.Fee}, b.balances())
	require.Zero(t, b.reservations())

	stored, found, err := b.trade.Stored(t.Context(), b.tenant, l.saga)
	require.NoError(t, err)
	require.True(t, found)
	require.Len(t, stored.Facts.Units, 12)
	require.Empty(t, stored.Facts.Missing())
	require.Len(t, stored.Facts.History, 1, "from the manufacturer")
	require.Equal(t, "Example Labs Inc", stored.Facts.History[0].Seller.Name)
	var again, document bytes.Buffer
	require.NoError(t, stored.Facts.Write(&document, epcis.XML12))
	require.NoError(t, stored.Facts.Write(&again, epcis.XML12))
	require.Equal(t, document.String(), again.String())
	require.Equal(t, stored.XMLSHA256, sha256.Sum256(document.Bytes()), "the document made today is the one that was shipped with")
	for _, word := range []string{"ENTIRELY_DIRECT", "EX2601", "2029-06-30", "Exampril", "79999-101-30", "Example Pharmacy LLC", "581(27)(A)-(G)", "dropShipment"} {
		require.Contains(t, document.String(), word)
	}

	// A unit that was sold cannot be sold again, and nothing of that is left.
	again2 := b.run(activities.TransferType, b.order(sandbox.Pharmacy, units[0]), nil, nil)
	status, code = b.ended(again2.saga)
	require.Equal(t, "rejected", status)
	require.Equal(t, "not_holder", code)
}

func TestAReturnGivesGoodsAndMoneyBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unit := sandbox.Unit(sandbox.Drug, 7)
	sale := b.run(activities.TransferType, b.order(sandbox.Pharmacy, unit, sandbox.Unit(sandbox.Drug, 8)), nil, all(unit, sandbox.Unit(sandbox.Drug, 8)))
	status, _ := b.ended(sale.saga)
	require.Equal(t, "completed", status)

	back := b.order(sandbox.Wholesaler, unit)
	back.Seller, back.Of, back.Price, back.IntentID, back.PaymentMethod = b.partner(sandbox.Pharmacy), sale.saga, 12500, "pi_1", ""
	saga := b.accept(activities.ReturnType, back)
	book := sagabook.New(b.pool, ledgerpg.New(b.pool), b.trade)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	workflows.Register(env, workflows.Activities{
		Sagas: &activities.Sagas{Book: book}, Payments: &activities.Payments{Book: book, Gateway: sale.world},
		Reservations: &activities.Reservations{Book: book}, Postings: &activities.Postings{Book: book},
		Custody: &activities.Custody{Book: book, Trade: b.trade, Inbox: inbox{}, Now: time.Now},
	})
	env.RegisterDelayedCallback(func() {
		require.Zero(t, sale.world.Refunds, "the money follows the receipt")
		require.NoError(t, b.tx(func(ctx context.Context, tx pgx.Tx) error {
			_, err := tradebook.AddReceiptTx(ctx, tx, b.tenant, saga, *all(unit))
			return err
		}))
	}, 24*time.Hour)
	env.ExecuteWorkflow(activities.ReturnType, activities.SagaInput{Tenant: b.tenant, Saga: saga}, activities.TransferPlan{})
	require.NoError(t, env.GetWorkflowError())
	status, code := b.ended(saga)
	require.Equal(t, "completed", status, code)
	require.Equal(t, map[string]int{sandbox.Wholesaler: 1}, b.owners(unit))
	require.Equal(t, map[string]int{sandbox.Pharmacy: 1}, b.owners(sandbox.Unit(sandbox.Drug, 8)))
	require.Equal(t, int64(12500), sale.world.Refunded)
	require.Equal(t, map[string]int64{"1010": -25000, "1020": 12500 - activitiestest.Fee, "2100": 12500, "5010": activitiestest.Fee}, b.balances(),
		"the seller owes what the buyer got back")
}

// A hold that comes between the capture and the shipment keeps the goods where
// they are, and the buyer gets its money back.
func TestAQuarantineDuringTheTransferIsNeverShipped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unit := sandbox.Unit(sandbox.Drug, 20)
	l := b.run(activities.TransferType, b.order(sandbox.Pharmacy, unit), func(l *life, _ int) {
		if l.world.Captures == 0 && b.reservations() > 0 {
			require.NoError(t, b.tx(func(ctx context.Context, tx pgx.Tx) error {
				_, err := b.custody.HoldTx(ctx, tx, b.tenant, dscsa.HoldOrder{Class: dscsa.Recall, GTIN: sandbox.Drug, Lot: "EX2601", Actor: "quality unit", Reason: "recall"})
				return err
			}))
		}
	}, nil)
	status, code := b.ended(l.saga)
	require.Equal(t, "compensated", status)
	require.Contains(t, []string{"product_recalled", "unit_quarantined"}, code)
	require.Equal(t, map[string]int{sandbox.Wholesaler: 1}, b.owners(unit))
	require.Equal(t, 1, l.world.Captures)
	require.Equal(t, l.world.Captured, l.world.Refunded)
	require.Equal(t, map[string]int64{"1020": -activitiestest.Fee, "5010": activitiestest.Fee}, b.balances())
	require.Zero(t, b.reservations())
	_, found, err := b.trade.Stored(t.Context(), b.tenant, l.saga)
	require.NoError(t, err)
	require.False(t, found)
}

func TestExceptionsAtReceiptAreKeptFromSale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := sandbox.Unit(sandbox.Drug, 30), sandbox.Unit(sandbox.Drug, 31)
	r := all(one)
	r.Exceptions = []dscsa.Exception{{Unit: two, Kind: dscsa.Damaged, Note: "wet box"}}
	l := b.run(activities.TransferType, b.order(sandbox.Pharmacy, one, two), nil, r)
	status, code := b.ended(l.saga)
	require.Equal(t, "completed", status, code)
	found, err := b.custody.Units(t.Context(), b.tenant, []string{one, two})
	require.NoError(t, err)
	require.Empty(t, found[0].Holds)
	require.Len(t, found[1].Holds, 1)
	require.Contains(t, found[1].Holds[0].Reason, "damaged")
}

func TestAnExpiredLicenceRefusesTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.run(activities.TransferType, b.order(sandbox.Closed, sandbox.Unit(sandbox.Drug, 40)), nil, nil)
	status, code := b.ended(l.saga)
	require.Equal(t, "rejected", status)
	require.Equal(t, "licence_expired", code)
	require.Zero(t, l.world.Calls())
	require.Zero(t, b.reservations())
}

func TestSeedingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	count := func() (n int) {
		require.NoError(t, b.db.Super().QueryRow(t.Context(), `select (select count(*) from custody.entry) + (select count(*) from custody.partner) + (select count(*) from custody.product)`).Scan(&n))
		return n
	}
	before := count()
	require.NoError(t, sandbox.Seed(t.Context(), b.db.Super(), b.tenant, ""))
	require.Equal(t, before, count())
}
