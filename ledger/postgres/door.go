package postgres

import (
	_ "embed"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/ledger"
)

//go:embed door/post_batch.sql
var postBatch string

// A doorAnswer is the one row of ledger.post_batch: the new head when it
// posted, the head as it is when the caller's was stale.
type doorAnswer struct {
	outcome    string
	seq        int64
	hash       []byte
	version    int64
	recordedAt time.Time
}

func (a *doorAnswer) scan(row pgx.Row) error {
	return row.Scan(&a.outcome, &a.seq, &a.hash, &a.version, &a.recordedAt)
}

func (a *doorAnswer) posted() bool { return a.outcome == "posted" }

// doorArguments lays a computed batch out as the door's parallel arrays.
func doorArguments(book ledger.Book, before ledger.Head, recorded []*ledger.Recorded) []any {
	n, m := len(recorded), 0
	for _, r := range recorded {
		m += len(r.Lines)
	}
	ids := make([]pgtype.UUID, n)
	resolves, reverses := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	expires := make([]pgtype.Timestamptz, n)
	effective, periods := make([]pgtype.Date, n), make([]pgtype.Date, n)
	kinds, purposes, actors, reasons := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	sagas, orders, documents, approvals := make([]pgtype.Text, n), make([]pgtype.Text, n), make([]pgtype.Text, n), make([]pgtype.Text, n)
	hashes := make([][]byte, n)
	of, accounts := make([]int32, 0, m), make([]int64, 0, m)
	numbers := make([]int16, 0, m)
	currencies, sides, layers := make([]string, 0, m), make([]string, 0, m), make([]string, 0, m)
	amounts, posted, debits, credits := make([]int64, 0, m), make([]int64, 0, m), make([]int64, 0, m), make([]int64, 0, m)
	for i, r := range recorded {
		ids[i] = pgtype.UUID{Bytes: r.ID, Valid: true}
		resolves[i], reverses[i] = optionalUUID(r.Resolves), optionalUUID(r.Reverses)
		expires[i] = pgtype.Timestamptz{Time: r.ExpiresAt, Valid: !r.ExpiresAt.IsZero()}
		effective[i] = pgtype.Date{Time: r.EffectiveOn, Valid: true}
		periods[i] = pgtype.Date{Time: r.Period, Valid: true}
		kinds[i], purposes[i], actors[i], reasons[i] = string(r.Kind), r.Purpose, r.Actor, r.Reason
		sagas[i], orders[i], documents[i], approvals[i] = optionalText(r.SagaID), optionalText(r.OrderRef), optionalText(r.Document), optionalText(r.Approval)
		hashes[i] = r.Hash[:]
		for k := range r.Lines {
			l := &r.Lines[k]
			of, numbers, accounts = append(of, int32(i+1)), append(numbers, l.Number), append(accounts, l.AccountID)
			currencies, sides, layers = append(currencies, l.Currency), append(sides, string(l.Side)), append(layers, string(l.Layer))
			amounts, posted = append(amounts, l.Amount), append(posted, l.PostedAfter)
			debits, credits = append(debits, l.HeldDebitsAfter), append(credits, l.HeldCreditsAfter)
		}
	}
	return []any{
		book.Tenant, before.BookID, before.Version, before.Seq, before.Hash[:], recorded[0].RecordedAt,
		ids, kinds, resolves, reverses, expires, effective, periods, purposes, actors, reasons, sagas, orders, documents, approvals, hashes,
		of, numbers, accounts, currencies, sides, layers, amounts, posted, debits, credits,
	}
}

func optionalUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

func optionalText(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }
