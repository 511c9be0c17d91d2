package postgres

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
)

// knowledge is what is stored under the ids and contents of a batch.
type knowledge struct {
	byID     map[string][2]known // by id: the event, and its error declaration
	byHash   map[[32]byte][]known
	declared []known // error declarations among them
}

type known struct {
	seq      int64
	hash     [32]byte
	id       string
	declared bool
}

// ask asks what is known of the events of a part and of what they name.
func (w *work) ask(ctx context.Context, p *part) error {
	n := len(p.records)
	hashes, ids, keys := newArray(oidBytea, 36*n), newArray(oidText, 100*n), newArray(oidText, 40*len(p.things))
	for _, r := range p.records {
		hashes.bytes(r.fact.Hash[:])
		ids.text(r.eventID)
	}
	for key := range p.things {
		if w.items[key] == nil {
			keys.text(key)
		}
	}
	if err := w.send(ctx, lookEvents, int32Param(w.id), hashes.param(), ids.param()); err != nil {
		return err
	}
	if err := w.send(ctx, lookItems, int32Param(w.id), keys.param()); err != nil {
		return err
	}
	return w.urge()
}

// learn takes what has been asked first.
func (w *work) learn() error {
	rows, err := w.answer(lookEvents)
	if err != nil {
		return err
	}
	events, err := scanned("look for events", rows, func(rows pgx.Rows) (known, error) {
		var x known
		var hash []byte
		err := rows.Scan(&x.seq, &hash, &x.id, &x.declared)
		copy(x.hash[:], hash)
		return x, err
	})
	if err != nil {
		return err
	}
	for _, x := range events {
		if x.seq <= w.start { // else it is of this batch, and noted
			w.known.add(x)
		}
	}
	if rows, err = w.answer(lookItems); err != nil {
		return err
	}
	items, err := scanned("read items", rows, scanItem)
	if err != nil {
		return err
	}
	for _, i := range items {
		if w.items[i.key] == nil {
			w.have(i)
		}
	}
	return nil
}

// tellApart sorts the events of the part: new ones, those that are there
// already, and those whose id is another's.
func (w *work) tellApart() {
	k := w.known
	w.fresh = nil
	for _, r := range w.part.records {
		x, reused := k.find(r)
		switch {
		case reused:
			w.out.Reused = append(w.out.Reused, Reuse{Ordinal: int(r.ordinal), EventID: r.eventID})
		case x == nil:
			k.add(known{hash: r.fact.Hash, id: r.eventID, declared: r.fact.Declared})
			w.fresh = append(w.fresh, r)
			w.out.Stored++
			w.out.First = cmp.Or(w.out.First, r.eventID)
		default:
			w.out.First = cmp.Or(w.out.First, x.id)
			w.out.Resent++
			if x.seq != 0 {
				w.copies = append(w.copies, copied{event: x.seq, ordinal: r.ordinal})
			}
		}
	}
}

func (k *knowledge) add(x known) {
	pair := k.byID[x.id]
	pair[index(x.declared)] = known{seq: x.seq, hash: x.hash, id: x.id, declared: x.declared}
	k.byID[x.id] = pair
	k.byHash[x.hash] = append(k.byHash[x.hash], x)
	if x.declared {
		k.declared = append(k.declared, x)
	}
}

// find is the event that a record repeats: the same content under the same id,
// or where one of the two came without an id. reused: the id is another's.
func (k *knowledge) find(r *record) (x *known, reused bool) {
	if pair, ok := k.byID[r.eventID]; ok {
		if have := pair[index(r.fact.Declared)]; have.id != "" {
			return &have, have.hash != r.fact.Hash
		}
	}
	for _, have := range k.byHash[r.fact.Hash] {
		if have.declared == r.fact.Declared && (!r.given || have.id == madeID(have.hash)) {
			return &have, false
		}
	}
	return nil, false
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}
