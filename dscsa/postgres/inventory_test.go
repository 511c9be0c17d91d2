package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
)

// all is the whole inventory, page by page.
func (c *custody) all(tb testing.TB, f postgres.InventoryFilter, limit int) (out []postgres.Stock) {
	tb.Helper()
	for after := ""; ; {
		page, next, err := c.store.Inventory(tb.Context(), c.tenant, f, after, today, limit)
		require.NoError(tb, err)
		require.LessOrEqual(tb, len(page), limit)
		out = append(out, page...)
		if next == "" {
			return out
		}
		require.Greater(tb, next, after)
		after = next
	}
}

// masterData puts a product on record, as the register does.
func (c *custody) masterData(tb testing.TB, gtin string) {
	tb.Helper()
	_, err := c.db.Super().Exec(tb.Context(), `insert into custody.product (tenant_id, gtin, ndc, name, strength, dosage_form, container_size, manufacturer, created_by)
		values ($1, $2, '69999-123-45', 'Examplol', '10 mg', 'TABLET', '30', 'Example Labs', 'test')`, c.tenant, gtin)
	require.NoError(tb, err)
}

// What the inventory calls sellable can be reserved, and what it does not is
// refused with the reason it gives.
func TestTheInventoryAndAReservationAgree(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.masterData(t, dscsatest.GTIN)
	c.record(t, stocked(60), dscsa.Accept)
	n := func(i int) string { return dscsatest.Unit(fmt.Sprintf("%06d", i)) }
	later := began.Add(time.Hour)
	c.record(t, doc("later", dscsatest.Step(later, epcis.Observe, "holding", "damaged", wholesaler, n(3)),
		dscsatest.Step(later, epcis.Observe, "holding", "recalled", wholesaler, n(4)),
		dscsatest.Step(later, epcis.Delete, "destroying", "destroyed", wholesaler, n(5)),
		dscsatest.Step(later, epcis.Observe, "dispensing", "dispensed", wholesaler, n(6)),
		dscsatest.Ship(later, wholesaler, pharmacy, n(7)),
		dscsatest.Ship(later, wholesaler, pharmacy, n(8)), dscsatest.Receive(later.Add(time.Minute), pharmacy, n(8)),
		dscsatest.Step(later, epcis.Observe, "storing", "in_progress", wholesaler, "urn:epc:id:sgtin:0369999.012345.nobody")), dscsa.Accept)
	c.hold(t, dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{n(9)}, Actor: "anna", Reason: "r"})
	c.hold(t, dscsa.HoldOrder{Class: dscsa.Recall, Things: []string{dscsatest.Case("000002")}, Actor: "anna", Reason: "r"}) // 20 to 29
	c.hold(t, dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{dscsatest.Unit("unseen")}, Actor: "anna", Reason: "r"})
	_, err := c.reserve(t, "other", n(10))
	require.NoError(t, err)

	stock := c.all(t, postgres.InventoryFilter{}, 7)
	require.Len(t, stock, 62, "sixty packages, one seen without being made, and one nobody has seen")
	seen := map[dscsa.Code]int{}
	for _, x := range stock {
		seen[x.Code]++
		if x.Owner != "" && x.Owner != wholesaler {
			continue // sold by somebody else
		}
		_, err := c.reserve(t, "saga", x.Key)
		var no *dscsa.Refused
		if errors.As(err, &no) {
			require.Equal(t, x.Code, no.Code, x.Key)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, x.Code, x.Key)
		require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error { return c.store.ReleaseTx(ctx, tx, c.tenant, "saga") }))
	}
	for _, code := range []dscsa.Code{
		dscsa.UnitQuarantined, dscsa.ProductRecalled, dscsa.UnitDecommissioned, dscsa.UnitDispensed, dscsa.UnitInTransit, dscsa.UnitReserved, "",
	} {
		require.Positive(t, seen[code], "no unit is %q: %v", code, seen)
	}
	for _, sellable := range []bool{true, false} {
		for _, x := range c.all(t, postgres.InventoryFilter{Sellable: &sellable}, 5) {
			require.Equal(t, sellable, x.Code == "", x.Key)
		}
	}

	// Expired lots are not sellable, and what has no master data is not either.
	expired, _, err := c.store.Inventory(t.Context(), c.tenant, postgres.InventoryFilter{}, "", time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	require.NoError(t, err)
	require.Equal(t, dscsa.UnitExpired, expired[0].Code)
	other := c.another()
	other.record(t, stocked(1), dscsa.Accept)
	unknown := other.all(t, postgres.InventoryFilter{}, 5)
	require.Len(t, unknown, 1)
	require.Equal(t, dscsa.ProductUnknown, unknown[0].Code)
}

// A serial that was held before anything named it is the package that it is,
// however it was spelled.
func TestWhatIsHeldByItsKeyIsAPackage(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.masterData(t, dscsatest.GTIN)
	h := c.hold(t, dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{dscsatest.Key(dscsatest.Unit("000000"))}, Actor: "anna", Reason: "r"})
	c.record(t, stocked(1), dscsa.Accept)
	_, err := c.reserve(t, "saga", dscsatest.Unit("000000"))
	var no *dscsa.Refused
	require.ErrorAs(t, err, &no)
	require.Equal(t, dscsa.UnitQuarantined, no.Code)
	require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
		return c.store.ReleaseHoldTx(ctx, tx, c.tenant, h.ID, "ben", "r")
	}))
	got, err := c.reserve(t, "saga", dscsatest.Unit("000000"))
	require.NoError(t, err)
	require.Equal(t, dscsatest.GTIN, got.Units[0].GTIN)
}

// counter counts the statements of a pool, without begin and commit.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if sql := strings.ToLower(d.SQL); !strings.HasPrefix(sql, "begin") && sql != "commit" && sql != "rollback" {
		c.n.Add(1)
	}
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestAPageOfTheInventoryIsThreeStatements(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(3000), dscsa.Accept)
	cfg, err := pgxpool.ParseConfig(c.db.URL("app_api"))
	require.NoError(t, err)
	var count counter
	cfg.ConnConfig.Tracer = &count
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	store := postgres.New(pool)
	no := false
	for _, f := range []postgres.InventoryFilter{{}, {Lot: dscsatest.Lot}, {GTIN: dscsatest.GTIN, Owner: wholesaler}, {Sellable: &no}} {
		for _, limit := range []int{1, 20, 1000} {
			count.n.Store(0)
			page, _, err := store.Inventory(t.Context(), c.tenant, f, "", today, limit)
			require.NoError(t, err)
			require.Len(t, page, limit)
			require.Equal(t, int64(3), count.n.Load(), "%+v, %d", f, limit)
		}
	}
}

// A page costs what it looks at, however many packages there are.
func TestTheInventoryReadsNoWholeTable(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for i := range 3 {
		k := c
		if i > 0 {
			k = c.another()
		}
		k.record(t, stocked(4000), dscsa.Accept)
		_, err := k.reserve(t, "saga", dscsatest.Pallet(1))
		require.NoError(t, err)
	}
	super := c.db.Super()
	_, err := super.Exec(t.Context(), `analyze`)
	require.NoError(t, err)
	from := "01/" + dscsatest.GTIN + "/21/001234"
	for name, args := range map[string][]any{
		"all":      {c.tenant, "01/", "010", 200, "", "", nil, ""},
		"from":     {c.tenant, from, "010", 200, "", "", nil, ""},
		"product":  {c.tenant, from, "01/" + dscsatest.GTIN + "0", 5000, "", "", nil, ""},
		"lot":      {c.tenant, "01/", "010", 5000, dscsatest.Lot, "", nil, ""},
		"owner":    {c.tenant, "01/", "010", 5000, "", wholesaler, nil, ""},
		"expiring": {c.tenant, "01/", "010", 5000, "", "", today, ""},
	} {
		var plan strings.Builder
		require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "explain (analyze, costs off, timing off) "+postgres.InventorySQL, args...)
			if err != nil {
				return err
			}
			var line string
			_, err = pgx.ForEachRow(rows, []any{&line}, func() error { plan.WriteString(line + "\n"); return nil })
			return err
		}), name)
		for line := range strings.Lines(plan.String()) {
			small := strings.Contains(line, "Seq Scan on chain") || strings.Contains(line, "Seq Scan on product") // of three tenants, and empty
			if strings.Contains(line, "Seq Scan") && !small && !strings.Contains(line, "never executed") {
				t.Fatalf("%s: %s\n%s", name, line, plan.String())
			}
		}
	}
}
