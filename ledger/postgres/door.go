package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
)

var (
	//go:embed door/post_batch.sql
	postBatch string
	//go:embed door/post_batch_alone.sql
	postBatchAlone string
	//go:embed door/post_batch_types.sql
	postBatchTypes string
)

const setTenant = `select set_config('app.tenant', $1, true)`

// pass goes through the door in one round trip. alone makes it a transaction
// of its own: without an explicit begin the server treats a statement as one,
// and the statement sets the tenant. Otherwise the connection is in the
// caller's transaction, which has set the tenant.
func pass(ctx context.Context, conn *pgx.Conn, alone bool, book ledger.Book, head ledger.Head, recorded []*ledger.Recorded, bounded bool) error {
	name, sql := "recourse_post_batch", postBatch
	if alone {
		name, sql = "recourse_post_batch_alone", postBatchAlone
	}
	door, err := conn.Prepare(ctx, name, sql)
	if err != nil {
		return fmt.Errorf("prepare the door: %w", err)
	}
	types, err := typesOf(ctx, conn)
	if err != nil {
		return err
	}
	arguments := doorArguments(types, book, head, recorded, bounded)
	if alone {
		arguments[0] = []byte(book.Tenant.String())
	}
	if _, err := conn.PgConn().ExecPrepared(ctx, door.Name, arguments, []int16{1}, []int16{1}).Close(); err != nil {
		return fmt.Errorf("ledger.post_batch: %w", err)
	}
	return nil
}

var layerNumber = map[ledger.Layer]int16{ledger.LayerPosted: 0, ledger.LayerHeld: 1, ledger.LayerReleased: -1}

// doorTypes are what the elements of the door's arrays are called on the wire.
// A database gives its own types their numbers, so each connection asks once.
type doorTypes struct{ transaction, line, account uint32 }

func typesOf(ctx context.Context, conn *pgx.Conn) (doorTypes, error) {
	const kept = "recourse.door_types"
	if known, ok := conn.PgConn().CustomData()[kept].(doorTypes); ok {
		return known, nil
	}
	var types doorTypes
	if err := conn.QueryRow(ctx, postBatchTypes).Scan(&types.transaction, &types.line, &types.account); err != nil {
		return types, fmt.Errorf("ask for the door's types: %w", err)
	}
	conn.PgConn().CustomData()[kept] = types
	return types, nil
}

// A thread is an account's lines in a batch.
type thread struct {
	line        *ledger.Line // its first
	place       int32        // of the account in the batch
	first, last int32        // places of its first line and of the last so far
	debits      int64        // posted by the lines so far
}

// A layout is what the door asks about a batch besides what is recorded. Lines
// and accounts are counted from 1.
type layout struct {
	accounts   []*thread // in the order of their first lines
	of         []*thread // each line's
	next       []int32   // place of the account's next line, 0: there is none
	from       time.Time // zero: something counts in another month than it happened in
	currencies bool      // a transaction has several
	linked     bool      // something is resolved or reversed
}

func layoutOf(recorded []*ledger.Recorded) *layout {
	m := 0
	for _, r := range recorded {
		m += len(r.Lines)
	}
	l := &layout{of: make([]*thread, 0, m), next: make([]int32, m), accounts: make([]*thread, 0, m), from: recorded[0].EffectiveOn}
	threads, byAccount := make([]thread, m), make(map[int64]*thread, m)
	late := false
	for _, r := range recorded {
		if r.EffectiveOn.Before(l.from) {
			l.from = r.EffectiveOn
		}
		late = late || !r.Period.Equal(ledger.PeriodOf(r.EffectiveOn))
		l.linked = l.linked || r.Resolves != uuid.Nil || r.Reverses != uuid.Nil
		for i := range r.Lines {
			line, place := &r.Lines[i], int32(len(l.of)+1)
			l.currencies = l.currencies || line.Currency != r.Lines[0].Currency
			t := byAccount[line.AccountID]
			if t == nil {
				t = &threads[len(l.accounts)]
				*t = thread{line: line, place: int32(len(l.accounts) + 1), first: place}
				byAccount[line.AccountID] = t
				l.accounts = append(l.accounts, t)
			} else {
				l.next[t.last-1] = place
			}
			t.last = place
			l.of = append(l.of, t)
		}
	}
	if late {
		l.from = time.Time{}
	}
	return l
}

// doorArguments lays a computed batch out as the door takes it. bounded says
// that an account of it has a floor or a ceiling.
func doorArguments(types doorTypes, book ledger.Book, head ledger.Head, recorded []*ledger.Recorded, bounded bool) [][]byte {
	l := layoutOf(recorded)
	transactions, lines := newRows(types.transaction, len(recorded), 17, 480), newRows(types.line, len(l.of), 14, 190)
	accounts := newRows(types.account, len(l.accounts), 7, 110)
	for _, t := range l.accounts {
		accounts.account(t)
	}
	for _, t := range l.accounts {
		t.last = 0 // from here on the place of the account's line before
	}
	place := int32(0)
	var canonical []byte
	for i, r := range recorded {
		canonical = canonical[:0]
		var far run
		for k := range r.Lines {
			place++
			line := &r.Lines[k]
			far.add(line)
			lines.line(line, int32(i+1), place, l.of[place-1], l.next[place-1], int32(len(canonical)+1), far)
			canonical = line.AppendCanonical(canonical)
		}
		transactions.transaction(r, place, canonical)
	}
	var from []byte // null
	if !l.from.IsZero() {
		from = int32Bytes(daysSince2000(l.from))
	}
	return [][]byte{
		book.Tenant[:], int32Bytes(head.BookID), int64Bytes(head.Version), int64Bytes(head.Seq), head.Hash[:], int64Bytes(micros(recorded[0].RecordedAt)),
		from, boolBytes(l.currencies), boolBytes(l.linked), boolBytes(bounded), transactions.b, lines.b, accounts.b,
	}
}

// A run is the lines of one layer in one transaction, so far.
type run struct {
	layer ledger.Layer
	net   int64 // debits less credits
	nth   int16
}

func (r *run) add(l *ledger.Line) {
	if r.layer != l.Layer {
		*r = run{layer: l.Layer}
	}
	r.net += signed(l)
	r.nth++
}

func signed(l *ledger.Line) int64 {
	if l.Side == ledger.Credit {
		return -l.Amount
	}
	return l.Amount
}

func (r *rows) transaction(x *ledger.Recorded, last int32, canonical []byte) {
	r.begin()
	r.uuid(x.ID)
	r.date(x.Period)
	r.date(x.EffectiveOn)
	r.bytes(x.Hash[:])
	r.text(string(x.Kind))
	r.text(x.Purpose)
	r.text(x.Actor)
	r.text(x.Reason)
	r.optionalText(x.SagaID)
	r.optionalText(x.OrderRef)
	r.optionalText(x.Document)
	r.optionalText(x.Approval)
	r.optionalUUID(x.Resolves)
	r.optionalUUID(x.Reverses)
	r.optionalTime(x.ExpiresAt)
	r.int32(last)
	r.bytes(canonical)
	r.end()
}

// line lays out the place-th line of the batch, of its of-th transaction, whose
// canonical bytes begin at at.
func (r *rows) line(l *ledger.Line, of, place int32, t *thread, next, at int32, far run) {
	if l.Layer == ledger.LayerPosted && l.Side == ledger.Debit {
		t.debits += l.Amount
	}
	r.begin()
	r.int64(signed(l))
	r.int64(t.debits)
	r.int64(l.PostedAfter)
	r.int64(l.HeldDebitsAfter)
	r.int64(l.HeldCreditsAfter)
	r.int64(far.net)
	r.int32(of)
	r.int32(t.place)
	r.int32(t.last)
	r.int32(next)
	r.int32(at)
	r.int16(l.Number)
	r.int16(far.nth)
	r.int16(layerNumber[l.Layer])
	r.end()
	t.last = place
}

// account lays out an account as it stands before its first line.
func (r *rows) account(t *thread) {
	posted, debits, credits := t.line.PostedAfter, t.line.HeldDebitsAfter, t.line.HeldCreditsAfter
	layer := int64(layerNumber[t.line.Layer])
	switch {
	case layer == 0:
		posted -= signed(t.line)
	case t.line.Side == ledger.Debit:
		debits -= layer * t.line.Amount
	default:
		credits -= layer * t.line.Amount
	}
	r.begin()
	r.int64(t.line.AccountID)
	r.int64(posted)
	r.int64(debits)
	r.int64(credits)
	r.int32(t.first)
	r.int32(t.last)
	r.text(t.line.Account, t.line.Currency)
	r.end()
}
