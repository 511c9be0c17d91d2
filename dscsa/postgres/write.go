package postgres

import (
	"context"
	"fmt"
	"io"
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
