package ledgerbench

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	mrand "math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

//go:embed bare.sql
var bareSchema string

const bareName = "bare COPY of the same journal and posting rows with the balance update, 1000 transfers a commit, one writer, no chain and no checks"

// bareRate is the limit: what the server does when it is only told. The rows
// are the ledger's in tables with the ledger's columns and indexes; there is no
// trigger, no row security, no index of ids and no hash but 32 random bytes.
func (s *server) bareRate(ctx context.Context, pick shape) (float64, error) {
	conn, err := pgx.Connect(ctx, s.Super)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, bareSchema); err != nil {
		return 0, fmt.Errorf("make the tables of the bare copy: %w", err)
	}
	b := &bare{conn: conn, after: make([]int64, accounts), at: time.Now().UTC().Truncate(time.Microsecond)}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), `drop schema bare cascade`) }()
	return rate(ctx, 1, func(ctx context.Context, _ int) (int, error) {
		const n = 1000
		return n, b.write(ctx, n, pick)
	})
}

type bare struct {
	conn  *pgx.Conn
	after []int64 // debits less credits by account
	seq   int64
	at    time.Time
}

func (b *bare) write(ctx context.Context, n int, pick shape) error {
	journal, posting := make([][]any, 0, n), make([][]any, 0, 2*n)
	debits, credits := map[int64]int64{}, map[int64]int64{}
	day := b.at.Truncate(24 * time.Hour)
	period := day.AddDate(0, 0, 1-day.Day())
	hashes := make([]byte, 32*n)
	_, _ = rand.Read(hashes) // never fails
	for i := range n {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		d, c := pick()
		amount := 1 + mrand.Int64N(1000)
		b.seq++
		b.at = b.at.Add(time.Microsecond)
		b.after[d] += amount
		debits[int64(d)] += amount
		journal = append(journal, []any{
			b.seq, b.at, id, int32(1), day, period, "posted", "bench.transfer", "bench", "a measurement", hashes[32*i : 32*i+32],
		})
		posting = append(posting, []any{b.at, b.seq, int64(d), amount, b.after[d], int64(0), int64(0), int32(1), period, int16(1), "D", "P"})
		b.after[c] -= amount
		credits[int64(c)] += amount
		posting = append(posting, []any{b.at, b.seq, int64(c), amount, b.after[c], int64(0), int64(0), int32(1), period, int16(2), "C", "P"})
	}
	var ids, ds, cs []int64
	for id, n := range debits {
		ids, ds, cs = append(ids, id), append(ds, n), append(cs, credits[id])
	}
	for id, n := range credits {
		if debits[id] == 0 {
			ids, ds, cs = append(ids, id), append(ds, 0), append(cs, n)
		}
	}
	return pgx.BeginFunc(ctx, b.conn, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"bare", "journal"}, []string{
			"seq", "recorded_at", "id", "book_id", "effective_on", "period", "kind", "purpose", "actor", "reason", "hash",
		}, pgx.CopyFromRows(journal))
		if err == nil {
			_, err = tx.CopyFrom(ctx, pgx.Identifier{"bare", "posting"}, []string{
				"recorded_at", "seq", "account_id", "amount", "posted_after", "held_debits_after", "held_credits_after", "book_id", "period", "line", "side", "layer",
			}, pgx.CopyFromRows(posting))
		}
		if err == nil {
			_, err = tx.Exec(ctx, `update bare.balance b set debits_posted = b.debits_posted + u.d, credits_posted = b.credits_posted + u.c
				from unnest($1::bigint[], $2::bigint[], $3::bigint[]) u (id, d, c) where b.account_id = u.id`, ids, ds, cs)
		}
		return err
	})
}
