package dscsabench

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/recourse/recourse/devstack/ledgerbench"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
)

// received and sold are when a wholesaler gets and sells the goods.
var (
	received = dscsatest.GoodsMade.AddDate(0, 1, 0)
	sold     = dscsatest.GoodsMade.AddDate(0, 2, 0)
)

// transfers measures what a sale of 10,000 packages does to custody: the
// reservation and the shipment, each a transaction of its own. The document
// recorded with the shipment has the size of the one the goods came with.
func (s *stock) transfers(ctx context.Context, print func(ledgerbench.Line)) error {
	const times = 3
	first := 0
	next := func(g dscsatest.Goods) (dscsatest.Goods, error) { // new goods, which the wholesaler has received
		g.First = first
		first += (g.Units/dscsatest.PerPallet + 1) * dscsatest.PerPallet
		b, err := batchOf(g)
		if err != nil {
			return g, err
		}
		if err := s.record(ctx, b, &took{}); err != nil {
			return g, err
		}
		in := epcis.Event{
			Type: epcis.ObjectEvent, EventTime: received, Zone: "+00:00", Action: epcis.Observe, BizStep: "receiving", Disposition: "in_progress",
			ReadPoint: epcis.Place{ID: dscsatest.WholesalerPlace}, BizLocation: epcis.Place{ID: dscsatest.WholesalerPlace}, EPCs: g.Outermost(),
		}
		return g, s.record(ctx, postgres.Batch{Events: []epcis.Event{in}}, &took{})
	}
	for _, g := range []dscsatest.Goods{{Units: 10_000}, {Units: 10_000, Loose: true}} {
		var wall, baseline, cpu, baselineCPU []time.Duration
		for range times {
			sale, err := next(g)
			if err != nil {
				return err
			}
			var t, u took
			if err := s.transfer(ctx, sale, &t); err != nil {
				return err
			}
			if err := s.update(ctx, sale, &u); err != nil {
				return err
			}
			wall, baseline = append(wall, t.wall), append(baseline, u.wall)
			cpu, baselineCPU = append(cpu, t.cpu), append(baselineCPU, u.cpu)
		}
		line := func(bench, unit string, ours, theirs []time.Duration) {
			print(ledgerbench.Line{
				Bench: bench, Shape: "reserve and ship " + g.Shape(), Clients: 1, Value: median(ours).Seconds(), Unit: unit,
				Baseline: "one UPDATE of the owner of the same packages by key in a table of key and owner, committed", BaselineValue: median(theirs).Seconds(),
			})
		}
		line("dscsa.transfer.custody", "s", wall, baseline)
		line("dscsa.transfer.custody.processor", "s of processor time, server and client", cpu, baselineCPU)
		var counts [2]float64
		for i, units := range []int{g.Units, g.Units / 100} {
			sale, err := next(dscsatest.Goods{Units: units, Loose: g.Loose})
			if err != nil {
				return err
			}
			n, err := s.counted(ctx, func() error { return s.transfer(ctx, sale, &took{}) })
			if err != nil {
				return err
			}
			counts[i] = float64(n)
		}
		print(ledgerbench.Line{
			Bench: "dscsa.transfer.statements", Shape: "reserve and ship " + g.Shape(), Clients: 1, Value: counts[0], Unit: "statements",
			Baseline: fmt.Sprintf("the same with %d packages", g.Units/100), BaselineValue: counts[1],
		})
	}
	return nil
}

func (s *stock) transfer(ctx context.Context, g dscsatest.Goods, t *took) error {
	saga := fmt.Sprintf("sg_bench_%d", g.First)
	things := g.Outermost()
	err := s.timed(ctx, t, func(ctx context.Context, tx pgx.Tx) error {
		r, err := s.store.ReserveTx(ctx, tx, s.tenant, saga, dscsatest.Wholesaler, things, sold)
		if err == nil && len(r.Units) != g.Units {
			err = fmt.Errorf("%d of %d packages were reserved", len(r.Units), g.Units)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	raw, _ := g.Text()
	raw = append(raw, "<!-- sold -->\n"...)
	out := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: sold, Zone: "+00:00", EventID: "urn:uuid:5a1f2c3d-0000-4000-8000-" + fmt.Sprintf("%012d", g.First), Action: epcis.Observe,
		BizStep: "shipping", Disposition: "in_transit", EPCs: things, ReadPoint: epcis.Place{ID: dscsatest.WholesalerPlace},
		BizTransactions: []epcis.Reference{{Type: "po", ID: "urn:epcglobal:cbv:bt:" + dscsatest.Pharmacy + ":PO-1"}},
		Sources:         []epcis.Reference{{Type: "owning_party", ID: dscsatest.WholesalerPlace}, {Type: "location", ID: dscsatest.WholesalerPlace}},
		Destinations:    []epcis.Reference{{Type: "owning_party", ID: dscsatest.PharmacyPlace}, {Type: "location", ID: dscsatest.PharmacyPlace}},
	}
	err = s.timed(ctx, t, func(ctx context.Context, tx pgx.Tx) error {
		_, err := s.store.ShipTx(ctx, tx, s.tenant, postgres.Shipment{
			Saga: saga, Seller: dscsatest.Wholesaler, Buyer: dscsatest.Pharmacy,
			Document: dscsa.Document{Direction: dscsa.Sent, Format: epcis.XML12, Sender: dscsatest.Wholesaler, Receiver: dscsatest.Pharmacy, Credential: "bench", Verdict: dscsa.Accept},
			Body:     bytes.NewReader(raw), Events: []epcis.Event{out},
		}, sold)
		return err
	})
	if err != nil {
		return fmt.Errorf("ship: %w", err)
	}
	return nil
}

// update is the baseline: what is left of a change of owner without history,
// checks and documents.
func (s *stock) update(ctx context.Context, g dscsatest.Goods, t *took) error {
	keys := make([]string, g.Units)
	for i := range keys {
		keys[i] = dscsatest.Package(g.First + i)
	}
	return s.db.Do(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `
			drop table if exists bare.owner;
			create table bare.owner (key text primary key, owner text not null)`)
		if err == nil {
			_, err = conn.Exec(ctx, `insert into bare.owner select k, $2 from unnest($1::text[]) k`, keys, dscsatest.Wholesaler)
		}
		if err != nil {
			return err
		}
		return t.measure(conn.PgConn().PID(), func() error {
			_, err := conn.Exec(ctx, `update bare.owner set owner = $2 where key = any($1::text[])`, keys, dscsatest.Pharmacy)
			return err
		})
	})
}

// counted is how many statements the pool's one connection sends during fn.
func (s *stock) counted(ctx context.Context, fn func() error) (int, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	n := &statements{}
	front := conn.Conn().PgConn().Frontend()
	front.Trace(n, pgproto3.TracerOptions{SuppressTimestamps: true, RegressMode: true})
	conn.Release()
	err = fn()
	front.Untrace()
	return n.n, err
}

// statements counts those in a trace of the protocol, one line a message.
type statements struct{ n int }

func (s *statements) Write(p []byte) (int, error) {
	for _, kind := range []string{"F\tExecute\t", "F\tQuery\t"} {
		if bytes.HasPrefix(p, []byte(kind)) {
			s.n++
		}
	}
	return len(p), nil
}
