package ledgerbench

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/pglocal"
	"github.com/recourse/recourse/ledger"
)

// accounts of the uniform shape; the hot shape's first one is in every transfer.
const accounts = 10_000

// A server is a private Postgres with the product's schema, a tenant with its
// accounts, and the baseline's tables beside them.
type server struct {
	cluster *pglocal.Cluster
	dir     string
	tenant  uuid.UUID
	pool    *pgxpool.Pool // as app_worker
	super   string
}

func start(ctx context.Context) (_ *server, err error) {
	s := &server{tenant: uuid.New()}
	if s.dir, err = os.MkdirTemp("", "recourse-bench-*"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { //nolint:gosec // Postgres' own user must reach its folder in it
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	s.cluster = pglocal.New(pglocal.Config{Dir: s.dir, Settings: map[string]string{
		"shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "15min", "max_connections": "100",
	}})
	if err := s.cluster.Ensure(ctx); err != nil {
		return nil, err
	}
	if err := s.cluster.DieWithProcess(); err != nil {
		return nil, err
	}
	s.super = s.cluster.SuperURL("postgres")
	if err := s.schema(ctx); err != nil {
		s.stop()
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(as(s.super, "app_worker"))
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = 16
	s.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	return s, err
}

func (s *server) stop() {
	if s.pool != nil {
		s.pool.Close()
	}
	_ = s.cluster.Stop(context.Background())
	_ = os.RemoveAll(s.dir)
}

func (s *server) schema(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.super)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	statements := []string{db.Roles(), "alter role migrator password 'bench'", "alter role app_worker password 'bench'", "alter role auditor_ro password 'bench'", "alter role sealer password 'bench'", "alter role app_api password 'bench'"}
	for _, q := range statements {
		if _, err := conn.Exec(ctx, q); err != nil {
			return fmt.Errorf("%.40s: %w", q, err)
		}
	}
	if err := db.Migrate(ctx, as(s.super, "migrator")); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `insert into app.tenant (id, name) values ($1, 'bench')`, s.tenant); err != nil {
		return fmt.Errorf("make the tenant: %w", err)
	}
	return s.prepare(ctx, conn)
}

// prepare opens the accounts in the tenant's first book and makes the
// baseline's tables.
func (s *server) prepare(ctx context.Context, conn *pgx.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, s.tenant.String())
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `set local role ledger_owner`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			select ledger.add_accounts($1, 'main', array_agg(code), array_agg(code), array_agg('asset'::text), array_agg('D'::text), array_agg('usd'::text), '{}', '{}')
			  from (select 'bench-' || n as code from generate_series(0, $2 - 1) n) c`, s.tenant, accounts)
		return err
	})
	if err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	if _, err := conn.Exec(ctx, baselineSchema); err != nil {
		return fmt.Errorf("make the baseline's tables: %w", err)
	}
	if _, err := conn.Exec(ctx, `vacuum analyze`); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

func as(super, role string) string {
	u, err := url.Parse(super)
	if err != nil {
		return super
	}
	u.User = url.UserPassword(role, "bench")
	return u.String()
}

// transfer of the product: one posted transaction with two entries.
func transfer(debit, credit int, amount int64) ledger.Transaction {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return ledger.Transaction{
		ID: id, Kind: ledger.Posted, Purpose: "bench.transfer", Actor: "bench", Reason: "a measurement",
		Entries: []ledger.Entry{
			{Account: code(debit), Side: ledger.Debit, Amount: amount, Currency: "usd"},
			{Account: code(credit), Side: ledger.Credit, Amount: amount, Currency: "usd"},
		},
	}
}

var codes = func() []string {
	out := make([]string, accounts)
	for i := range out {
		out[i] = fmt.Sprintf("bench-%d", i)
	}
	return out
}()

func code(n int) string { return codes[n] }
