package ledgerbench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger/postgres"
)

// history loads n transfers and measures what must not depend on how long the
// history is: reading a balance as of a past moment, posting, proving. Then it
// exports and verifies all of it.
func (s *server) history(ctx context.Context, n int, empty float64, talk io.Writer, print func(Line)) error {
	fmt.Fprintf(talk, "recourse: loading %d transfers\n", n)
	if err := s.load(ctx, n, talk, print); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.Super)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `vacuum analyze`); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	if err := s.asOfs(ctx, conn, print); err != nil {
		return err
	}
	full, err := s.postRate(ctx, 64, uniform)
	if err != nil {
		return err
	}
	print(Line{
		Bench: "ledger.post", Shape: fmt.Sprintf("uniform, after %d transfers", n), Clients: 64, Value: full, Unit: "1/s",
		Baseline: "our own rate at the start", BaselineValue: empty,
	})
	fmt.Fprintln(talk, "recourse: sealing, proving and exporting")
	if err := s.proofs(ctx, print); err != nil {
		return err
	}
	if err := s.exports(ctx, talk, print); err != nil {
		return err
	}
	fmt.Fprintln(talk, "recourse: verifying all of it")
	audit, err := pgx.Connect(ctx, s.URL("auditor_ro"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = audit.Close(context.WithoutCancel(ctx)) }()
	var lines int64
	if err := conn.QueryRow(ctx, `select count(*) from ledger.posting`).Scan(&lines); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	began := time.Now()
	found, err := postgres.Verify(ctx, audit, 10)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("the books do not verify: %+v", found)
	}
	print(Line{Bench: "ledger.verify", Shape: fmt.Sprintf("%d entries", lines), Clients: 1, Value: float64(lines) / time.Since(began).Seconds(), Unit: "1/s"})
	return nil
}

// asOfs compares the account with the longest history with one that has about
// ten thousand lines.
func (s *server) asOfs(ctx context.Context, conn *pgx.Conn, print func(Line)) error {
	took := make([][]time.Duration, 2)
	lines := make([]int64, 2)
	for i := range took {
		var err error
		if took[i], err = s.asOf(ctx, code(i)); err != nil {
			return err
		}
		err = conn.QueryRow(ctx, `select count(*) from ledger.posting p join ledger.account a on a.id = p.account_id where a.code = $1`, code(i)).Scan(&lines[i])
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
	}
	for _, p := range []float64{50, 99} {
		print(Line{
			Bench: "ledger.as_of", Shape: fmt.Sprintf("an account with %d entries, p%.0f", lines[0], p), Clients: 1, Value: ms(quantile(took[0], p)), Unit: "ms",
			Baseline: fmt.Sprintf("an account with %d entries", lines[1]), BaselineValue: ms(quantile(took[1], p)),
		})
	}
	return nil
}

// asOf reads an account's balance at random moments of its past.
func (s *server) asOf(ctx context.Context, account string) ([]time.Duration, error) {
	var took []time.Duration
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var id int64
		var first, last time.Time
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, s.tenant.String()); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `
			select a.id, (select min(recorded_at) from ledger.posting where account_id = a.id), (select max(recorded_at) from ledger.posting where account_id = a.id)
			  from ledger.account a where a.code = $1`, account).Scan(&id, &first, &last)
		if err != nil {
			return err
		}
		for i := range 1100 {
			at := first.Add(time.Duration(rand.Int64N(int64(last.Sub(first)) + 1)))
			began := time.Now()
			var posted int64
			if err := tx.QueryRow(ctx, `select posted from ledger.balance_at($1, $2)`, id, at).Scan(&posted); err != nil {
				return err
			}
			if i >= 100 {
				took = append(took, time.Since(began))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("as of: %w", err)
	}
	return took, nil
}
