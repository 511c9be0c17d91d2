// Package db is the one history of the one database: roles, migrations and the
// check that a program and a schema belong together.
//
// Migrations only go forward and only expand; what a release stops using, a
// later release drops. CHECKSUMS holds the SHA-256 of each migration, so that
// one that has been applied somewhere cannot be edited unnoticed.
package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed roles.sql
var roles string

// oldest is the first schema version this program can still work with.
const oldest = 20261125100000

// months of partitions that are made ahead of time.
const months = 18

// Roles is the script a superuser runs once, connected to the product's
// database, before the first migration.
func Roles() string { return roles }

// ErrSchema means that the schema is outside the window the program knows.
type ErrSchema struct{ Have, Oldest, Latest int64 }

func (e ErrSchema) Error() string {
	if e.Have < e.Oldest {
		return fmt.Sprintf("the schema is at %d and this program needs %d: run recourse migrate up first", e.Have, e.Latest)
	}
	return fmt.Sprintf("the schema is at %d and this program knows only up to %d: run a newer program", e.Have, e.Latest)
}

// Migrate brings the database to Latest. url is the migrator's. Several at
// once wait for each other.
func Migrate(ctx context.Context, url string) error { return migrate(ctx, url, Latest()) }

// migrate brings the database to a version.
func migrate(ctx context.Context, url string, to int64) (err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	pool := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `select guard.open_maintenance('recourse migrate up')`)
		return err
	}))
	defer func() { err = errors.Join(err, pool.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	store, err := database.NewStore(goose.DialectPostgres, "migration.version")
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	p, err := goose.NewProvider("", pool, files, goose.WithStore(store), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := p.UpTo(ctx, to); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if to < Latest() {
		return nil // a test looks at how it was
	}
	return partitions(ctx, pool)
}

// partitions makes the ledger's partitions of the coming months.
func partitions(ctx context.Context, pool *sql.DB) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("make partitions: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for _, q := range []string{
		`set role ledger_owner`,
		`select ledger.add_partitions((clock_timestamp() at time zone 'UTC')::date, ` + strconv.Itoa(months) + `)`,
		`reset role`,
	} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("make partitions: %w", err)
		}
	}
	return nil
}

// A Querier is a connection or a pool.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Version is the schema's; 0 before the first migration.
func Version(ctx context.Context, q Querier) (int64, error) {
	var v int64
	err := q.QueryRow(ctx, `select coalesce(max(version_id), 0) from migration.version where is_applied`).Scan(&v)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return v, nil
}

// Latest is the newest version this program knows.
func Latest() int64 {
	entries, err := migrations.ReadDir("migrations")
	if err != nil || len(entries) == 0 {
		return 0
	}
	v, err := strconv.ParseInt(strings.SplitN(entries[len(entries)-1].Name(), "_", 2)[0], 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// Check answers ErrSchema unless this program may run on the schema.
func Check(ctx context.Context, q Querier) error {
	have, err := Version(ctx, q)
	if err != nil {
		return err
	}
	if have < oldest || have > Latest() {
		return ErrSchema{Have: have, Oldest: oldest, Latest: Latest()}
	}
	return nil
}

// Text is all migrations in order, for whoever needs to know whether two
// programs carry the same ones.
func Text() string {
	var all strings.Builder
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return ""
	}
	for _, e := range entries {
		raw, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			return ""
		}
		all.Write(raw)
	}
	return all.String()
}
