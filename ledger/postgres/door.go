package postgres

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/ledger"
)

var (
	//go:embed door/post_batch.sql
	postBatch string
	//go:embed door/post_batch_types.sql
	postBatchTypes string
)

const setTenant = `select set_config('app.tenant', $1, true)`

// pass goes through the door in one round trip. alone makes it a transaction
// of its own: without an explicit begin the server treats what is sent up to
// the next sync as one, so the tenant holds for the door and for nothing after
// it. Otherwise the connection is in the caller's transaction, which has set
// the tenant.
func pass(ctx context.Context, conn *pgx.Conn, alone bool, book ledger.Book, head ledger.Head, recorded []*ledger.Recorded) error {
	door, err := conn.Prepare(ctx, "recourse_post_batch", postBatch)
	if err != nil {
		return fmt.Errorf("prepare the door: %w", err)
	}
	types, err := typesOf(ctx, conn)
	if err != nil {
		return err
	}
	batch := &pgconn.Batch{}
	if alone {
		tenant, err := conn.Prepare(ctx, "recourse_set_tenant", setTenant)
		if err != nil {
			return fmt.Errorf("prepare the tenant: %w", err)
		}
		batch.ExecPrepared(tenant.Name, [][]byte{[]byte(book.Tenant.String())}, nil, nil)
	}
	batch.ExecPrepared(door.Name, doorArguments(types, book, head, recorded), []int16{1}, []int16{1})
	if err := conn.PgConn().ExecBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("ledger.post_batch: %w", err)
	}
	return nil
}

var layerNumber = map[ledger.Layer]int16{ledger.LayerPosted: 0, ledger.LayerHeld: 1, ledger.LayerReleased: -1}

// doorTypes are what the elements of the door's arrays are called on the wire.
// A database gives its own types their numbers, so each connection asks once.
type doorTypes struct{ transaction, line uint32 }

func typesOf(ctx context.Context, conn *pgx.Conn) (doorTypes, error) {
	const kept = "recourse.door_types"
	if known, ok := conn.PgConn().CustomData()[kept].(doorTypes); ok {
		return known, nil
	}
	var types doorTypes
	if err := conn.QueryRow(ctx, postBatchTypes).Scan(&types.transaction, &types.line); err != nil {
		return types, fmt.Errorf("ask for the door's types: %w", err)
	}
	conn.PgConn().CustomData()[kept] = types
	return types, nil
}

// A thread is an account's lines in a batch.
type thread struct {
	first, last int32 // their places
	prev        int32 // place of the line before, while they are laid out
	debits      int64 // posted by the lines so far
}

// threadsOf finds each line's thread.
func threadsOf(recorded []*ledger.Recorded, m int) []*thread {
	byAccount, of := make(map[int64]*thread, m), make([]*thread, 0, m)
	for _, r := range recorded {
		for i := range r.Lines {
			place := int32(len(of) + 1)
			t := byAccount[r.Lines[i].AccountID]
			if t == nil {
				t = &thread{first: place}
				byAccount[r.Lines[i].AccountID] = t
			}
			t.last = place
			of = append(of, t)
		}
	}
	return of
}

// doorArguments lays a computed batch out as the door takes it.
func doorArguments(types doorTypes, book ledger.Book, head ledger.Head, recorded []*ledger.Recorded) [][]byte {
	m := 0
	for _, r := range recorded {
		m += len(r.Lines)
	}
	threads := threadsOf(recorded, m)
	transactions, lines := newRows(types.transaction, len(recorded), 15, 320), newRows(types.line, m, 12, 190)
	place := int32(0)
	for i, r := range recorded {
		transactions.begin()
		transactions.uuid(r.ID)
		transactions.date(r.Period)
		transactions.date(r.EffectiveOn)
		transactions.bytes(r.Hash[:])
		transactions.text(string(r.Kind))
		transactions.text(r.Purpose)
		transactions.text(r.Actor)
		transactions.text(r.Reason)
		transactions.optionalText(r.SagaID)
		transactions.optionalText(r.OrderRef)
		transactions.optionalText(r.Document)
		transactions.optionalText(r.Approval)
		transactions.optionalUUID(r.Resolves)
		transactions.optionalUUID(r.Reverses)
		transactions.optionalTime(r.ExpiresAt)
		transactions.end()
		for k := range r.Lines {
			place++
			lines.line(&r.Lines[k], int32(i+1), place, threads[place-1])
		}
	}
	return [][]byte{
		book.Tenant[:], int32Bytes(head.BookID), int64Bytes(head.Version), int64Bytes(head.Seq), head.Hash[:], int64Bytes(micros(recorded[0].RecordedAt)),
		transactions.b, lines.b,
	}
}

// line lays out one line, the place-th of the batch and of its of-th transaction.
func (r *rows) line(l *ledger.Line, of, place int32, t *thread) {
	amount, first := l.Amount, int32(0)
	if l.Side == ledger.Credit {
		amount = -amount
	} else if l.Layer == ledger.LayerPosted {
		t.debits += amount
	}
	if place == t.last {
		first = t.first
	}
	r.begin()
	r.int64(l.AccountID)
	r.int64(amount)
	r.int64(l.PostedAfter)
	r.int64(l.HeldDebitsAfter)
	r.int64(l.HeldCreditsAfter)
	r.int64(t.debits)
	r.int32(of)
	r.int32(t.prev)
	r.int32(first)
	r.int16(l.Number)
	r.int16(layerNumber[l.Layer])
	r.text(l.Account, l.Currency)
	r.end()
	t.prev = place
}
