package postgres

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/recourse/recourse/dscsa"
)

// partSize is how much of a document one row holds.
const partSize = 4 << 20

// write passes the doors with what goes with the facts: the document's bytes,
// what follows from the facts, and the holds that cover more for it. While the
// server writes facts and bytes, what follows is computed.
func (w *work) write(ctx context.Context) error {
	facts, err := w.read(ctx)
	if err != nil {
		return err
	}
	if err := w.putParts(ctx); err != nil {
		return err
	}
	if err := w.fold(ctx, facts); err != nil {
		return err
	}
	covers, err := w.project(ctx)
	if err != nil {
		return err
	}
	held := w.p.document != nil && w.hold != 0
	if !held && w.p.order == nil && len(covers.items) == 0 {
		return nil
	}
	if err := w.settle(); err != nil {
		return err
	}
	if held {
		if err := w.placeHold(ctx, w.hold, dscsa.Flagged, "", "", w.doc); err != nil {
			return err
		}
	}
	if o := w.p.order; o != nil {
		if err := w.placeHold(ctx, w.placed, o.Class, o.GTIN, o.Lot, o.Document); err != nil {
			return err
		}
	}
	return w.cover(ctx, covers)
}

func (s *session) placeHold(ctx context.Context, seq int64, class dscsa.HoldClass, gtin, lot string, document int64) error {
	var doc *int64
	if document != 0 {
		doc = &document
	}
	if _, err := s.tx.Exec(ctx, sqlPlaceHold, s.tenant, s.id, seq, string(class), gtin, lot, doc); err != nil {
		return fmt.Errorf("custody.place_hold: %w", err)
	}
	return nil
}

func (w *work) appendArguments(e *entries, first bool) [][]byte {
	n := len(e.kinds)
	kinds, contents, hashes := newArray(oidInt2, 6*n), newArray(oidBytea, 36*n), newArray(oidBytea, 36*n)
	for i := range e.kinds {
		kinds.int16(e.kinds[i])
		contents.bytes(e.contents[i][:])
		hashes.bytes(e.hashes[i][:])
	}
	args := [][]byte{
		w.tenant[:], int32Param(w.id), int64Param(w.seq), w.hash[:], timeParam(w.at), kinds.param(), contents.param(), hashes.param(),
	}
	args = append(args, w.documentArguments(first)...)
	args = append(args, w.eventArguments()...)
	return append(args, w.linkArguments()...)
}

// documentArguments are d_* and c_*.
func (w *work) documentArguments(first bool) [][]byte {
	place, sha, size := newArray(oidInt4, 8), newArray(oidBytea, 36), newArray(oidInt8, 12)
	texts := make([]*array, 8)
	for i := range texts {
		texts[i] = newArray(oidText, 64)
	}
	cplace, cbody := newArray(oidInt4, 8), newArray(oidBytea, 64)
	ctexts := [3]*array{newArray(oidText, 16), newArray(oidText, 16), newArray(oidText, 64)}
	if d := w.p.document; d != nil && first {
		place.int32(1)
		sha.bytes(d.SHA256[:])
		size.int64(d.Size)
		for i, t := range [...]string{string(d.Direction), string(d.Format), d.Sender, d.Receiver, d.Credential, d.Saga, string(d.Verdict), d.Findings} {
			if i == 5 {
				texts[i].optionalText(t)
			} else {
				texts[i].text(t)
			}
		}
	}
	decided := w.decided
	if !first {
		decided = nil
	}
	for _, c := range decided {
		cplace.int32(c.place)
		cbody.bytes(c.body)
		for i, t := range [...]string{c.kind, c.actor, c.reason} {
			ctexts[i].text(t)
		}
	}
	args := [][]byte{place.param(), sha.param(), size.param()}
	for _, t := range texts {
		args = append(args, t.param())
	}
	return append(args, cplace.param(), ctexts[0].param(), ctexts[1].param(), ctexts[2].param(), cbody.param())
}

// eventArguments are v_*.
func (w *work) eventArguments() [][]byte {
	n := len(w.fresh)
	named, raw, ids := 0, 0, 0 // bytes: copying what has outgrown its room costs as much as all else here
	for _, r := range w.fresh {
		named, raw, ids = named+8*len(r.fact.Members), raw+len(r.body), ids+len(r.eventID)
	}
	place, document, ordinal := newArray(oidInt4, 8*n), newArray(oidInt8, 12*n), newArray(oidInt4, 8*n)
	at, declared := newArray(oidTime, 12*n), newArray(oidBool, 5*n)
	texts := make([]*array, 13) // type to lot
	for i := range texts {
		texts[i] = newArray(oidText, 20*n)
	}
	texts[4] = newArray(oidText, 4*n+ids)
	expiry, xform, hash, parent := newArray(oidDate, 8*n), newArray(oidText, 4*n), newArray(oidBytea, 36*n), newArray(oidInt8, 12*n)
	members, outputs, bodies := newArray(oidBytea, 4*n+named), newArray(oidBytea, 4*n), newArray(oidBytea, 4*n+raw)
	for _, r := range w.fresh {
		f := &r.fact
		place.int32(int32(r.seq - w.seq))
		document.int64(w.doc)
		ordinal.int32(r.ordinal)
		at.micros(f.At)
		declared.bool(f.Declared)
		for i, t := range [...]string{
			string(f.Type), string(f.Action), f.BizStep, f.Disposition, r.eventID, r.read, r.location, f.SourceOwner, f.DestOwner, f.DestHolder,
			f.DestLocation, packDispositions(f.Set, f.Unset), f.Lot,
		} {
			texts[i].text(t)
		}
		expiry.date(f.Expiry)
		xform.text(r.xform)
		hash.bytes(f.Hash[:])
		parent.id(f.Parent)
		members.bytes(packed(f.Members))
		outputs.bytes(packed(f.Outputs))
		bodies.bytes(r.body)
	}
	args := [][]byte{place.param(), document.param(), ordinal.param(), at.param(), declared.param()}
	for _, t := range texts {
		args = append(args, t.param())
	}
	return append(args, expiry.param(), xform.param(), hash.param(), parent.param(), members.param(), outputs.param(), bodies.param())
}

// linkArguments are x_*, r_*, q_* and a_*.
func (w *work) linkArguments() [][]byte {
	n := 0
	for _, r := range w.fresh {
		n += 1 + len(r.fact.Members) + len(r.fact.Outputs)
	}
	seen := map[int64]bool{}
	xevent, xitem, xrole := newArray(oidInt8, 12*n), newArray(oidInt8, 12*n), newArray(oidInt2, 6*n)
	revent, rkind, rtype, rref := newArray(oidInt8, 0), newArray(oidInt2, 0), newArray(oidText, 0), newArray(oidText, 0)
	qevent, qrole, qplace := newArray(oidInt8, 0), newArray(oidInt2, 0), newArray(oidInt4, 0)
	qclass, qamount, quom := newArray(oidText, 0), newArray(oidText, 0), newArray(oidText, 0)
	for _, r := range w.fresh {
		named := func(ids []int64, role int16) {
			for _, id := range ids {
				if i := w.item(id); i.firstEvent == r.seq && i.firstRole == role {
					continue // it stands on the item
				}
				if seen[id] {
					continue // named twice in one list
				}
				seen[id] = true
				xevent.int64(r.seq)
				xitem.int64(id)
				xrole.int16(role)
			}
			clear(seen)
		}
		if r.fact.Parent != 0 {
			named([]int64{r.fact.Parent}, roleParent)
		}
		named(r.fact.Members, r.role)
		named(r.fact.Outputs, roleOutput)
		for _, x := range r.refs {
			revent.int64(r.seq)
			rkind.int16(x.kind)
			rtype.text(x.typ)
			rref.text(x.target)
		}
		for _, q := range r.classes {
			qevent.int64(r.seq)
			qrole.int16(q.role)
			qplace.int32(q.place)
			qclass.text(q.key)
			if _, err := strconv.ParseFloat(q.amount, 64); err != nil {
				qamount.null()
			} else {
				qamount.text(q.amount)
			}
			quom.text(q.uom)
		}
	}
	aevent, adocument, aordinal := newArray(oidInt8, 0), newArray(oidInt8, 0), newArray(oidInt4, 0)
	if w.doc != 0 {
		for _, c := range w.copies[w.told:] {
			aevent.int64(c.event)
			adocument.int64(w.doc)
			aordinal.int32(c.ordinal)
		}
	}
	return [][]byte{
		xevent.param(), xitem.param(), xrole.param(), revent.param(), rkind.param(), rtype.param(), rref.param(),
		qevent.param(), qrole.param(), qplace.param(), qclass.param(), qamount.param(), quom.param(),
		aevent.param(), adocument.param(), aordinal.param(),
	}
}

// putParts stores the document's bytes.
func (w *work) putParts(ctx context.Context) error {
	if w.p.document == nil {
		return nil
	}
	buf := make([]byte, min(partSize, w.p.document.Size))
	for part := int32(0); ; part++ {
		n, err := io.ReadFull(w.p.body, buf)
		if n > 0 {
			if err := w.send(ctx, doorPutPart, w.tenant[:], int32Param(w.id), int64Param(w.doc), int32Param(part), buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the document: %w", err)
		}
	}
}

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

// retain says from when on a record is kept.
func (s *session) retain(ctx context.Context, subject int64, class string, from time.Time) error {
	var date *time.Time
	if !from.IsZero() {
		date = &from
	}
	if _, err := s.tx.Exec(ctx, sqlRetain, s.tenant, s.id, subject, class, date); err != nil {
		return fmt.Errorf("custody.retain: %w", err)
	}
	return nil
}
