package ledgerbench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// proofs seals the book as the sealer does and proves transactions from all
// over it, each proof checked as whoever is shown it checks it.
func (s *server) proofs(ctx context.Context, print func(Line)) error {
	pool, err := pgxpool.New(ctx, s.URL("sealer"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer pool.Close()
	key, err := seal.NewKey("bench.example/ledger", seal.ForLog)
	if err != nil {
		return err
	}
	seals := postgres.NewSeals(pool)
	began, size := time.Now(), int64(0)
	for {
		due, err := seals.Due(ctx, nil)
		if err != nil {
			return err
		}
		if len(due) == 0 {
			break
		}
		c, _, _, err := seals.Seal(ctx, due[0], key)
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		size = c.Size
	}
	print(Line{Bench: "ledger.seal", Shape: fmt.Sprintf("%d transactions", size), Clients: 1, Value: float64(size) / time.Since(began).Seconds(), Unit: "1/s"})
	store := postgres.New(s.pool)
	var took []time.Duration
	for i := range 550 {
		id, err := s.idOf(ctx, 1+rand.Int64N(size))
		if err != nil {
			return err
		}
		began := time.Now()
		bundle, err := store.Prove(ctx, ledger.Main(s.tenant), id)
		if err != nil {
			return fmt.Errorf("prove: %w", err)
		}
		if i >= 50 {
			took = append(took, time.Since(began))
		}
		if _, err := bundle.Verify(key.PublicKey); err != nil {
			return fmt.Errorf("the proof does not hold: %w", err)
		}
	}
	for _, p := range []float64{50, 99} {
		print(Line{
			Bench: "ledger.prove", Shape: fmt.Sprintf("one of %d transactions, p%.0f", size, p), Clients: 1, Value: ms(quantile(took, p)), Unit: "ms",
			Baseline: "what is promised", BaselineValue: 20,
		})
	}
	return nil
}

func (s *server) idOf(ctx context.Context, seq int64) (id uuid.UUID, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return id, err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return id, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, s.tenant.String()); err != nil {
		return id, err
	}
	err = tx.QueryRow(ctx, `select j.id from ledger.journal j where j.book_id = (select b.id from ledger.book b) and j.seq = $1`, seq).Scan(&id)
	return id, err
}
