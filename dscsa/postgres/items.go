package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/recourse/recourse/dscsa"
)

// projectedTogether is how many items go through the door at once: the server
// writes some while the program lays out the next.
const projectedTogether = 8_000

// project writes how the items stand now, and answers what comes under holds.
func (w *work) project(ctx context.Context) (covering, error) {
	covers := covering{placed: w.placed, named: w.named}
	list := w.written()
	w.out.Affected = len(list)
	for some := range slices.Chunk(list, projectedTogether) {
		if err := w.send(ctx, doorProject, w.projectArguments(some, &covers)...); err != nil {
			return covers, err
		}
	}
	return covers, nil
}

func (w *work) projectArguments(list []*item, covers *covering) [][]byte {
	n := len(list)
	names := dictionary{places: map[string]int32{}, texts: newArray(oidText, 256)}
	ids, keys, gtins, serials := newArray(oidInt8, 12*n), newArray(oidText, 40*n), newArray(oidInt4, 8*n), newArray(oidText, 20*n)
	first, firstRole := newArray(oidInt8, 12*n), newArray(oidInt2, 6*n)
	at, last, parent, made := newArray(oidTime, 12*n), newArray(oidInt8, 12*n), newArray(oidInt8, 12*n), newArray(oidInt8, 12*n)
	conflict, why, hops, hop := newArray(oidInt8, 4*n), newArray(oidInt4, 8*n), newArray(oidInt4, 8*n), newArray(oidInt4, 8*n)
	lots, expiry, states, blocked := newArray(oidInt4, 8*n), newArray(oidDate, 8*n), newArray(oidInt4, 8*n), newArray(oidInt4, 8*n)
	owners, sure, holders, places := newArray(oidInt4, 8*n), newArray(oidBool, 5*n), newArray(oidInt4, 8*n), newArray(oidInt4, 8*n)
	kitem, kkeep := newArray(oidInt8, 0), newArray(oidInt4, 0)
	hitem, hn, hevent, hat := newArray(oidInt8, 12*n), newArray(oidInt4, 8*n), newArray(oidInt8, 12*n), newArray(oidTime, 12*n)
	hfrom, hto := newArray(oidInt4, 8*n), newArray(oidInt4, 8*n)
	for _, i := range list {
		st := w.book.Of(i.id)
		if st == nil {
			st = &dscsa.Standing{State: dscsa.Unknown}
		}
		ids.int64(i.id)
		if w.stored(i.id) {
			keys.null()
			gtins.null()
			serials.null()
		} else {
			keys.text(i.key)
			gtins.int32(names.place(aboutGTIN, i.gtin))
			serials.text(i.serial)
		}
		first.id(i.firstEvent)
		firstRole.int16(i.firstRole)
		if st.LastEvent == 0 {
			at.null()
		} else {
			at.micros(st.LastAt)
		}
		last.id(st.LastEvent)
		parent.id(st.Parent)
		made.id(st.Commissioned)
		conflict.id(st.Conflict)
		why.int32(names.place(aboutConflict, st.ConflictWhy))
		hops.int32(st.Hops)
		lots.int32(names.place(aboutLot, st.Lot))
		expiry.date(st.Expiry)
		states.int32(names.place(aboutState, string(st.State)))
		blocked.int32(names.place(aboutBlocked, st.Blocked))
		owners.int32(names.place(aboutOwner, st.Owner))
		sure.bool(st.OwnerSure)
		holders.int32(names.place(aboutHolder, st.Holder))
		places.int32(names.place(aboutPlace, st.Location))
		if w.cut[i.id] && i.Hops > 0 {
			kitem.int64(i.id)
			kkeep.int32(0)
		}
		for _, h := range st.Fresh {
			hitem.int64(i.id)
			hn.int32(h.Number)
			hevent.int64(h.Event)
			hat.micros(h.At.UnixMicro())
			hfrom.int32(names.place(aboutFrom, h.From))
			hto.int32(names.place(aboutTo, h.To))
		}
		if len(st.Fresh) > 0 {
			hop.int32(int32(hitem.n))
		} else {
			hop.int32(0)
		}
		covers.add(i, st.Holds)
		if st.Conflict != 0 && st.Conflict != i.Conflict {
			x := *i
			x.Standing = *st
			w.out.Conflicts = append(w.out.Conflicts, x.unit())
		}
	}
	return [][]byte{
		w.tenant[:], int32Param(w.id), int64Param(w.seq), names.texts.param(), ids.param(), keys.param(), gtins.param(), serials.param(),
		first.param(), firstRole.param(), at.param(), last.param(), parent.param(), made.param(), conflict.param(), why.param(), hops.param(),
		hop.param(), lots.param(), expiry.param(), states.param(), blocked.param(), owners.param(), sure.param(), holders.param(), places.param(),
		kitem.param(), kkeep.param(), hitem.param(), hn.param(), hevent.param(), hat.param(), hfrom.param(), hto.param(),
	}
}

// dictionary is texts that many items share, given once.
type dictionary struct {
	places map[string]int32
	texts  *array
	last   [abouts]struct { // most say what the item before said of the same
		text string
		at   int32
	}
}

// What a text of an item is about.
const (
	aboutGTIN = iota
	aboutConflict
	aboutLot
	aboutState
	aboutBlocked
	aboutOwner
	aboutHolder
	aboutPlace
	aboutFrom
	aboutTo
	abouts
)

func (d *dictionary) place(about int, s string) int32 {
	last := &d.last[about]
	if last.at != 0 && last.text == s {
		return last.at
	}
	n, ok := d.places[s]
	if !ok {
		d.texts.text(s)
		n = int32(d.texts.n)
		d.places[s] = n
	}
	last.text, last.at = s, n
	return n
}

// written is the items whose rows are to be written, in order.
func (w *work) written() []*item {
	var changed []*item
	for id, i := range w.byID {
		if w.only[id] {
			changed = append(changed, i)
		}
	}
	if w.only == nil {
		w.book.Changed(func(id int64, _ *dscsa.Standing) {
			if w.stored(id) {
				changed = append(changed, w.byID[id])
			}
		})
	}
	slices.SortFunc(changed, func(a, b *item) int { return cmp.Compare(a.id, b.id) })
	return append(changed, w.made...)
}

// covering is items that come under holds.
type covering struct {
	holds, items []int64
	direct       []bool

	placed int64          // the batch's own hold
	named  map[int64]bool // what it was placed on
}

// add puts an item under the holds that did not cover it.
func (c *covering) add(i *item, holds []int64) {
	for _, h := range holds {
		have := false
		for _, x := range i.Holds {
			have = have || x == h
		}
		if !have {
			c.holds, c.items, c.direct = append(c.holds, h), append(c.items, i.id), append(c.direct, h == c.placed && c.named[i.id])
		}
	}
}

func (s *session) cover(ctx context.Context, c covering) error {
	if len(c.items) == 0 {
		return nil
	}
	if _, err := s.tx.Exec(ctx, sqlCover, s.tenant, s.id, c.holds, c.items, c.direct); err != nil {
		return fmt.Errorf("custody.cover: %w", err)
	}
	return nil
}
