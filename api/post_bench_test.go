package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/ledger"
)

// memory is books without a database: what is measured is the way there and back.
type memory struct {
	api.Books

	sheet ledger.Sheet
}

func (m *memory) Post(_ context.Context, _ ledger.Book, batch []ledger.Transaction) ([]ledger.Result, error) {
	results := make([]ledger.Result, len(batch))
	for i, t := range batch {
		_, results[i] = m.sheet.Next(t, time.Now())
	}
	return results, nil
}

type everyone struct{ who auth.Principal }

func (e everyone) Check(context.Context, string) (auth.Principal, error) { return e.who, nil }

// recorder is the least that takes an answer.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }
func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body[:0], b...)
	return len(b), nil
}

// BenchmarkPostTransaction is a request's way through the API without network
// and database, its log line included.
func BenchmarkPostTransaction(b *testing.B) {
	usd := func(code string) ledger.AccountKey { return ledger.AccountKey{Code: code, Currency: "usd"} }
	books := &memory{sheet: ledger.Sheet{Accounts: map[ledger.AccountKey]*ledger.OpenAccount{usd("1020"): {ID: 1}, usd("2010"): {ID: 2}}}}
	handler, err := api.New(api.Config{
		Books: books, Credentials: everyone{auth.Principal{Tenant: uuid.New(), KeyID: "k", Role: "marketplace"}},
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	require.NoError(b, err)
	body := []byte(transfer)
	r := &recorder{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(r.header)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://api.test/v1/ledger/transactions", bytes.NewReader(body))
		require.NoError(b, err)
		req.Header = http.Header{
			"Authorization": {"Bearer sk_test_x_y"}, "Content-Type": {"application/json"}, "Idempotency-Key": {uuid.NewString()},
		}
		handler.ServeHTTP(r, req)
		if r.status != http.StatusCreated {
			b.Fatalf("%d: %s", r.status, r.body)
		}
	}
}
