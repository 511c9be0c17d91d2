package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

//go:embed door/post.sql
var post string

// Store is the ledger of all tenants. It is safe for concurrent use.
type Store struct {
	pool  *pgxpool.Pool
	chart sync.Map // chartKey: the tenant's accounts in that currency are open
}

type chartKey struct {
	tenant   uuid.UUID
	currency string
}

var _ ledger.Poster = (*Store)(nil)

// New returns the store behind pool, whose role must be able to execute the
// door to post and to select to read.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Post puts a batch into the books in a transaction of its own.
func (s *Store) Post(ctx context.Context, tenant uuid.UUID, batch []ledger.Transaction) ([]ledger.Result, error) {
	var results []ledger.Result
	err := pgtenant.Tx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		var err error
		results, err = s.PostTx(ctx, tx, tenant, batch)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("post: %w", err)
	}
	return results, nil
}

// PostTx puts a batch into the books in the caller's transaction, which must
// belong to the tenant (pgtenant.Tx). If the caller rolls back, nothing was
// posted, whatever the results said.
func (s *Store) PostTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, batch []ledger.Transaction) ([]ledger.Result, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if err := s.openChart(ctx, tx, tenant, batch); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, post, doorArguments(tenant, batch)...)
	if err != nil {
		return nil, fmt.Errorf("ledger.post: %w", err)
	}
	results, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ledger.Result, error) {
		var r ledger.Result
		var place int
		err := row.Scan(&place, &r.ID, &r.Seq, &r.Outcome, &r.Detail)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger.post: %w", err)
	}
	if len(results) != len(batch) {
		return nil, fmt.Errorf("the ledger answered %d results to %d transactions", len(results), len(batch))
	}
	for _, r := range results {
		if r.Outcome == ledger.AccountUnknown {
			s.forget(tenant)
		}
	}
	return results, nil
}

// openChart opens the tenant's accounts in the batch's currencies. They are
// remembered only once somebody else's commit has been seen, because this
// transaction may still roll back.
func (s *Store) openChart(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, batch []ledger.Transaction) error {
	asked := map[string]bool{}
	for _, t := range batch {
		for _, e := range t.Entries {
			key := chartKey{tenant, e.Currency}
			if _, open := s.chart.Load(key); open || asked[e.Currency] || !ledger.KnownCurrency(e.Currency) {
				continue
			}
			asked[e.Currency] = true
			opened, err := ledgerdb.New(tx).OpenAccounts(ctx, chartArguments(tenant, e.Currency))
			if err != nil {
				return fmt.Errorf("open accounts in %s: %w", e.Currency, err)
			}
			if opened == 0 {
				s.chart.Store(key, true)
			}
		}
	}
	return nil
}

func chartArguments(tenant uuid.UUID, currency string) ledgerdb.OpenAccountsParams {
	p := ledgerdb.OpenAccountsParams{TenantID: tenant, Currency: currency}
	for _, a := range ledger.Chart() {
		p.Codes = append(p.Codes, a.Code)
		p.Names = append(p.Names, a.Name)
		p.Types = append(p.Types, string(a.Type))
		p.Sides = append(p.Sides, string(a.Normal))
	}
	return p
}

func (s *Store) forget(tenant uuid.UUID) {
	s.chart.Range(func(key, _ any) bool {
		if k, ok := key.(chartKey); ok && k.tenant == tenant {
			s.chart.Delete(key)
		}
		return true
	})
}

// doorArguments lays a batch out as the door's parallel arrays. Pointers are
// the arrays' nulls.
func doorArguments(tenant uuid.UUID, batch []ledger.Transaction) []any {
	var (
		ids                              []uuid.UUID
		kinds, purposes, actors, reasons []string
		resolves, reverses               []*uuid.UUID
		effective                        []*time.Time
		sagas, orders, documents         []*string
		digests                          [][]byte
		of                               []int32
		codes, currencies, sides         []string
		amounts                          []int64
	)
	for i, t := range batch {
		digest := t.Digest()
		ids = append(ids, t.ID)
		kinds = append(kinds, string(t.Kind))
		resolves = append(resolves, optional(t.Resolves))
		reverses = append(reverses, optional(t.Reverses))
		purposes = append(purposes, t.Purpose)
		effective = append(effective, optionalTime(t.EffectiveOn))
		actors = append(actors, t.Actor)
		reasons = append(reasons, t.Reason)
		sagas = append(sagas, optional(t.SagaID))
		orders = append(orders, optional(t.OrderRef))
		documents = append(documents, optional(t.Document))
		digests = append(digests, digest[:])
		for _, e := range t.Entries {
			of = append(of, int32(i+1))
			codes = append(codes, e.Account)
			currencies = append(currencies, e.Currency)
			sides = append(sides, string(e.Side))
			amounts = append(amounts, e.Amount)
		}
	}
	return []any{
		tenant, ids, kinds, resolves, reverses, purposes, effective, actors, reasons, sagas, orders, documents, digests,
		of, codes, currencies, sides, amounts,
	}
}

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
