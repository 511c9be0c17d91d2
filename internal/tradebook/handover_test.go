package tradebook_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/sandbox"
)

func (b *bundle) hold(o dscsa.HoldOrder) {
	b.Helper()
	o.Actor, o.Reason = "quality unit", "looks wrong"
	require.NoError(b, b.tx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := b.custody.HoldTx(ctx, tx, b.tenant, o)
		return err
	}))
}

// commission makes a package of a lot that expires, at the wholesaler.
func (b *bundle) commission(unit, lot, expiry string) {
	b.Helper()
	const mda = "urn:epcglobal:cbv:mda"
	at := epcis.Place{ID: t3.EPC("414/" + sandbox.Wholesaler)}
	require.NoError(b, b.tx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := b.custody.AppendTx(ctx, tx, b.tenant, custodypg.Batch{Events: []epcis.Event{{
			Type: epcis.ObjectEvent, EventTime: time.Date(2024, 1, 10, 8, 0, 0, 0, time.UTC), Zone: "+00:00", Action: epcis.Add, BizStep: "commissioning",
			Disposition: "active", EPCs: []string{t3.EPC(unit)}, ReadPoint: at, BizLocation: at,
			ILMD: []epcis.Field{{Name: epcis.Name{Space: mda, Local: "lotNumber"}, Value: lot}, {Name: epcis.Name{Space: mda, Local: "itemExpirationDate"}, Value: expiry}},
		}}})
		return err
	}))
}

// Each unit that cannot be sold refuses the order by name, before anybody is
// asked for money.
func TestAUnitThatCannotBeSoldRefusesTheOrderByName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unit := func(n int) string { return sandbox.Unit(sandbox.Drug, n) }
	expired := unit(900)
	b.commission(expired, "OLD", "2025-12-31")
	b.hold(dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{unit(2)}})
	b.hold(dscsa.HoldOrder{Class: dscsa.Recall, GTIN: sandbox.Drug, Lot: "EX2602"})
	promised := b.accept(activities.TransferType, b.order(sandbox.Pharmacy, unit(4)))
	require.NoError(t, b.tx(func(ctx context.Context, tx pgx.Tx) error {
		return b.trade.ApplyTx(ctx, tx, b.tenant, promised, dscsa.Change{Reserve: &dscsa.Reserve{Units: []string{unit(4)}, Owner: sandbox.Wholesaler}})
	}))
	for name, tc := range map[string]struct{ seller, unit, code string }{
		"in quarantine":           {sandbox.Wholesaler, unit(2), "unit_quarantined"},
		"in a case with one held": {sandbox.Wholesaler, sandbox.Case(1), "unit_quarantined"},
		"expired":                 {sandbox.Wholesaler, expired, "unit_expired"},
		"recalled":                {sandbox.Manufacturer, unit(250), "product_recalled"},
		"somebody else's":         {sandbox.Wholesaler, unit(201), "product_recalled"},
		"another company's":       {sandbox.Manufacturer, unit(5), "not_holder"},
		"unknown":                 {sandbox.Wholesaler, unit(999), "unit_unknown"},
		"promised":                {sandbox.Wholesaler, unit(4), "unit_reserved"},
	} {
		if name == "in a case with one held" {
			b.hold(dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{unit(101)}})
		}
		o := b.order(sandbox.Pharmacy, unit(3), tc.unit)
		o.Seller = b.partner(tc.seller)
		if tc.seller != sandbox.Wholesaler {
			o.Units = []string{tc.unit}
		}
		l := b.run(activities.TransferType, o, nil, nil)
		var message string
		require.NoError(t, b.db.Super().QueryRow(t.Context(), `select failure ->> 'message' from app.saga where id = $1`, l.saga).Scan(&message))
		status, code := b.ended(l.saga)
		require.Equal(t, "rejected", status, name)
		require.Equal(t, tc.code, code, name)
		if name != "in a case with one held" {
			require.Contains(t, message, tc.unit, name)
		}
		require.Zero(t, l.world.Calls(), name)
	}
	require.Equal(t, 1, b.reservations(), "only the promise of before")
	require.Empty(t, b.balances())
}

// Whatever a receipt says, what did not come as it was shipped is kept from
// sale, the owner is who the document says, and the seller is paid once.
func TestReceiptsThatDoNotSayWhatWasShipped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unit := func(n int) string { return sandbox.Unit(sandbox.Drug, n) }
	stranger := "01/" + sandbox.Drug + "/21/NOBODYKNOWS"
	n := 10
	for name, tc := range map[string]struct {
		receipt func(one, two string) dscsa.Receipt
		held    func(one, two string) []string
	}{
		"silence about a unit": {
			func(one, _ string) dscsa.Receipt { return dscsa.Receipt{Received: []string{one}} },
			func(_, two string) []string { return []string{two} },
		},
		"nothing came": {
			func(_, _ string) dscsa.Receipt { return dscsa.Receipt{} },
			func(one, two string) []string { return []string{one, two} },
		},
		"a shortage": {
			func(one, two string) dscsa.Receipt {
				return dscsa.Receipt{Received: []string{one}, Exceptions: []dscsa.Exception{{Unit: two, Kind: dscsa.Shortage}}}
			},
			func(_, two string) []string { return []string{two} },
		},
		"a wrong serial": {
			func(one, two string) dscsa.Receipt {
				return dscsa.Receipt{Received: []string{one}, Exceptions: []dscsa.Exception{{Unit: two, Kind: dscsa.Shortage}, {Unit: unit(60), Kind: dscsa.WrongSerial}}}
			},
			func(_, two string) []string { return []string{two, unit(60)} },
		},
		"an overage": {
			func(one, two string) dscsa.Receipt {
				return dscsa.Receipt{Received: []string{one, two}, Exceptions: []dscsa.Exception{{Unit: unit(61), Kind: dscsa.Overage}}}
			},
			func(_, _ string) []string { return []string{unit(61)} },
		},
		"somebody else's unit received": {
			func(one, two string) dscsa.Receipt {
				return dscsa.Receipt{Received: []string{one, two, unit(62), unit(220)}}
			},
			func(_, _ string) []string { return []string{unit(62), unit(220)} },
		},
		"a unit nobody knows": {
			func(one, two string) dscsa.Receipt { return dscsa.Receipt{Received: []string{one, two, stranger}} },
			func(_, _ string) []string { return nil },
		},
	} {
		one, two := unit(n), unit(n+1)
		n += 2
		r := tc.receipt(one, two)
		r.At, r.By = time.Date(2027, 1, 4, 10, 0, 0, 0, time.UTC), "buyer"
		l := b.run(activities.TransferType, b.order(sandbox.Pharmacy, one, two), nil, &r)
		status, code := b.ended(l.saga)
		require.Equal(t, "completed", status, "%s: %s", name, code)
		require.Equal(t, map[string]int{sandbox.Pharmacy: 2}, b.owners(one, two), name)
		held := map[string]bool{}
		for _, h := range tc.held(one, two) {
			held[h] = true
		}
		asked := append([]string{one, two}, tc.held(one, two)...)
		found, err := b.custody.Units(t.Context(), b.tenant, asked)
		require.NoError(t, err)
		for _, u := range found {
			require.Equal(t, held[u.Key], len(u.Holds) > 0, "%s: %s %v", name, u.Key, u.Holds)
		}
	}
	require.Equal(t, map[string]int{sandbox.Wholesaler: 3, sandbox.Manufacturer: 1}, b.owners(unit(60), unit(61), unit(62), unit(220)),
		"a receipt makes nobody the owner of what was not sold")
	require.Equal(t, int64(-7*25000), b.balances()["1010"])
}

// A client that cancels at any moment before the pivot gets everything back.
func TestACancelAtEveryPointBeforeThePivot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ends := map[string]int{}
	fees := int64(0)
	for n := 1; n <= 3; n++ {
		unit := sandbox.Unit(sandbox.Drug, 30+n)
		l := b.run(activities.TransferType, b.order(sandbox.Pharmacy, unit), func(l *life, call int) {
			if call != n {
				return
			}
			_, err := b.db.Super().Exec(t.Context(), `update app.saga set cancel_requested_at = clock_timestamp(), cancel_reason = 'client' where id = $1`, l.saga)
			require.NoError(t, err)
		}, all(unit))
		status, code := b.ended(l.saga)
		ends[status]++
		require.Contains(t, []string{"compensated", "rejected"}, status, "cancelled at call %d: %s", n, code)
		require.Equal(t, "canceled", code)
		require.Equal(t, map[string]int{sandbox.Wholesaler: 1}, b.owners(unit))
		require.Zero(t, b.reservations())
		require.Equal(t, l.world.Captured, l.world.Refunded)
		require.Zero(t, l.world.Held())
		fees += int64(l.world.Captures) * activitiestest.Fee
		want := map[string]int64{}
		if fees > 0 {
			want = map[string]int64{"1020": -fees, "5010": fees}
		}
		require.Equal(t, want, b.balances(), "cancelled at call %d", n)
	}
	require.Positive(t, fees, "no cancel came after the capture: the test does not reach it")
}
