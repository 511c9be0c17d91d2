package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/ledger"
)

// PostBatch is the door of the release before, an array a column, for tests
// that knock by themselves: it says what each argument is and hands all of it
// to the door as it is now.
const PostBatch = `select ledger.post_batch($1, $2, $3, $4, $5, $6, $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::timestamptz[], $12::date[],
	$13::date[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bytea[], $22::integer[],
	$23::smallint[], $24::bigint[], $25::text[], $26::integer[], $27::smallint[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[])`

// What the tests of plans look at: the statements as they are.
var (
	BalancesSQL  = balancesSQL
	EntriesSQL   = entriesSQL
	JournalSQL   = journalSQL
	MovementsSQL = movementsSQL
	TrailSQL     = trailSQL
	PageSQL      = pageSQL
	OfSagaSQL    = ofSaga
	OfOrderSQL   = ofOrder
	OfIDSQL      = ofID
)

// NewAt is New with a clock.
func NewAt(pool *pgxpool.Pool, now func() time.Time) *Store {
	s := New(pool)
	s.now = now
	return s
}

// Compute locks the book and computes a batch on its head as PostTx does, and
// posts nothing.
func (s *Store) Compute(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) (ledger.Head, []*ledger.Recorded, []ledger.Result, error) {
	sh, err := readLocked(ctx, tx, book, batch)
	if err != nil {
		return ledger.Head{}, nil, nil, err
	}
	recorded, results := compute(sh, batch, s.now())
	return sh.before, recorded, results, nil
}

// DoorArguments are those of PostBatch, in Go's own slices, for a test to spoil.
func DoorArguments(book ledger.Book, head ledger.Head, recorded []*ledger.Recorded) []any {
	text := func(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }
	id := func(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }
	var (
		ids, resolves, reverses            []pgtype.UUID
		kinds, purposes, actors, reasons   []string
		expires                            []pgtype.Timestamptz
		effective, periods                 []pgtype.Date
		sagas, orders, documents, approved []pgtype.Text
		hashes                             [][]byte
		of, before                         []int32
		numbers, layers                    []int16
		accounts                           []int64
		names                              []string
		amounts, posted, debits, credits   []int64
	)
	last := map[int64]int32{}
	for i, r := range recorded {
		ids, resolves, reverses = append(ids, pgtype.UUID{Bytes: r.ID, Valid: true}), append(resolves, id(r.Resolves)), append(reverses, id(r.Reverses))
		kinds, purposes, actors, reasons = append(kinds, string(r.Kind)), append(purposes, r.Purpose), append(actors, r.Actor), append(reasons, r.Reason)
		expires = append(expires, pgtype.Timestamptz{Time: r.ExpiresAt, Valid: !r.ExpiresAt.IsZero()})
		effective = append(effective, pgtype.Date{Time: r.EffectiveOn, Valid: true})
		periods = append(periods, pgtype.Date{Time: r.Period, Valid: true})
		sagas, orders = append(sagas, text(r.SagaID)), append(orders, text(r.OrderRef))
		documents, approved = append(documents, text(r.Document)), append(approved, text(r.Approval))
		hashes = append(hashes, r.Hash[:])
		for _, l := range r.Lines {
			of, before = append(of, int32(i+1)), append(before, last[l.AccountID])
			last[l.AccountID] = int32(len(of))
			numbers, layers = append(numbers, l.Number), append(layers, layerNumber[l.Layer])
			accounts, names = append(accounts, l.AccountID), append(names, l.Account+l.Currency)
			amount := l.Amount
			if l.Side == ledger.Credit {
				amount = -amount
			}
			amounts, posted = append(amounts, amount), append(posted, l.PostedAfter)
			debits, credits = append(debits, l.HeldDebitsAfter), append(credits, l.HeldCreditsAfter)
		}
	}
	return []any{
		book.Tenant, head.BookID, head.Version, head.Seq, head.Hash[:], recorded[0].RecordedAt,
		ids, kinds, resolves, reverses, expires, effective, periods, purposes, actors, reasons, sagas, orders, documents, approved, hashes,
		of, numbers, accounts, names, before, layers, amounts, posted, debits, credits,
	}
}

// Door is the door's statement, and DoorRows are its arguments on the wire.
var Door = postBatch

func DoorRows(ctx context.Context, conn *pgx.Conn, book ledger.Book, head ledger.Head, recorded []*ledger.Recorded) ([][]byte, error) {
	types, err := typesOf(ctx, conn)
	return doorArguments(types, book, head, recorded, true), err
}

// Queued is how many calls wait for a book's writer.
func (s *Store) Queued(book ledger.Book) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.writers[book]; w != nil {
		return len(w.queue)
	}
	return 0
}
