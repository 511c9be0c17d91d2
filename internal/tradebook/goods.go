package tradebook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook/internal/tradequeries"
)

// Goods implements activities.TradeBook: one snapshot, five queries, however
// many packages there are.
func (b *Book) Goods(ctx context.Context, tenant uuid.UUID, saga string) (g activities.Goods, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		reserved, err := b.custody.ReservedTx(ctx, tx, tenant, saga)
		if err != nil {
			return err
		}
		r := reading{ctx: ctx, q: tradequeries.New(tx), tx: tx, tenant: tenant}
		g, err = r.goods(reserved)
		return err
	})
	return g, err
}

// reading is one snapshot being read.
type reading struct {
	ctx    context.Context //nolint:containedctx // it lives for one transaction
	q      *tradequeries.Queries
	tx     pgx.Tx
	tenant uuid.UUID
	chain  int32
}

// origin is when and where something was made or packed.
type origin struct {
	at    time.Time
	place string // GLN
}

func (r *reading) goods(reserved dscsa.Reservation) (g activities.Goods, err error) {
	if r.chain, err = r.q.Chain(r.ctx, r.tenant); err != nil {
		return g, fmt.Errorf("read the chain of custody: %w", err)
	}
	units, named := ids(reserved.Units), ids(reserved.Named)
	made, err := r.q.Made(r.ctx, tradequeries.MadeParams{ChainID: r.chain, Items: units})
	if err != nil {
		return g, fmt.Errorf("read when the units were made: %w", err)
	}
	born := map[int64]origin{}
	for _, m := range made {
		born[m.Item] = origin{m.EventTime, glnOf(m.ReadPoint)}
	}
	epcs := map[int64]string{}
	inNamed := map[int64]bool{}
	for _, u := range reserved.Named {
		g.Shipped = append(g.Shipped, t3.EPC(u.Key))
		inNamed[u.ID] = true
	}
	if err := r.containers(&g, units, named, inNamed); err != nil {
		return g, err
	}
	known := map[string]bool{}
	for _, c := range g.Containers {
		known[c.EPC] = true
	}
	for _, u := range reserved.Units {
		epcs[u.ID] = t3.EPC(u.Key)
		unit := t3.Unit{EPC: epcs[u.ID], GTIN: u.GTIN, Lot: u.Lot, Commissioned: born[u.ID].at, At: born[u.ID].place}
		if !u.Expiry.IsZero() {
			unit.Expiry = u.Expiry.Format(time.DateOnly)
		}
		if parent := t3.EPC(u.Parent); u.Parent != "" && !inNamed[u.ID] && known[parent] {
			unit.Parent = parent
		}
		g.Units = append(g.Units, unit)
	}
	return g, r.history(&g, units, epcs)
}

// containers are what the units are in, up to what was named.
func (r *reading) containers(g *activities.Goods, units, named []int64, isNamed map[int64]bool) error {
	rows, err := r.q.Ancestors(r.ctx, tradequeries.AncestorsParams{ChainID: r.chain, Units: units, Named: named})
	if err != nil {
		return fmt.Errorf("read what the units are in: %w", err)
	}
	// A package that was named by itself is taken out of what it is in, so only
	// what is inside something named counts.
	inside := map[int64]bool{}
	parent := map[int64]int64{}
	key := map[int64]string{}
	for _, row := range rows {
		key[row.ID] = row.Key
		if row.Parent != nil {
			parent[row.ID] = *row.Parent
		}
		inside[row.ID] = isNamed[row.ID]
	}
	for range rows {
		for _, row := range rows {
			inside[row.ID] = inside[row.ID] || inside[parent[row.ID]]
		}
	}
	var boxes []int64
	for _, row := range rows {
		if inside[row.ID] {
			boxes = append(boxes, row.ID)
		}
	}
	packed, err := r.q.Packed(r.ctx, tradequeries.PackedParams{ChainID: r.chain, Items: boxes})
	if err != nil {
		return fmt.Errorf("read when the units were packed: %w", err)
	}
	when := map[int64]origin{}
	for _, p := range packed {
		when[p.Item] = origin{p.EventTime, glnOf(p.ReadPoint)}
	}
	for _, id := range boxes {
		c := t3.Container{EPC: t3.EPC(key[id]), Packed: when[id].at, At: when[id].place}
		if !isNamed[id] && inside[parent[id]] {
			c.Parent = t3.EPC(key[parent[id]])
		}
		g.Containers = append(g.Containers, c)
	}
	return nil
}

// history is the chain of ownership of the units.
func (r *reading) history(g *activities.Goods, units []int64, epcs map[int64]string) error {
	hops, err := r.q.Hops(r.ctx, tradequeries.HopsParams{ChainID: r.chain, Items: units})
	if err != nil {
		return fmt.Errorf("read who owned the units: %w", err)
	}
	parties := map[string]t3.Party{}
	party := func(gln string) (t3.Party, error) {
		if p, ok := parties[gln]; ok {
			return p, nil
		}
		p, err := PartnerTx(r.ctx, r.tx, r.tenant, gln)
		if err != nil && !errors.Is(err, activities.ErrNoPartner) {
			return t3.Party{}, err
		}
		parties[gln] = t3.Party{Name: p.Name, GLN: gln, Role: p.Role, Address: p.Address}
		return parties[gln], nil
	}
	for _, h := range hops {
		seller, err := party(h.FromOwner)
		if err != nil {
			return err
		}
		buyer, err := party(h.ToOwner)
		if err != nil {
			return err
		}
		prior := t3.Prior{At: h.At.UTC(), Seller: seller, Buyer: buyer}
		for _, item := range h.Items {
			prior.EPCs = append(prior.EPCs, epcs[item])
		}
		slices.Sort(prior.EPCs)
		g.History = append(g.History, prior)
	}
	return nil
}

func ids(units []dscsa.Unit) []int64 {
	out := make([]int64, len(units))
	for i, u := range units {
		out[i] = u.ID
	}
	return out
}

// glnOf is the GLN in a place's key, "" when it has none.
func glnOf(key string) string {
	id, err := gs1.ParseKey(key)
	if err != nil {
		return ""
	}
	return id.GLN()
}
