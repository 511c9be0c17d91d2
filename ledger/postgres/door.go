package postgres

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/ledger"
)

//go:embed door/post_batch.sql
var postBatch string

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
	batch := &pgconn.Batch{}
	if alone {
		tenant, err := conn.Prepare(ctx, "recourse_set_tenant", setTenant)
		if err != nil {
			return fmt.Errorf("prepare the tenant: %w", err)
		}
		batch.ExecPrepared(tenant.Name, [][]byte{[]byte(book.Tenant.String())}, nil, nil)
	}
	batch.ExecPrepared(door.Name, doorArguments(book, head, recorded), []int16{1}, []int16{1})
	if err := conn.PgConn().ExecBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("ledger.post_batch: %w", err)
	}
	return nil
}

var layerNumber = map[ledger.Layer]int16{ledger.LayerPosted: 0, ledger.LayerHeld: 1, ledger.LayerReleased: -1}

// doorArguments lays a computed batch out as the door's parallel arrays.
func doorArguments(book ledger.Book, head ledger.Head, recorded []*ledger.Recorded) [][]byte {
	n, m := len(recorded), 0
	for _, r := range recorded {
		m += len(r.Lines)
	}
	ids, hashes := newArray(oidUUID, n, 16), newArray(oidBytea, n, 32)
	resolves, reverses := newArray(oidUUID, n, 0), newArray(oidUUID, n, 0)
	expires, effective, periods := newArray(oidTime, n, 0), newArray(oidDate, n, 4), newArray(oidDate, n, 4)
	kinds, purposes, actors, reasons := newArray(oidText, n, 8), newArray(oidText, n, 16), newArray(oidText, n, 16), newArray(oidText, n, 16)
	sagas, orders, documents, approvals := newArray(oidText, n, 0), newArray(oidText, n, 0), newArray(oidText, n, 0), newArray(oidText, n, 0)
	of, numbers, accounts := newArray(oidInt4, m, 4), newArray(oidInt2, m, 2), newArray(oidInt8, m, 8)
	names, before, layers := newArray(oidText, m, 12), newArray(oidInt4, m, 4), newArray(oidInt2, m, 2)
	amounts, posted := newArray(oidInt8, m, 8), newArray(oidInt8, m, 8)
	debits, credits := newArray(oidInt8, m, 8), newArray(oidInt8, m, 8)
	last := make(map[int64]int32, m) // the place of an account's last line so far
	place := int32(0)
	for i, r := range recorded {
		ids.bytes(r.ID[:])
		kinds.text(string(r.Kind))
		resolves.optionalUUID(r.Resolves)
		reverses.optionalUUID(r.Reverses)
		expires.optionalTime(r.ExpiresAt)
		effective.date(r.EffectiveOn)
		periods.date(r.Period)
		purposes.text(r.Purpose)
		actors.text(r.Actor)
		reasons.text(r.Reason)
		sagas.optionalText(r.SagaID)
		orders.optionalText(r.OrderRef)
		documents.optionalText(r.Document)
		approvals.optionalText(r.Approval)
		hashes.bytes(r.Hash[:])
		for k := range r.Lines {
			l := &r.Lines[k]
			place++
			of.int32(int32(i + 1))
			numbers.int16(l.Number)
			accounts.int64(l.AccountID)
			names.text(l.Account, l.Currency)
			before.int32(last[l.AccountID])
			last[l.AccountID] = place
			layers.int16(layerNumber[l.Layer])
			if l.Side == ledger.Debit {
				amounts.int64(l.Amount)
			} else {
				amounts.int64(-l.Amount)
			}
			posted.int64(l.PostedAfter)
			debits.int64(l.HeldDebitsAfter)
			credits.int64(l.HeldCreditsAfter)
		}
	}
	return [][]byte{
		book.Tenant[:], int32Bytes(head.BookID), int64Bytes(head.Version), int64Bytes(head.Seq), head.Hash[:], int64Bytes(micros(recorded[0].RecordedAt)),
		ids, kinds, resolves, reverses, expires, effective, periods, purposes, actors, reasons, sagas, orders, documents, approvals, hashes,
		of, numbers, accounts, names, before, layers, amounts, posted, debits, credits,
	}
}
