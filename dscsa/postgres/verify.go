package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/pgtenant"
)

// Fault is the first thing wrong with a tenant's custody.
type Fault struct {
	Seq  int64  // of the entry; 0: what is derived is wrong
	Item string // key of the item whose standing is not what the facts say
	What string
}

func (f *Fault) Error() string {
	if f.Item != "" {
		return "item " + f.Item + ": " + f.What
	}
	return fmt.Sprintf("entry %d: %s", f.Seq, f.What)
}

// Verified says what has been proved.
type Verified struct {
	Entries int64 // which is the last sequence
	Hash    [32]byte
	Items   int64
}

const verifiedTogether = 500

// Verify proves a tenant's custody again from the facts: every entry follows
// the one before it, every document, event and decision says what its entry
// covers, what stands beside an event is in it, and every item stands, and has
// changed owners, as all facts say. The error is a *Fault, naming the first
// entry or item that is wrong, or the database's. Its memory does not grow
// with the chain.
func (st *Store) Verify(ctx context.Context, tenant uuid.UUID) (out Verified, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil || s.id == 0 {
			return err
		}
		if out.Entries, out.Hash, err = s.verifyChain(ctx); err != nil {
			return err
		}
		out.Items, err = s.verifyItems(ctx)
		return err
	})
	return out, err
}

// verified is an entry with what it is of.
type verified struct {
	seq              int64
	at               time.Time
	kind             int16
	content, hash    []byte
	document         pgtype.Int8
	ordinal          pgtype.Int4
	eventHash, body  []byte
	sha              []byte
	size             pgtype.Int8
	doc              [8]pgtype.Text
	decided          [3]pgtype.Text
	decision         []byte
	eventAt          pgtype.Timestamptz
	beside           [13]pgtype.Text
	expiry           pgtype.Date
	declared         pgtype.Bool
	parent           pgtype.Int8
	members, outputs []byte
}

func scanVerified(rows pgx.Rows) (v *verified, err error) {
	v = &verified{}
	into := []any{&v.seq, &v.at, &v.kind, &v.content, &v.hash, &v.document, &v.ordinal, &v.eventHash, &v.body, &v.sha, &v.size}
	for i := range v.doc {
		into = append(into, &v.doc[i])
	}
	for i := range v.decided {
		into = append(into, &v.decided[i])
	}
	into = append(into, &v.decision, &v.eventAt)
	for i := range v.beside {
		into = append(into, &v.beside[i])
	}
	return v, rows.Scan(append(into, &v.expiry, &v.declared, &v.parent, &v.members, &v.outputs)...)
}

func (s *session) verifyChain(ctx context.Context) (seq int64, prev [32]byte, err error) {
	var begin []byte
	if err := s.tx.QueryRow(ctx, sqlGenesis, s.tenant).Scan(&begin); err != nil {
		return 0, prev, fmt.Errorf("read the chain: %w", err)
	}
	prev = genesis(s.tenant)
	if !slices.Equal(begin, prev[:]) {
		return 0, prev, &Fault{Seq: 1, What: "the chain does not begin as this tenant's does"}
	}
	var buf [85]byte
	at := time.Time{}
	for {
		page, err := collect(ctx, s.tx, "read the chain", sqlVerifyEntries, scanVerified, s.id, seq, verifiedTogether)
		if err != nil {
			return seq, prev, err
		}
		for _, v := range page {
			if v.seq != seq+1 {
				return seq, prev, &Fault{Seq: seq + 1, What: "it is missing"}
			}
			if v.at.Before(at) {
				return seq, prev, &Fault{Seq: v.seq, What: "it is older than the one before it"}
			}
			content, what := v.says()
			if what == "" && !slices.Equal(content[:], v.content) {
				what = "it covers something else than what is recorded under it"
			}
			next := entryHash(&buf, prev, v.seq, v.at, v.kind, content)
			if what == "" && !slices.Equal(next[:], v.hash) {
				what = "its hash does not follow from the one before it"
			}
			if what != "" {
				return seq, prev, &Fault{Seq: v.seq, What: what}
			}
			if v.kind == kindDocument {
				if err := s.verifyParts(ctx, v); err != nil {
					return seq, prev, err
				}
			}
			seq, prev, at = v.seq, next, v.at
			if err := s.grow(ctx, next); err != nil {
				return seq, prev, err
			}
		}
		if err := s.verifyNames(ctx, page); err != nil {
			return seq, prev, err
		}
		if len(page) < verifiedTogether {
			break
		}
	}
	if seq != s.seq || prev != s.hash {
		return seq, prev, &Fault{Seq: min(seq, s.seq) + 1, What: fmt.Sprintf("the chain ends at %d and its head is at %d", seq, s.seq)}
	}
	return seq, prev, nil
}

// says is the content of what is recorded under an entry.
func (v *verified) says() (content [32]byte, what string) {
	switch {
	case v.kind == kindEvent && v.body != nil && len(v.eventHash) == 32:
		return eventContent(v.document.Int64, v.ordinal.Int32, [32]byte(v.eventHash), v.body), ""
	case v.kind == kindDocument && len(v.sha) == 32:
		d := v.asDocument()
		return documentContent(&d), ""
	case v.kind == kindDecision && v.decision != nil:
		return decisionContent(&decision{kind: v.decided[0].String, actor: v.decided[1].String, reason: v.decided[2].String, body: v.decision}), ""
	}
	return content, "what it is of is missing"
}

func (v *verified) asDocument() dscsa.Document {
	return dscsa.Document{
		SHA256: [32]byte(v.sha), Size: v.size.Int64, Direction: dscsa.Direction(v.doc[0].String), Format: epcis.Format(v.doc[1].String),
		Sender: v.doc[2].String, Receiver: v.doc[3].String, Credential: v.doc[4].String, Saga: v.doc[5].String,
		Verdict: dscsa.Verdict(v.doc[6].String), Findings: v.doc[7].String,
	}
}

// verifyParts holds a document's bytes, unless their time is over and they are
// gone, against its hash.
func (s *session) verifyParts(ctx context.Context, v *verified) error {
	h := sha256.New()
	n := int64(0)
	for part := int32(0); ; part++ {
		var raw []byte
		err := s.tx.QueryRow(ctx, sqlDocumentPart, s.id, v.seq, part).Scan(&raw)
		if errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if err != nil {
			return fmt.Errorf("read a document: %w", err)
		}
		h.Write(raw)
		n += int64(len(raw))
	}
	if n == 0 {
		var over bool
		if err := s.tx.QueryRow(ctx, sqlTimeWasOver, s.id, v.seq).Scan(&over); err != nil {
			return fmt.Errorf("read how long a document is kept: %w", err)
		}
		if !over {
			return &Fault{Seq: v.seq, What: "the document's bytes are gone before their time"}
		}
		return nil
	}
	if n != v.size.Int64 || !slices.Equal(h.Sum(nil), v.sha) {
		return &Fault{Seq: v.seq, What: "the document's bytes are not those it came with"}
	}
	return nil
}

// verifyNames holds what stands beside events against their bodies.
func (s *session) verifyNames(ctx context.Context, page []*verified) error {
	var ids []int64
	for _, v := range page {
		ids = append(append(append(ids, v.parent.Int64), unpacked(v.members)...), unpacked(v.outputs)...)
	}
	slices.Sort(ids)
	keys, err := s.keys(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	names := func(raw []byte) (out []string) {
		for _, id := range unpacked(raw) {
			out = append(out, keys[id])
		}
		return out
	}
	for _, v := range page {
		if v.kind != kindEvent {
			continue
		}
		e, err := decodeEvent(v.body)
		if err != nil {
			return &Fault{Seq: v.seq, What: err.Error()}
		}
		var r record
		hash, err := eventHash(epcis.Hash(&e))
		if err == nil {
			err = r.make(&e, v.ordinal.Int32, hash, things{})
		}
		if err != nil {
			return &Fault{Seq: v.seq, What: err.Error()}
		}
		f := &r.fact
		want := [13]string{
			string(f.Type), string(f.Action), f.BizStep, f.Disposition, r.eventID, r.read, r.location, f.SourceOwner, f.DestOwner, f.DestHolder,
			f.DestLocation, packDispositions(f.Set, f.Unset), f.Lot,
		}
		same := f.At == v.eventAt.Time.UnixMicro() && f.Declared == v.declared.Bool && f.Expiry.Equal(v.expiry.Time) && slices.Equal(f.Hash[:], v.eventHash) &&
			keys[v.parent.Int64] == r.parent && slices.Equal(names(v.members), r.members) && slices.Equal(names(v.outputs), r.outputs)
		for i := range want {
			same = same && want[i] == v.beside[i].String
		}
		if !same {
			return &Fault{Seq: v.seq, What: "what stands beside the event is not what it says"}
		}
	}
	return nil
}

func (s *session) verifyItems(ctx context.Context) (n int64, err error) {
	for last := int64(0); ; {
		page, err := collect(ctx, s.tx, "read items", sqlVerifyItems, scanItem, s.id, last, verifiedTogether)
		if err != nil || len(page) == 0 {
			return n, err
		}
		ids := make([]int64, len(page))
		for i, x := range page {
			ids[i] = x.id
		}
		c, err := s.gather(ctx, ids, nil)
		if err != nil {
			return n, err
		}
		book := dscsa.Fold(c.facts)
		hops, err := s.hopsOf(ctx, ids)
		if err != nil {
			return n, err
		}
		for _, x := range page {
			want := book.Of(x.id)
			if want == nil {
				want = &dscsa.Standing{State: dscsa.Unknown}
			}
			if !x.Equal(want) {
				return n, &Fault{Item: x.key, What: "it does not stand as the facts say"}
			}
			if !slices.EqualFunc(hops[x.id], want.Fresh, func(a, b dscsa.Hop) bool { return a == b }) {
				return n, &Fault{Item: x.key, What: "its changes of owner are not those the facts say"}
			}
			n++
		}
		last = page[len(page)-1].id
	}
}

func (s *session) hopsOf(ctx context.Context, ids []int64) (map[int64][]dscsa.Hop, error) {
	out := map[int64][]dscsa.Hop{}
	_, err := collect(ctx, s.tx, "read hops", sqlVerifyHops, func(rows pgx.Rows) (struct{}, error) {
		var id int64
		var h dscsa.Hop
		err := rows.Scan(&id, &h.Number, &h.From, &h.To, &h.At, &h.Event)
		h.At = h.At.UTC()
		out[id] = append(out[id], h)
		return struct{}{}, err
	}, s.id, ids)
	return out, err
}
