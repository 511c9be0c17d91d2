package postgres_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// BenchmarkProof measures the audit and a proof on one book, sealed:
//
//	RECOURSE_BENCH_TRANSACTIONS=1000000 go test ./ledger/postgres -run '^$' -bench Proof -benchtime 1x -timeout 60m
func BenchmarkProof(b *testing.B) {
	n := 20_000
	if v, err := strconv.Atoi(os.Getenv("RECOURSE_BENCH_TRANSACTIONS")); err == nil {
		n = v
	}
	db := pgtest.New(b)
	book := ledger.Main(db.Tenant())
	store := postgres.New(db.Pool("app_worker"))
	began := time.Now()
	var ids []uuid.UUID
	for at := 0; at < n; at += 1000 {
		batch := make([]ledger.Transaction, 0, 1000)
		for i := range min(1000, n-at) {
			id := uuid.Must(uuid.NewV7())
			if i == 500 {
				ids = append(ids, id)
			}
			amount := int64(1000 + (at+i)%9000)
			batch = append(batch, ledger.Transaction{
				ID: id, Kind: ledger.Posted, Purpose: "booking.capture", Actor: "saga", Reason: "captured",
				SagaID: fmt.Sprintf("sg_01kabcdefghjkmnpqrstv%05d", (at+i)%100_000), OrderRef: fmt.Sprintf("A-%d", at+i), Document: "pi_3MtwBwLkdIwHu7ix28a3tqPa",
				Entries: []ledger.Entry{
					{Account: ledger.StripeClearing, Side: ledger.Debit, Amount: amount, Currency: "usd"},
					{Account: ledger.CustomerDeposits, Side: ledger.Credit, Amount: amount, Currency: "usd"},
				},
			})
		}
		results, err := store.Post(b.Context(), book, batch)
		require.NoError(b, err)
		require.NoError(b, results[0].Err())
	}
	b.Logf("posted %d transactions in %s", n, time.Since(began).Round(time.Millisecond))
	_, err := db.Super().Exec(b.Context(), "vacuum analyze")
	require.NoError(b, err)

	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(b, err)
	seals := postgres.NewSeals(db.Pool("sealer"))
	began = time.Now()
	checkpoints := 0
	for {
		due, err := seals.Due(b.Context(), nil)
		require.NoError(b, err)
		if len(due) == 0 {
			break
		}
		_, _, _, err = seals.Seal(b.Context(), due[0], key)
		require.NoError(b, err)
		checkpoints++
	}
	b.Logf("sealed in %d checkpoints in %s", checkpoints, time.Since(began).Round(time.Millisecond))

	b.Run("verify", func(b *testing.B) {
		cfg, err := pgx.ParseConfig(db.URL("auditor_ro"))
		require.NoError(b, err)
		for b.Loop() {
			var peak atomic.Uint64
			began := time.Now()
			report, err := postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Progress: func(ledger.Book, int64, int64, int64) {
				if time.Now().UnixNano()%16 == 0 {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					peak.Store(max(peak.Load(), m.HeapInuse))
				}
			}}.Run(b.Context(), cfg)
			require.NoError(b, err)
			require.Empty(b, report.Violations)
			b.ReportMetric(float64(report.Books[0].Postings)/time.Since(began).Seconds(), "postings/s")
			b.ReportMetric(float64(peak.Load())/(1<<20), "peak-heap-MiB")
		}
	})
	b.Run("prove", func(b *testing.B) {
		for b.Loop() {
			took := make([]time.Duration, 0, 500)
			for i := range cap(took) {
				began := time.Now()
				_, err := store.Prove(b.Context(), book, ids[i*7919%len(ids)])
				require.NoError(b, err)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		}
	})
	b.Run("verify-proof", func(b *testing.B) {
		bundle, err := store.Prove(b.Context(), book, ids[0])
		require.NoError(b, err)
		for b.Loop() {
			_, err := bundle.Verify(key.PublicKey)
			require.NoError(b, err)
		}
	})
}
