package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/pgtenant"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

var sqlEntryHash = statement("queries/entry_hash")

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
		v := newVerifier(s)
		if err := v.chain(ctx); err != nil {
			return err
		}
		out.Entries, out.Hash = v.at.Seq, [32]byte(v.at.Hash)
		err = v.items(ctx)
		out.Items = v.at.Items
		return err
	})
	return out, err
}

// verifier proves one tenant's custody again, from where it stands.
type verifier struct {
	*session

	at    verifiedTo
	tree  *sealpg.Check                   // while an audit holds the chain against what was sealed; else nil
	mark  func(ctx context.Context) error // called after each page, when at may be kept
	purge struct {                        // the last decision that was asked what is gone by it
		seq  int64
		says map[int64]string
	}
}

// verifiedTo is all that is carried from one page to the next.
type verifiedTo struct {
	Seq    int64  `json:"seq"` // entries up to here
	Time   int64  `json:"at"`  // the last one's, microseconds since 1970
	Hash   []byte `json:"hash"`
	Item   int64  `json:"item"` // items up to here
	Items  int64  `json:"items"`
	Purged int64  `json:"purged"` // documents whose bytes are gone, as an entry says
}

func newVerifier(s *session) *verifier {
	begin := genesis(s.tenant)
	return &verifier{session: s, at: verifiedTo{Hash: begin[:], Time: math.MinInt64}, mark: func(context.Context) error { return nil }}
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

func (v *verifier) chain(ctx context.Context) error {
	if err := v.goOn(ctx); err != nil {
		return err
	}
	var buf [85]byte
	for {
		page, err := collect(ctx, v.tx, "read the chain", sqlVerifyEntries, scanVerified, v.id, v.at.Seq, verifiedTogether)
		if err != nil {
			return err
		}
		for _, e := range page {
			next, err := v.entry(ctx, &buf, e)
			if err != nil {
				return err
			}
			v.at.Seq, v.at.Hash, v.at.Time = e.seq, next[:], e.at.UnixMicro()
			if v.tree != nil {
				v.tree.Append(next)
				if err := v.tree.Grow(ctx); err != nil {
					return err
				}
			}
		}
		if err := v.names(ctx, page); err != nil {
			return err
		}
		if err := v.mark(ctx); err != nil {
			return err
		}
		if len(page) < verifiedTogether {
			break
		}
	}
	if v.at.Seq != v.seq || !bytes.Equal(v.at.Hash, v.hash[:]) {
		return &Fault{Seq: min(v.at.Seq, v.seq) + 1, What: fmt.Sprintf("the chain ends at %d and its head is at %d", v.at.Seq, v.seq)}
	}
	return nil
}

// goOn holds where the chain begins, or where an interrupted run was, against
// what is stored.
func (v *verifier) goOn(ctx context.Context) error {
	var stored []byte
	if v.at.Seq == 0 {
		if err := v.tx.QueryRow(ctx, sqlGenesis, v.tenant).Scan(&stored); err != nil {
			return fmt.Errorf("read the chain: %w", err)
		}
		if !bytes.Equal(stored, v.at.Hash) {
			return &Fault{Seq: 1, What: "the chain does not begin as this tenant's does"}
		}
		return nil
	}
	err := v.tx.QueryRow(ctx, sqlEntryHash, v.id, v.at.Seq).Scan(&stored)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read the chain: %w", err)
	}
	if !bytes.Equal(stored, v.at.Hash) {
		return &Fault{Seq: v.at.Seq, What: "it is not what it was when verification was interrupted"}
	}
	return nil
}

// entry proves one entry and answers its hash.
func (v *verifier) entry(ctx context.Context, buf *[85]byte, e *verified) (next [32]byte, err error) {
	if e.seq != v.at.Seq+1 {
		return next, &Fault{Seq: v.at.Seq + 1, What: "it is missing"}
	}
	if e.at.UnixMicro() < v.at.Time {
		return next, &Fault{Seq: e.seq, What: "it is older than the one before it"}
	}
	content, what := e.says()
	if what == "" && !bytes.Equal(content[:], e.content) {
		what = "it covers something else than what is recorded under it"
	}
	next = entryHash(buf, [32]byte(v.at.Hash), e.seq, e.at, e.kind, content)
	if what == "" && !bytes.Equal(next[:], e.hash) {
		what = "its hash does not follow from the one before it"
	}
	if what != "" {
		return next, &Fault{Seq: e.seq, What: what}
	}
	switch e.kind {
	case kindDocument:
		err = v.parts(ctx, e)
	case kindDecision:
		err = v.decided(ctx, e)
	}
	return next, err
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

// parts holds a document's bytes against its hash. Where there are none, an
// entry must say so.
func (v *verifier) parts(ctx context.Context, e *verified) error {
	h := sha256.New()
	n := int64(0)
	for part := int32(0); ; part++ {
		var raw []byte
		err := v.tx.QueryRow(ctx, sqlDocumentPart, v.id, e.seq, part).Scan(&raw)
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
		return v.gone(ctx, e)
	}
	if n != e.size.Int64 || !bytes.Equal(h.Sum(nil), e.sha) {
		return &Fault{Seq: e.seq, What: "the document's bytes are not those it came with"}
	}
	return nil
}

// names holds what stands beside events against their bodies.
func (v *verifier) names(ctx context.Context, page []*verified) error {
	var ids []int64
	for _, e := range page {
		ids = append(append(append(ids, e.parent.Int64), unpacked(e.members)...), unpacked(e.outputs)...)
	}
	slices.Sort(ids)
	keys, err := v.keys(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	keysOf := func(raw []byte) (out []string) {
		for _, id := range unpacked(raw) {
			out = append(out, keys[id])
		}
		return out
	}
	for _, e := range page {
		if e.kind != kindEvent {
			continue
		}
		event, err := decodeEvent(e.body)
		if err != nil {
			return &Fault{Seq: e.seq, What: err.Error()}
		}
		var r record
		hash, err := eventHash(epcis.Hash(&event))
		if err == nil {
			err = r.make(&event, e.ordinal.Int32, hash, things{})
		}
		if err != nil {
			return &Fault{Seq: e.seq, What: err.Error()}
		}
		f := &r.fact
		want := [13]string{
			string(f.Type), string(f.Action), f.BizStep, f.Disposition, r.eventID, r.read, r.location, f.SourceOwner, f.DestOwner, f.DestHolder,
			f.DestLocation, packDispositions(f.Set, f.Unset), f.Lot,
		}
		same := f.At == e.eventAt.Time.UnixMicro() && f.Declared == e.declared.Bool && f.Expiry.Equal(e.expiry.Time) && slices.Equal(f.Hash[:], e.eventHash) &&
			keys[e.parent.Int64] == r.parent && slices.Equal(keysOf(e.members), r.members) && slices.Equal(keysOf(e.outputs), r.outputs)
		for i := range want {
			same = same && want[i] == e.beside[i].String
		}
		if !same {
			return &Fault{Seq: e.seq, What: "what stands beside the event is not what it says"}
		}
	}
	return nil
}

func (v *verifier) items(ctx context.Context) error {
	for {
		page, err := collect(ctx, v.tx, "read items", sqlVerifyItems, scanItem, v.id, v.at.Item, verifiedTogether)
		if err != nil || len(page) == 0 {
			return err
		}
		ids := make([]int64, len(page))
		for i, x := range page {
			ids[i] = x.id
		}
		c, err := v.gather(ctx, ids, nil)
		if err != nil {
			return err
		}
		book := dscsa.Fold(c.facts)
		hops, err := v.hopsOf(ctx, ids)
		if err != nil {
			return err
		}
		for _, x := range page {
			want := book.Of(x.id)
			if want == nil {
				want = &dscsa.Standing{State: dscsa.Unknown}
			}
			if !x.Equal(want) {
				return &Fault{Item: x.key, What: "it does not stand as the facts say"}
			}
			if !slices.EqualFunc(hops[x.id], want.Fresh, func(a, b dscsa.Hop) bool { return a == b }) {
				return &Fault{Item: x.key, What: "its changes of owner are not those the facts say"}
			}
		}
		v.at.Item, v.at.Items = page[len(page)-1].id, v.at.Items+int64(len(page))
		if err := v.mark(ctx); err != nil {
			return err
		}
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
