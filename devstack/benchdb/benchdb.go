// Package benchdb starts the Postgres that measurements run on: a private
// cluster with the product's schema, every commit on disk, thrown away after.
package benchdb

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
)

// A Server is the cluster.
type Server struct {
	Super string // the superuser's URL

	cluster *pglocal.Cluster
	dir     string
}

// Start makes the cluster; it dies with the process, or by Stop.
func Start(ctx context.Context) (_ *Server, err error) {
	s := &Server{}
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
	s.Super = s.cluster.SuperURL("postgres")
	if err := s.schema(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Stop ends the cluster and removes its folder.
func (s *Server) Stop() {
	_ = s.cluster.Stop(context.Background())
	_ = os.RemoveAll(s.dir)
}

func (s *Server) schema(ctx context.Context) error {
	return s.Do(ctx, func(conn *pgx.Conn) error {
		statements := []string{db.Roles()}
		for _, role := range []string{"migrator", "app_api", "app_worker", "auditor_ro", "sealer"} {
			statements = append(statements, "alter role "+role+" password 'bench'")
		}
		for _, q := range statements {
			if _, err := conn.Exec(ctx, q); err != nil {
				return fmt.Errorf("%.40s: %w", q, err)
			}
		}
		return db.Migrate(ctx, s.URL("migrator"))
	})
}

// Do runs fn as the superuser.
func (s *Server) Do(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.Super)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return fn(conn)
}

// Tenant makes a tenant.
func (s *Server) Tenant(ctx context.Context) (uuid.UUID, error) {
	id := uuid.New()
	err := s.Do(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `insert into app.tenant (id, name) values ($1, 'bench')`, id)
		return err
	})
	if err != nil {
		return id, fmt.Errorf("make a tenant: %w", err)
	}
	return id, nil
}

// Pool opens connections as a role of the product, at most most of them.
func (s *Server) Pool(ctx context.Context, role string, most int32) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(s.URL(role))
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = most
	return pgxpool.NewWithConfig(ctx, cfg)
}

// URL is how a role of the product connects.
func (s *Server) URL(role string) string {
	u, err := url.Parse(s.Super)
	if err != nil {
		return s.Super // the cluster's own: cannot be
	}
	u.User = url.UserPassword(role, "bench")
	return u.String()
}
