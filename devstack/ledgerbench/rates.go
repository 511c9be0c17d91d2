package ledgerbench

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
)

//go:embed baseline.sql
var baselineSchema string

// A shape picks the two accounts of a transfer.
type shape func() (debit, credit int)

func uniform() (debit, credit int) {
	debit, credit = rand.IntN(accounts), rand.IntN(accounts-1)
	if credit >= debit {
		credit++
	}
	return debit, credit
}

func hot() (debit, credit int) { return 0, 1 + rand.IntN(accounts-1) }

const (
	warm    = time.Second
	measure = 5 * time.Second
)

// rate runs work in clients goroutines and counts what finishes in the
// measured time. work does one round and returns how many transfers it made.
func rate(ctx context.Context, clients int, work func(ctx context.Context, client int) (int, error)) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, warm+measure)
	defer cancel()
	var n atomic.Int64
	var failed atomic.Pointer[error]
	began := time.Now().Add(warm)
	until := began.Add(measure)
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				k, err := work(context.WithoutCancel(ctx), client)
				if err != nil {
					failed.Store(&err)
					cancel()
					return
				}
				if now := time.Now(); now.After(began) && now.Before(until) {
					n.Add(int64(k))
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(n.Load()) / measure.Seconds(), nil
}

// postRate is ours: each client posts one transfer at a time.
func (s *server) postRate(ctx context.Context, clients int, pick shape) (float64, error) {
	store := postgres.New(s.pool)
	book := ledger.Main(s.tenant)
	return rate(ctx, clients, func(ctx context.Context, _ int) (int, error) {
		d, c := pick()
		results, err := store.Post(ctx, book, []ledger.Transaction{transfer(d, c, 1+rand.Int64N(1000))})
		if err != nil {
			return 0, err
		}
		return 1, results[0].Err()
	})
}

// A way of writing the baseline's transfer: statements, sent in order, that are
// one transaction.
type way struct {
	name       string
	statements []string
	arguments  func(id []byte, debit, credit int, amount int64) [][][]byte
}

// The ways. Statements are what an application without functions in the
// database sends, in one go; the function is the least that one can send.
var (
	asStatements = way{
		name: "hand-written SQL: three statements a transfer in one transaction, pipelined on 16 connections, no chain",
		statements: []string{
			`insert into bench.transfer (id, kind, purpose, actor, reason) values ($1, 'posted', 'bench.transfer', 'bench', 'a measurement')`,
			`with b as (update bench.account set debits = debits + $3, credits = credits + $4 where id = $2 returning debits - credits as after)
			 insert into bench.entry (transfer_id, account_id, amount, balance_after, line, side) select $1, $2, $3 + $4, after, 1, case when $3 > 0 then 'D' else 'C' end from b`,
		},
		arguments: func(id []byte, debit, credit int, amount int64) [][][]byte {
			d, c := [][]byte{id, int8(int64(debit)), int8(amount), int8(0)}, [][]byte{id, int8(int64(credit)), int8(0), int8(amount)}
			if debit > credit {
				d, c = c, d // in order of account, so that nothing deadlocks
			}
			return [][][]byte{{id}, d, c}
		},
	}
	asFunction = way{
		name:       "hand-written function in the database, one call and one transaction a transfer, pipelined on 16 connections, no chain",
		statements: []string{`select bench.post($1, $2, $3, $4, 'bench.transfer', 'bench', 'a measurement')`},
		arguments: func(id []byte, debit, credit int, amount int64) [][][]byte {
			return [][][]byte{{id, int8(int64(debit)), int8(int64(credit)), int8(amount)}}
		},
	}
)

const baselineConnections = 16

// baselineRate is one transaction a transfer, prepared and pipelined, on 16
// connections that share the clients among them.
func (s *server) baselineRate(ctx context.Context, clients int, pick shape, w way) (float64, error) {
	depth := max(1, clients/baselineConnections)
	conns := make([]*pgx.Conn, min(clients, baselineConnections))
	for i := range conns {
		conn, err := pgx.Connect(ctx, s.Super)
		if err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		for n, sql := range w.statements {
			if _, err := conn.Prepare(ctx, fmt.Sprintf("s%d", n), sql); err != nil {
				return 0, fmt.Errorf("prepare: %w", err)
			}
		}
		conns[i] = conn
	}
	return rate(ctx, len(conns), func(ctx context.Context, client int) (int, error) {
		p := conns[client].PgConn().StartPipeline(ctx)
		for range depth {
			d, c := pick()
			id, err := uuid.NewV7()
			if err != nil {
				return 0, err
			}
			for n, arguments := range w.arguments(id[:], d, c, 1+rand.Int64N(1000)) {
				p.SendQueryPrepared(fmt.Sprintf("s%d", min(n, len(w.statements)-1)), arguments, []int16{1}, nil)
			}
			if err := p.Sync(); err != nil { // the transaction's end
				return 0, err
			}
		}
		return depth, p.Close()
	})
}

func int8(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// alone is the latency of one caller with nobody else about, ours and a plain
// insert's, in turn.
func (s *server) alone(ctx context.Context, n int) (ours, plain []time.Duration, err error) {
	store := postgres.New(s.pool)
	book := ledger.Main(s.tenant)
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Release()
	super, err := pgx.Connect(ctx, s.Super)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = super.Close(context.WithoutCancel(ctx)) }()
	for first := 0; first < accounts; first += 500 { // a writer that has met its accounts
		batch := make([]ledger.Transaction, 0, 250)
		for i := first; i < first+500; i += 2 {
			batch = append(batch, transfer(i, i+1, 1))
		}
		if _, err := store.Post(ctx, book, batch); err != nil {
			return nil, nil, err
		}
	}
	for i := range n + 100 {
		d, c := uniform()
		began := time.Now()
		results, err := store.Post(ctx, book, []ledger.Transaction{transfer(d, c, 5)})
		if err == nil {
			err = results[0].Err()
		}
		if err != nil {
			return nil, nil, err
		}
		mid := time.Now()
		if _, err := super.Exec(ctx, `insert into bench.single (id, note) values ($1, 'a measurement')`, uuid.New()); err != nil {
			return nil, nil, err
		}
		if i >= 100 {
			ours, plain = append(ours, mid.Sub(began)), append(plain, time.Since(mid))
		}
	}
	return ours, plain, nil
}

func quantile(all []time.Duration, p float64) time.Duration {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}
