package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/recourse/recourse/dscsa"
)

// load numbers the items that the new events name, and turns the records into
// facts.
func (w *work) load(first bool) {
	for _, r := range w.fresh {
		if r.parent != "" {
			r.fact.Parent = w.number1(r.parent, r.seq, roleParent)
		}
		r.fact.Members, r.fact.Outputs = w.numbers(r.members, r.seq, r.role), w.numbers(r.outputs, r.seq, roleOutput)
		w.facts = append(w.facts, r.fact)
	}
	if len(w.p.holding) > 0 && first {
		f := dscsa.Fact{Seq: w.placed, At: w.at.UnixMicro(), Members: w.numbers(w.p.holding, 0, roleEPC), Holds: []int64{w.placed}}
		w.facts, w.named = append(w.facts, f), map[int64]bool{}
		for _, id := range f.Members {
			w.named[id] = true
		}
	}
}

// have notes an item that is stored.
func (w *work) have(i *item) {
	w.items[i.key], w.byID[i.id] = i, i
}

// item is an item by its number, nil when the batch does not know it.
func (w *work) item(id int64) *item {
	if !w.stored(id) {
		return w.made[id-w.before-1]
	}
	return w.byID[id]
}

// number1 is an item's number; a new one gets the next, and remembers the event
// that named it.
func (w *work) number1(key string, event int64, role int16) int64 {
	i := w.items[key]
	if i == nil {
		id := w.part.things[key]
		w.last++
		if len(w.room) == 0 {
			w.room = make([]item, 256)
		}
		i, w.room = &w.room[0], w.room[1:]
		*i = item{id: w.last, key: key, gtin: id.GTIN(), serial: id.Serial, firstEvent: event, firstRole: role, Standing: dscsa.Standing{State: dscsa.Unknown}}
		if i.gtin == "" && i.serial == "" {
			i.serial = id.Number
		}
		w.items[key], w.made = i, append(w.made, i)
	}
	return i.id
}

func (w *work) numbers(keys []string, event int64, role int16) []int64 {
	if len(keys) == 0 {
		return nil
	}
	out := make([]int64, len(keys))
	for i, key := range keys {
		out[i] = w.number1(key, event, role)
	}
	return out
}

// read reads what the fold needs of what is stored: the standing of the items
// named, or, when what is known must be folded again, all facts, which it folds.
func (w *work) read(ctx context.Context) ([]dscsa.Fact, error) {
	facts := w.standing()
	if w.full {
		return nil, w.refold(ctx)
	}
	return facts, w.base(ctx)
}

// fold computes where everything stands with the new facts: on top of what is
// known when they are later, from all facts when they are not.
func (w *work) fold(ctx context.Context, facts []dscsa.Fact) error {
	if w.full {
		return nil
	}
	err := w.book.Apply(facts)
	if errors.Is(err, dscsa.ErrLate) {
		return w.refold(ctx)
	}
	return err
}

// standing is the facts that move something, and notes whether what is known
// must be folded again: something is declared an error, or a document that
// must be looked at brought again what is known.
func (w *work) standing() []dscsa.Fact {
	out := make([]dscsa.Fact, 0, len(w.facts))
	for i, f := range w.facts {
		if f.Declared {
			w.full = true
			continue
		}
		wrong := false
		for _, d := range w.known.declared {
			wrong = wrong || d.hash == f.Hash || d.id == f.EventID
		}
		if !wrong {
			out = append(out, w.facts[i])
		}
	}
	if w.hold != 0 && len(w.copies) > 0 {
		w.full = true
	}
	return out
}

// base gives the book what is known of the items named, what they are in and
// what is in them.
func (w *work) base(ctx context.Context) error {
	w.book = dscsa.NewBook(len(w.items))
	named := slices.Collect(maps.Keys(w.byID))
	if len(named) > 0 {
		if err := w.settle(); err != nil {
			return err
		}
		for _, sql := range []string{sqlItemsWithin, sqlItemsAbove} {
			rows, err := w.session.items(ctx, sql, named)
			if err != nil {
				return err
			}
			for _, i := range rows {
				if w.byID[i.id] == nil {
					w.have(i)
				}
			}
		}
		if err := w.holds(ctx); err != nil {
			return err
		}
	}
	for id, i := range w.byID {
		st := i.Standing
		w.book.Put(id, &st)
	}
	return nil
}

// stored reports whether an item has a row.
func (w *work) stored(id int64) bool { return id <= w.before }

func (w *work) holds(ctx context.Context) error {
	rows, err := w.tx.Query(ctx, sqlHoldsOn, w.id, slices.Collect(maps.Keys(w.byID)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var on, hold int64
		if err := rows.Scan(&on, &hold); err != nil {
			return err
		}
		w.byID[on].Holds = append(w.byID[on].Holds, hold)
	}
	return rows.Err()
}

// refold folds all facts of what the batch concerns.
func (w *work) refold(ctx context.Context) error {
	if err := w.settle(); err != nil {
		return err
	}
	start := map[int64]bool{}
	add := func(f *dscsa.Fact) {
		if f.Parent != 0 {
			start[f.Parent] = true
		}
		for _, id := range f.Members {
			start[id] = true
		}
		for _, id := range f.Outputs {
			start[id] = true
		}
	}
	for i := range w.facts {
		add(&w.facts[i])
	}
	// What is declared wrong, and what a flagged document brought again.
	var seqs []int64
	for _, list := range w.known.byHash {
		for _, x := range list {
			if x.seq != 0 {
				seqs = append(seqs, x.seq)
			}
		}
	}
	for _, pair := range w.known.byID {
		for _, x := range pair {
			if x.seq != 0 {
				seqs = append(seqs, x.seq)
			}
		}
	}
	if len(seqs) > 0 {
		facts, err := collect(ctx, w.tx, "read events", sqlFactsBySeq, scanFact, w.id, seqs)
		if err != nil {
			return err
		}
		for i := range facts {
			add(&facts[i])
		}
	}
	from := make([]int64, 0, len(start))
	for id := range start {
		from = append(from, id)
	}
	c, err := w.gather(ctx, from, w.facts)
	if err != nil {
		return err
	}
	if w.hold != 0 {
		again := map[int64]bool{}
		for _, x := range w.copies {
			again[x.event] = true
		}
		for i := range c.facts {
			if again[c.facts[i].Seq] {
				c.facts[i].Holds = append(c.facts[i].Holds, w.hold)
			}
		}
	}
	w.book, w.only, w.cut = dscsa.Fold(c.facts), c.affected, c.affected
	var missing []int64
	for id := range c.affected {
		if w.item(id) == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		rows, err := w.session.items(ctx, sqlItemsByID, missing)
		if err != nil {
			return err
		}
		for _, i := range rows {
			w.have(i)
		}
	}
	return nil
}
