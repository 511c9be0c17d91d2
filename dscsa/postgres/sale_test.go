package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
)

var (
	began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	today = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
)

// doc makes events a document of their own.
func doc(name string, events ...epcis.Event) document {
	return document{name: name, raw: []byte(name + uuid.NewString()), events: events}
}

// stocked is n packages, in cases of ten, on a pallet, at the wholesaler.
func stocked(n int) document {
	var units, cases []string
	events := make([]epcis.Event, 1, n/10+5)
	for i := range n {
		units = append(units, dscsatest.Unit(fmt.Sprintf("%06d", i)))
	}
	for i := 0; i < n; i += 10 {
		c := dscsatest.Case(fmt.Sprintf("%06d", i/10))
		cases = append(cases, c)
		events = append(events, dscsatest.Pack(began.Add(time.Minute), maker, c, units[i:min(i+10, n)]...))
	}
	events[0] = dscsatest.Commission(began, maker, append(append([]string(nil), units...), cases...)...)
	return doc("stock", append(events,
		dscsatest.Pack(began.Add(2*time.Minute), maker, dscsatest.Pallet(1), cases...),
		dscsatest.Ship(began.Add(3*time.Minute), maker, wholesaler, dscsatest.Pallet(1)),
		dscsatest.Receive(began.Add(4*time.Minute), wholesaler, dscsatest.Pallet(1)))...)
}

func (c *custody) reserve(tb testing.TB, saga string, things ...string) (out dscsa.Reservation, err error) {
	tb.Helper()
	err = c.tx(tb, func(ctx context.Context, tx pgx.Tx) (err error) {
		out, err = c.store.ReserveTx(ctx, tx, c.tenant, saga, wholesaler, things, today)
		return err
	})
	return out, err
}

func (c *custody) ship(tb testing.TB, saga string, things ...string) (out postgres.Appended, err error) {
	tb.Helper()
	err = c.tx(tb, func(ctx context.Context, tx pgx.Tx) (err error) {
		d := doc("t3", dscsatest.Ship(today, wholesaler, pharmacy, things...))
		b := d.batch(dscsa.Accept)
		out, err = c.store.ShipTx(ctx, tx, c.tenant, postgres.Shipment{
			Saga: saga, Seller: wholesaler, Buyer: pharmacy, Document: *b.Document, Body: b.Body, Events: b.Events,
		}, today)
		return err
	})
	return out, err
}

func (c *custody) hold(tb testing.TB, o dscsa.HoldOrder) dscsa.Hold {
	tb.Helper()
	var h dscsa.Hold
	require.NoError(tb, c.tx(tb, func(ctx context.Context, tx pgx.Tx) (err error) {
		h, err = c.store.HoldTx(ctx, tx, c.tenant, o)
		return err
	}))
	return h
}

func requireRefused(tb testing.TB, err error, code dscsa.Code, unit string) {
	tb.Helper()
	var refused *dscsa.Refused
	require.ErrorAs(tb, err, &refused)
	require.Equal(tb, code, refused.Code, refused.Message)
	require.Equal(tb, unit, refused.Unit)
	require.NotEmpty(tb, refused.Message)
}

func (c *custody) unit(tb testing.TB, thing string) dscsa.Unit {
	tb.Helper()
	list, err := c.store.Units(tb.Context(), c.tenant, []string{thing})
	require.NoError(tb, err)
	require.Len(tb, list, 1)
	return list[0]
}

func TestASaleReservesAndShipsAndOwnershipMovesOnce(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(30), dscsa.Accept)
	u := dscsatest.Unit("000003")

	r, err := c.reserve(t, "sg_1", u, "(01)50369999123455(21)000001")
	require.NoError(t, err)
	require.Len(t, r.Named, 2)
	require.Len(t, r.Units, 11, "a unit, and a case of ten")
	for _, x := range r.Units {
		require.Equal(t, dscsatest.GTIN, x.GTIN)
		require.Equal(t, dscsatest.Lot, x.Lot)
		require.Equal(t, dscsatest.Expiry, x.Expiry.Format(time.DateOnly))
		require.NotEmpty(t, x.Parent)
	}
	again, err := c.reserve(t, "sg_1", u, "(01)50369999123455(21)000001")
	require.NoError(t, err)
	require.Equal(t, r, again)

	_, err = c.reserve(t, "sg_2", dscsatest.Pallet(1))
	requireRefused(t, err, dscsa.UnitReserved, dscsatest.Key(u))
	var refused *dscsa.Refused
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 11, refused.Others, "its case, and the ten in it")
	_, err = c.reserve(t, "sg_2", dscsatest.Unit("000015"))
	requireRefused(t, err, dscsa.UnitReserved, dscsatest.Key(dscsatest.Unit("000015")))
	_, err = c.reserve(t, "sg_2", dscsatest.Unit("000004"))
	require.NoError(t, err, "what was refused left nothing reserved")

	_, err = c.ship(t, "sg_none", u)
	require.ErrorIs(t, err, postgres.ErrNotReserved)
	_, err = c.ship(t, "sg_1", u)
	requireRefused(t, err, dscsa.NotHolder, dscsatest.Key(dscsatest.Unit("000010")))
	require.Equal(t, wholesaler, c.unit(t, u).Owner, "the document forgot the case, and nothing was shipped")
	out, err := c.ship(t, "sg_1", u, dscsatest.Case("000001"))
	require.NoError(t, err)
	require.Equal(t, 1, out.Stored)
	x := c.unit(t, u)
	require.Equal(t, dscsa.InTransit, x.State)
	require.Equal(t, pharmacy, x.Owner)
	require.Empty(t, x.Parent, "it went without its case")

	_, err = c.reserve(t, "sg_3", u)
	requireRefused(t, err, dscsa.NotHolder, x.Key)
	sent, err := c.store.Document(t.Context(), c.tenant, out.Document, nil)
	require.NoError(t, err)
	require.Equal(t, dscsa.Sent, sent.Direction)
	require.Equal(t, "sg_1", sent.Saga)

	require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error { return c.store.ReleaseTx(ctx, tx, c.tenant, "sg_2") }))
	require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error { return c.store.ReleaseTx(ctx, tx, c.tenant, "sg_2") }), "also when it is nothing")
	_, err = c.reserve(t, "sg_4", dscsatest.Unit("000004"))
	require.NoError(t, err)
}

func TestWhatCannotGoIsRefusedByName(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(60), dscsa.Accept)
	n := func(i int) string { return dscsatest.Unit(fmt.Sprintf("%06d", i)) }
	later := began.Add(time.Hour)
	expired := dscsatest.Commission(began, wholesaler, n(900))
	expired.ILMD[1].Value = "2026-11-24"
	lastDay := dscsatest.Commission(began, wholesaler, n(901))
	lastDay.ILMD[1].Value = "2026-11-25"
	c.record(t, doc("more", expired, lastDay,
		dscsatest.Step(later, epcis.Observe, "dispensing", "dispensed", wholesaler, n(1)),
		dscsatest.Step(later, epcis.Delete, "destroying", "destroyed", wholesaler, n(2)),
		dscsatest.Step(later, epcis.Observe, "holding", "damaged", wholesaler, n(3)),
		dscsatest.Step(later, epcis.Observe, "holding", "recalled", wholesaler, n(4)),
		dscsatest.Ship(later, wholesaler, pharmacy, n(5)),
		dscsatest.Ship(later, pharmacy, maker, n(6)),
		dscsatest.Receive(later, wholesaler, n(902)),
	), dscsa.Accept)
	c.record(t, doc("back", dscsatest.Ship(later.Add(time.Hour), pharmacy, wholesaler, n(5))), dscsa.Accept)
	c.record(t, doc("odd", dscsatest.Step(later, epcis.Observe, "inspecting", "", wholesaler, n(7))), dscsa.Flag)
	h := c.hold(t, dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{dscsatest.Case("000001")}, Actor: "Ada Adams, quality", Reason: "tampered seal"})

	for _, x := range []struct {
		thing string
		code  dscsa.Code
		unit  string
	}{
		{n(777), dscsa.UnitUnknown, n(777)},
		{dscsatest.Pallet(9), dscsa.UnitUnknown, dscsatest.Pallet(9)},
		{n(1), dscsa.UnitDispensed, ""},
		{n(2), dscsa.UnitDecommissioned, ""},
		{n(3), dscsa.UnitQuarantined, ""},
		{n(4), dscsa.ProductRecalled, ""},
		{n(5), dscsa.UnitInTransit, ""},
		{n(6), dscsa.UnitQuarantined, ""}, // the pharmacy sent what it never had
		{n(7), dscsa.UnitQuarantined, ""},
		{n(12), dscsa.UnitQuarantined, ""}, // in the case that is held
		{dscsatest.Pallet(1), dscsa.ProductRecalled, dscsatest.Key(n(4))},
		{n(900), dscsa.UnitExpired, ""},
		{n(902), dscsa.UnitQuarantined, ""}, // nobody says who made it
	} {
		_, err := c.reserve(t, "sg_x", x.thing)
		if x.unit == "" {
			x.unit = dscsatest.Key(x.thing)
		}
		var refused *dscsa.Refused
		require.ErrorAs(t, err, &refused, x.thing)
		if x.thing != dscsatest.Pallet(1) {
			requireRefused(t, err, x.code, x.unit)
		}
	}
	_, err := c.reserve(t, "sg_ok", n(901), n(20))
	require.NoError(t, err, "on its last day it can go")
	err = c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
		_, err := c.store.ReserveTx(ctx, tx, c.tenant, "sg_y", pharmacy, []string{n(21)}, today)
		return err
	})
	requireRefused(t, err, dscsa.NotHolder, dscsatest.Key(n(21)))

	// Released by a named person, what was in the case can go.
	release := func(id int64, actor, why string) error {
		return c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			return c.store.ReleaseHoldTx(ctx, tx, c.tenant, id, actor, why)
		})
	}
	require.Error(t, release(h.ID, "", "checked"))
	require.Error(t, release(h.ID, "Ada Adams, quality", " "))
	require.NoError(t, release(h.ID, "Ada Adams, quality", "seal checked, genuine"))
	require.ErrorIs(t, release(h.ID, "Ada Adams, quality", "again"), postgres.ErrNoSuchHold)
	_, err = c.reserve(t, "sg_12", n(12))
	require.NoError(t, err)
	odd := c.unit(t, n(7))
	require.Len(t, odd.Holds, 1)
	require.Equal(t, dscsa.Flagged, odd.Holds[0].Class)
	require.NoError(t, release(odd.Holds[0].ID, "Bo Berg, responsible person", "the finding is harmless"))
	_, err = c.reserve(t, "sg_7", n(7))
	require.NoError(t, err)
}

// What is illegitimate is not released by who found it so.
func TestIllegitimateProductNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(10), dscsa.Accept)
	h := c.hold(t, dscsa.HoldOrder{Class: dscsa.Illegitimate, Things: []string{dscsatest.Unit("000001")}, Actor: "Ada", Reason: "counterfeit"})
	release := func(actor string) error {
		return c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			return c.store.ReleaseHoldTx(ctx, tx, c.tenant, h.ID, actor, "laboratory says genuine")
		})
	}
	require.ErrorIs(t, release("Ada"), postgres.ErrSamePerson)
	require.NoError(t, release("Bo"))
}

// A hold catches what comes later and matches: by serial, by lot, by being in
// a container that is held.
func TestAHoldCatchesWhatComesLater(t *testing.T) {
	t.Parallel()
	c := setup(t)
	order := dscsa.HoldOrder{Class: dscsa.Suspect, Actor: "Ada", Reason: "notified"}
	serial, pallet, whole := order, order, order
	serial.Things = []string{dscsatest.Unit("000003")}
	pallet.Things = []string{dscsatest.Pallet(1)}
	whole.GTIN, whole.Lot = dscsatest.GTIN, dscsatest.Lot
	c.hold(t, serial)
	p := c.hold(t, pallet)
	l := c.hold(t, whole)
	c.record(t, stocked(20), dscsa.Accept)
	classes := func(thing string) (out []int64) {
		for _, h := range c.unit(t, thing).Holds {
			out = append(out, h.ID)
		}
		return out
	}
	require.Len(t, classes(dscsatest.Unit("000003")), 3)
	require.Equal(t, []int64{p.ID, l.ID}, classes(dscsatest.Unit("000004")))
	require.Equal(t, []int64{p.ID}, classes(dscsatest.Case("000001")))
	require.Equal(t, dscsa.Quarantined, func() dscsa.State { u := c.unit(t, dscsatest.Unit("000004")); return u.Shown() }())
}

func TestOneOfTwoHundredSalesOfASerialWins(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(10), dscsa.Accept)
	u := dscsatest.Unit("000003")
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() { _, errs[i] = c.reserve(t, fmt.Sprintf("sg_%d", i), u) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		requireRefused(t, err, dscsa.UnitReserved, dscsatest.Key(u))
	}
	require.Equal(t, 1, won)
}

// A quarantine that races the shipment: whoever comes first, nothing that is
// held is shipped afterwards, and nothing is half shipped.
func TestAQuarantineDuringTheTransferIsNeverShipped(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(100), dscsa.Accept)
	shipped, refused := 0, 0
	for i := range 20 {
		u, saga := dscsatest.Unit(fmt.Sprintf("%06d", i)), fmt.Sprintf("sg_%d", i)
		_, err := c.reserve(t, saga, u)
		require.NoError(t, err)
		var wg sync.WaitGroup
		var failed error
		wg.Go(func() { _, failed = c.ship(t, saga, u) })
		wg.Go(func() {
			err := c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
				_, err := c.store.HoldTx(ctx, tx, c.tenant, dscsa.HoldOrder{Class: dscsa.Recall, GTIN: dscsatest.GTIN, Lot: dscsatest.Lot, Actor: "Ada", Reason: "class I"})
				return err
			})
			assert.NoError(t, err)
		})
		wg.Wait()
		after := c.unit(t, u)
		if failed == nil {
			shipped++
			require.Equal(t, pharmacy, after.Owner)
			require.Less(t, after.LastEvent, after.Holds[len(after.Holds)-1].ID, "it left before")
		} else {
			refused++
			requireRefused(t, failed, dscsa.ProductRecalled, dscsatest.Key(u))
			require.Equal(t, wholesaler, after.Owner)
		}
		// Lift it for the next one.
		for _, h := range after.Holds {
			require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
				return c.store.ReleaseHoldTx(ctx, tx, c.tenant, h.ID, "Bo", "lifted")
			}))
		}
	}
	t.Logf("%d shipped before the recall, %d refused after it", shipped, refused)
	require.Equal(t, 20, shipped+refused)
}

// The buyer's own receipt of what it bought, and what it finds wrong.
func TestAConflictNamesItselfAndGoesWhenTheMissingDocumentComes(t *testing.T) {
	t.Parallel()
	c := setup(t)
	u := dscsatest.Unit("7")
	c.record(t, doc("1", dscsatest.Commission(began, maker, u), dscsatest.Ship(began.Add(time.Hour), maker, wholesaler, u)), dscsa.Accept)
	out := c.record(t, doc("3", dscsatest.Ship(began.Add(3*time.Hour), pharmacy, maker, u)), dscsa.Accept)
	require.Len(t, out.Conflicts, 1)
	require.Equal(t, dscsa.ConflictSender, c.unit(t, u).ConflictWhy)
	require.Equal(t, wholesaler, c.unit(t, u).Owner, "nobody parts with what another holds")
	c.record(t, doc("2", dscsatest.Ship(began.Add(2*time.Hour), wholesaler, pharmacy, u)), dscsa.Accept)
	require.Empty(t, c.unit(t, u).ConflictWhy)
	require.Equal(t, maker, c.unit(t, u).Owner)

	// An error declaration takes the event back, whichever comes first.
	wrong := dscsatest.Ship(began.Add(4*time.Hour), maker, pharmacy, u)
	c.record(t, doc("error", dscsatest.Declare(wrong, began.Add(5*time.Hour))), dscsa.Accept)
	c.record(t, doc("wrong", wrong), dscsa.Accept)
	require.Equal(t, maker, c.unit(t, u).Owner)
	void := dscsatest.Ship(began.Add(6*time.Hour), maker, pharmacy, u)
	c.record(t, doc("ship", void), dscsa.Accept)
	require.Equal(t, pharmacy, c.unit(t, u).Owner)
	back := dscsatest.Step(began.Add(7*time.Hour), epcis.Observe, "void_shipping", "in_progress", maker, u)
	c.record(t, doc("void", back), dscsa.Accept)
	require.Equal(t, maker, c.unit(t, u).Owner)
	require.Equal(t, dscsa.InStock, c.unit(t, u).State)

	// The id of an event stands for one content.
	named := dscsatest.Step(began.Add(8*time.Hour), epcis.Observe, "inspecting", "", maker, u)
	named.EventID = "urn:uuid:5f0c1b9e-58a7-4a3b-9a55-2f3d6c7e8a10"
	require.Equal(t, 1, c.record(t, doc("named", named), dscsa.Accept).Stored)
	other := named
	other.BizStep = "destroying"
	again := c.record(t, doc("reused", named, other), dscsa.Accept)
	require.Equal(t, 1, again.Resent)
	require.Equal(t, []postgres.Reuse{{Ordinal: 2, EventID: named.EventID}}, again.Reused)
	require.Equal(t, dscsa.InStock, c.unit(t, u).State)
}
