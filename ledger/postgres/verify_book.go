package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// bookState is one book's audit under way: all it carries from one
// transaction to the next.
type bookState struct {
	Tenant   string                `json:"tenant"`
	Entity   string                `json:"entity"`
	Seq      int64                 `json:"seq"` // verified up to here
	At       int64                 `json:"at"`  // its time, microseconds since 1970
	Hash     []byte                `json:"hash"`
	Sums     map[int64]*runningSum `json:"sums"`
	Periods  map[int32]periodSums  `json:"periods"` // by first day, of those that are closed further on
	Postings int64                 `json:"postings"`
	Linked   int64                 `json:"linked"`
	Bad      int64                 `json:"first_bad"`

	sealpg.Tree
}

// runningSum is an account's sums after the lines so far.
type runningSum struct {
	ledger.Sums

	Reported bool `json:"reported,omitempty"` // it does not add up; said once
}

type accountRow struct {
	code, currency string
	stored         ledger.Sums
	agrees         bool // what stands beside the sums is what the account says
}

// bookAudit verifies one book.
type bookAudit struct {
	bookState

	whole    *auditRun
	book     bookRow
	accounts map[int64]*accountRow
	tree     *sealpg.Check
	recent   recentTargets
	waiting  []linkedTransaction
	found    map[string]int // breaches by invariant
	lines    []postingRow
	buf      []byte
	nets     []net
	periods  *periodsAudit
}

// net is what debits exceed credits by in one layer and currency.
type net struct {
	currency string
	layer    byte
	sum      int64
}

func newBookAudit(r *auditRun, b bookRow) *bookAudit {
	genesis := b.Genesis()
	return &bookAudit{
		bookState: bookState{Tenant: b.Tenant.String(), Entity: b.Entity, Hash: genesis[:], Sums: map[int64]*runningSum{}, Periods: map[int32]periodSums{}},
		whole:     r, book: b, found: map[string]int{}, recent: newRecentTargets(),
	}
}

// breach records a breach. seq is the transaction it concerns.
func (v *bookAudit) breach(invariant string, seq int64, place, format string, args ...any) {
	if seq > 0 && (v.Bad == 0 || seq < v.Bad) {
		v.Bad = seq
	}
	v.found[invariant]++
	if v.found[invariant] > v.whole.Limit {
		return
	}
	v.whole.report.Violations = append(v.whole.report.Violations, Violation{
		Invariant: invariant, Tenant: v.Tenant, Entity: v.Entity, Seq: seq, Where: place, Detail: fmt.Sprintf(format, args...),
	})
}

func (v *bookAudit) bookReport() BookReport {
	root := v.Frontier.Root()
	return BookReport{
		Tenant: v.Tenant, Entity: v.Entity, Transactions: v.Frontier.Size, Postings: v.Postings, Checkpoints: v.Checkpoints,
		Root: base64.StdEncoding.EncodeToString(root[:]), Head: hex.EncodeToString(v.Hash), FirstBad: v.Bad,
	}
}

func (v *bookAudit) run(ctx context.Context, thin bool, postings int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := v.begin(ctx); err != nil {
		return err
	}
	id := fmt.Sprint(v.book.id)
	lines := "postings"
	if thin {
		lines = "postings_thin"
	}
	js := startStream(ctx, v.whole.journal, auditSQL("journal"), []string{id, decimal(v.Seq)}, decodeJournal)
	ps := startStream(ctx, v.whole.postings, auditSQL(lines), []string{id, microText(v.At)}, decodePosting)
	if err := v.merge(ctx, js, ps); err != nil {
		return err
	}
	if err := v.flush(ctx); err != nil {
		return err
	}
	if thin && postings != v.Postings {
		v.breach("I3", 0, "postings", "there are %d lines and %d belong to a transaction", postings, v.Postings)
	}
	return v.end(ctx)
}

// begin reads what is compared at the end, and checks the start.
func (v *bookAudit) begin(ctx context.Context) error {
	genesis := v.book.Genesis()
	if !bytes.Equal(genesis[:], v.book.genesis) {
		v.breach("I3", 1, "book", "the chain's start is not the one of this tenant and entity")
	}
	rows, err := v.whole.main.Query(ctx, auditSQL("accounts"), v.book.id)
	if err != nil {
		return err
	}
	v.accounts = map[int64]*accountRow{}
	var id int64
	var a accountRow
	_, err = pgx.ForEachRow(rows, []any{
		&id, &a.code, &a.currency, &a.stored.DebitsPosted, &a.stored.CreditsPosted, &a.stored.DebitsPending, &a.stored.CreditsPending, &a.agrees,
	}, func() error {
		one := a
		v.accounts[id] = &one
		return nil
	})
	if err != nil {
		return err
	}
	if err := v.beginPeriods(ctx); err != nil {
		return err
	}
	v.tree = &sealpg.Check{
		Tree: &v.Tree, DB: v.whole.main, SQL: sealSQL, ID: v.book.id, Name: nameOf(v.book.Book), Keys: v.whole.Keys, Witnesses: v.whole.Witnesses,
		Kept: v.whole.kept, FirstBad: func() int64 { return v.Bad },
		Breach: func(seq int64, place, format string, args ...any) { v.breach("I3", seq, place, format, args...) },
	}
	if err := v.tree.Begin(ctx, v.Seq); err != nil || v.Seq == 0 {
		return err
	}
	// Where an earlier run stopped must still be there.
	var hash []byte
	err = v.whole.main.QueryRow(ctx, `select hash from ledger.journal where book_id = $1 and seq = $2`, v.book.id, v.Seq).Scan(&hash)
	if isNoRows(err) || err == nil && !bytes.Equal(hash, v.Hash) {
		v.breach("I3", v.Seq, where(v.Seq), "it is not what the interrupted run found here: begin again")
		return nil
	}
	return err
}

func (v *bookAudit) merge(ctx context.Context, js *stream[journalRow], ps *stream[postingRow]) error {
	for n := 0; ; n++ {
		j, err := js.peek()
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		v.lines = v.lines[:0]
		for {
			p, err := ps.peek()
			if err != nil {
				return fmt.Errorf("read the lines: %w", err)
			}
			if p == nil || j != nil && p.at > j.at {
				break
			}
			if j == nil || p.at < j.at {
				v.breach("I3", p.seq, where(p.seq), "a line at %s belongs to no transaction", microText(p.at))
			} else {
				v.lines = append(v.lines, *p)
			}
			v.Postings++
			ps.next()
		}
		if j == nil {
			return nil
		}
		if err := v.transaction(ctx, j); err != nil {
			return err
		}
		js.next()
		if n%256 == 255 {
			if err := v.tick(ctx); err != nil {
				return err
			}
		}
	}
}

func (v *bookAudit) tick(ctx context.Context) error {
	r := v.whole
	if r.Progress != nil {
		r.Progress(v.book.Book, v.Seq, v.book.seq, v.Postings)
	}
	if r.Save == nil || time.Since(r.saved) < r.Every {
		return nil
	}
	if err := v.flush(ctx); err != nil {
		return err
	}
	return r.save(&v.bookState)
}

// transaction checks one transaction with its lines, and carries it on.
func (v *bookAudit) transaction(ctx context.Context, j *journalRow) error {
	place := where(j.seq)
	if err := v.reach(ctx, j.seq); err != nil {
		return err
	}
	if want := v.Seq + 1; j.seq != want {
		v.breach("I3", want, where(want), "it is missing: %d follows %d", j.seq, v.Seq)
	}
	if j.at <= v.At && v.Seq > 0 {
		v.breach("I3", j.seq, place, "it was recorded at %s, not after the one before", microText(j.at))
	}
	if v.periods.closed != 0 && j.period <= v.periods.closed {
		v.breach("I3", j.seq, place, "it counts in %s, which was closed before it", monthText(j.period))
	}
	v.checkHash(j, place)
	v.checkRules(j, place)
	v.checkLines(j, place)
	v.Seq, v.At = j.seq, j.at
	if j.linked[0] || j.linked[1] {
		v.Linked++
		v.waiting = append(v.waiting, v.linked(j))
		if len(v.waiting) == 1000 {
			if err := v.flush(ctx); err != nil {
				return err
			}
		}
	}
	if string(j.texts[0]) == string(ledger.Pending) {
		v.recent.add(j, v.lines)
	}
	return v.tree.Grow(ctx)
}

// checkHash recomputes the hash from what is stored.
func (v *bookAudit) checkHash(j *journalRow, place string) {
	b := append(v.buf[:0], v.Hash...)
	b = append(b, 0, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(j.seq))
	b = binary.BigEndian.AppendUint64(b, uint64(j.at))
	b = append(b, j.id[:]...)
	b = append(b, j.resolves[:]...)
	b = append(b, j.reverses[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(j.expires))
	b = binary.BigEndian.AppendUint32(b, uint32(j.effective))
	b = binary.BigEndian.AppendUint32(b, uint32(j.period))
	for _, t := range j.texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(t)))
	}
	for _, t := range j.texts {
		b = append(b, t...)
	}
	for i := range v.lines {
		l := &v.lines[i]
		b = binary.BigEndian.AppendUint16(b, uint16(l.line))
		if a := v.accounts[l.account]; a != nil {
			b = binary.BigEndian.AppendUint16(b, uint16(len(a.code)))
			b = append(b, a.code...)
			b = append(b, a.currency...)
		}
		b = append(b, l.side, l.layer)
		for _, n := range [...]int64{l.amount, l.posted, l.heldDebits, l.heldCredits} {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
	}
	v.buf = b
	hash := sha256.Sum256(b)
	if !bytes.Equal(hash[:], j.hash) {
		v.breach("I3", j.seq, place, "its hash does not follow from what is stored of it and the hash before: something of it was changed")
	}
	// The chain goes on from what is stored, so that one change is one breach;
	// the tree is built of what was computed.
	v.Hash = append(v.Hash[:0], j.hash...)
	v.tree.Append(hash)
}

// checkRules holds what a transaction is against its kind.
func (v *bookAudit) checkRules(j *journalRow, place string) {
	kind := ledger.Kind(j.texts[0])
	posted, held, freed := 0, 0, 0
	for i := range v.lines {
		switch v.lines[i].layer {
		case 'P':
			posted++
		case 'H':
			held++
		case 'R':
			freed++
		}
	}
	ok := false
	switch kind {
	case ledger.Posted:
		ok = held == 0 && freed == 0 && posted >= ledger.MinEntries && posted <= ledger.MaxEntries && !j.linked[0]
	case ledger.Pending:
		ok = posted == 0 && freed == 0 && held >= ledger.MinEntries && held <= ledger.MaxEntries && !j.linked[0]
	case ledger.PostPending:
		ok = held == 0 && freed >= ledger.MinEntries && posted >= ledger.MinEntries && posted <= ledger.MaxEntries && j.linked[0]
	case ledger.VoidPending, ledger.ExpirePending:
		ok = held == 0 && posted == 0 && freed >= ledger.MinEntries && j.linked[0]
	}
	if !ok {
		v.breach("I3", j.seq, place, "a %s transaction cannot have %d posted, %d held and %d released lines, or resolve what it does", kind, posted, held, freed)
	}
	if j.linked[1] && kind != ledger.Posted || j.hasExpiry && kind != ledger.Pending {
		v.breach("I3", j.seq, place, "a %s transaction cannot reverse or expire", kind)
	}
	if bytes.HasPrefix(j.texts[1], []byte(ledger.ManualPrefix)) && len(j.texts[7]) == 0 {
		v.breach("I3", j.seq, place, "a person posted it without an approval")
	}
}

// checkLines holds the lines against one another and against the account's
// sums so far.
func (v *bookAudit) checkLines(j *journalRow, place string) {
	v.nets = v.nets[:0]
	for i := range v.lines {
		l := &v.lines[i]
		if l.line != int16(i+1) || l.seq != j.seq || l.period != j.period {
			v.breach("I3", j.seq, place, "its lines are not its own: line %d of sequence %d stands where line %d is due", l.line, l.seq, i+1)
		}
		a := v.accounts[l.account]
		if a == nil {
			v.breach("I3", j.seq, place, "line %d names an account that is not in this book", l.line)
			continue
		}
		if l.amount <= 0 || l.side != 'D' && l.side != 'C' {
			v.breach("I1", j.seq, place, "line %d has no side, or an amount that is not positive", l.line)
		}
		v.move(l, a, j.seq, place)
		v.periods.count(l)
		signed := l.amount
		if l.side == 'C' {
			signed = -signed
		}
		v.add(a.currency, l.layer, signed)
	}
	for _, n := range v.nets {
		if n.sum != 0 {
			v.breach("I1", j.seq, place, "debits and credits differ by %d in %s", n.sum, n.currency)
		}
	}
}

func (v *bookAudit) add(currency string, layer byte, signed int64) {
	for i := range v.nets {
		if v.nets[i].layer == layer && v.nets[i].currency == currency {
			v.nets[i].sum += signed
			return
		}
	}
	v.nets = append(v.nets, net{currency, layer, signed})
}

// move carries a line into its account's sums and compares the balances the
// line says the account had after it.
func (v *bookAudit) move(l *postingRow, a *accountRow, seq int64, place string) {
	s := v.Sums[l.account]
	if s == nil {
		s = &runningSum{}
		v.Sums[l.account] = s
	}
	amount := l.amount
	if l.layer == 'R' {
		amount = -amount
	}
	switch {
	case l.layer == 'P' && l.side == 'D':
		s.DebitsPosted += amount
	case l.layer == 'P':
		s.CreditsPosted += amount
	case l.side == 'D':
		s.DebitsPending += amount
	default:
		s.CreditsPending += amount
	}
	if s.Reported || l.posted == s.DebitsPosted-s.CreditsPosted && l.heldDebits == s.DebitsPending && l.heldCredits == s.CreditsPending {
		return
	}
	s.Reported = true
	v.breach("I2", seq, place, "account %s %s: line %d says %d/%d/%d after it (posted/held debits/held credits), the lines up to it give %d/%d/%d",
		a.code, a.currency, l.line, l.posted, l.heldDebits, l.heldCredits, s.DebitsPosted-s.CreditsPosted, s.DebitsPending, s.CreditsPending)
}

// end compares what was carried along with what is stored about the whole.
func (v *bookAudit) end(ctx context.Context) error {
	if v.book.seq > v.Seq {
		v.breach("I3", v.Seq+1, where(v.Seq+1), "it is missing: the book says there are %d", v.book.seq)
	} else if v.book.seq < v.Seq {
		v.breach("I3", v.book.seq+1, where(v.book.seq+1), "it is one too many: the book says there are %d", v.book.seq)
	} else if !bytes.Equal(v.book.hash, v.Hash) || v.Seq > 0 && v.book.at.UnixMicro() != v.At {
		v.breach("I3", v.Seq, "book", "the head is not the last transaction's hash and time")
	}
	for id, a := range v.accounts {
		s := v.Sums[id]
		if s == nil {
			s = &runningSum{}
		}
		if s.Sums != a.stored {
			v.breach("I2", 0, a.code+" "+a.currency, "balance has D %d/%d C %d/%d, postings give D %d/%d C %d/%d (posted/pending)",
				a.stored.DebitsPosted, a.stored.DebitsPending, a.stored.CreditsPosted, a.stored.CreditsPending,
				s.DebitsPosted, s.DebitsPending, s.CreditsPosted, s.CreditsPending)
		}
		if !a.agrees {
			v.breach("I2", 0, a.code+" "+a.currency, "its balance is said to be of another account, or one with other bounds or closed otherwise")
		}
	}
	if err := v.endPeriods(ctx); err != nil {
		return err
	}
	if err := v.tree.End(ctx, v.Seq); err != nil {
		return err
	}
	return v.endLinks(ctx)
}

// endLinks compares keys and links with the journal.
func (v *bookAudit) endLinks(ctx context.Context) error {
	var missing, wrong, twice, first *int64
	var keys, links int64
	if err := v.whole.main.QueryRow(ctx, auditSQL("keys"), v.book.id).Scan(&missing, &keys); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	switch {
	case missing != nil:
		v.breach("I3", *missing, where(*missing), "its id is not in the index of ids, or stands there for another")
	case keys != v.Frontier.Size:
		if err := v.whole.main.QueryRow(ctx, auditSQL("keys_extra"), v.book.id).Scan(&first); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		v.breach("I3", value(first), "index of ids", "it has %d ids and there are %d transactions", keys, v.Frontier.Size)
	}
	if err := v.whole.main.QueryRow(ctx, auditSQL("links"), v.book.id).Scan(&wrong, &twice, &links); err != nil {
		return fmt.Errorf("links: %w", err)
	}
	switch {
	case wrong != nil:
		v.breach("I3", *wrong, where(*wrong), "what it is said to resolve or reverse is not what it says itself")
	case twice != nil:
		v.breach("I3", *twice, where(*twice), "it resolves or reverses what another has already")
	case links != v.Linked:
		if err := v.whole.main.QueryRow(ctx, auditSQL("links_missing"), v.book.id).Scan(&first); err != nil {
			return fmt.Errorf("links: %w", err)
		}
		v.breach("I3", value(first), "links", "there are %d and %d transactions resolve or reverse something", links, v.Linked)
	}
	return nil
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func idText(id [16]byte) string { return uuid.UUID(id).String() }
