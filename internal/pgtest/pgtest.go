// Package pgtest gives each test a real, migrated Postgres database of its own.
//
// A test process starts one private cluster the first time it is asked (or
// uses TEST_DATABASE_URL, a superuser's URL) and migrates one template
// database; each test gets a clone of it in some tens of milliseconds. The
// cluster ends with the process, however that ends. When there is no Postgres
// the test fails and says which command to type.
package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/pglocal"
)

// password of every login role in a test cluster, which listens on loopback
// and lives as long as the test.
const password = "test"

var logins = []string{"migrator", "app_api", "app_worker", "finance_ro", "auditor_ro", "sealer"}

// DB is one test's database.
type DB struct {
	t    testing.TB
	name string
	srv  *server
}

// server is where the databases are, with the name of the template.
type server struct {
	super    string
	template string
}

var (
	once  = sync.OnceValues(start)
	roles sync.Mutex
)

// New returns a fresh database, gone when the test ends.
func New(tb testing.TB) *DB {
	tb.Helper()
	srv, err := once()
	require.NoError(tb, err, "tests need Postgres; make postgres finds or installs it")
	d := named(tb, srv)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	require.NoError(tb, srv.clone(ctx, d.name))
	return d
}

// NewEmpty returns a database with roles and no migration, gone when the test
// ends.
func NewEmpty(tb testing.TB) *DB {
	tb.Helper()
	srv, err := once()
	require.NoError(tb, err, "tests need Postgres; make postgres finds or installs it")
	d := named(tb, srv)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	require.NoError(tb, srv.exec(ctx, "create database "+d.name))
	roles.Lock() // they are the cluster's: two scripts at once change one row of its catalogue
	defer roles.Unlock()
	require.NoError(tb, srv.execIn(ctx, d.name, db.Roles()))
	return d
}

// named names a database that is dropped when the test ends.
func named(tb testing.TB, srv *server) *DB {
	tb.Helper()
	d := &DB{t: tb, name: "t_" + strings.ReplaceAll(uuid.NewString(), "-", ""), srv: srv}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
		defer cancel()
		if err := srv.exec(ctx, "drop database if exists "+d.name+" with (force)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return d
}

// URL is the connection string of a role: one of those in db/roles.sql.
func (d *DB) URL(role string) string {
	u, err := url.Parse(d.srv.super)
	require.NoError(d.t, err)
	u.User = url.UserPassword(role, password)
	u.Path = "/" + d.name
	return u.String()
}

// SuperURL is the superuser's connection string, for looking and for breaking.
func (d *DB) SuperURL() string {
	u, err := url.Parse(d.srv.super)
	require.NoError(d.t, err)
	u.Path = "/" + d.name
	return u.String()
}

// Pool connects as a role.
func (d *DB) Pool(role string) *pgxpool.Pool { return d.pool(d.URL(role)) }

// Super connects as the superuser.
func (d *DB) Super() *pgxpool.Pool { return d.pool(d.SuperURL()) }

func (d *DB) pool(u string) *pgxpool.Pool {
	d.t.Helper()
	cfg, err := pgxpool.ParseConfig(u)
	require.NoError(d.t, err)
	cfg.MaxConns = 16
	p, err := pgxpool.NewWithConfig(d.t.Context(), cfg)
	require.NoError(d.t, err)
	d.t.Cleanup(p.Close)
	return p
}

// Tenant makes a tenant.
func (d *DB) Tenant() uuid.UUID {
	d.t.Helper()
	id := uuid.New()
	conn, err := pgx.Connect(d.t.Context(), d.SuperURL())
	require.NoError(d.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(d.t.Context())) }()
	_, err = conn.Exec(d.t.Context(), `insert into app.tenant (id, name) values ($1, $2)`, id, "tenant "+id.String()[:8])
	require.NoError(d.t, err)
	return id
}

func start() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	super := os.Getenv("TEST_DATABASE_URL")
	if super == "" {
		c, err := cluster(ctx, "", nil)
		if err != nil {
			return nil, err
		}
		super = c.SuperURL("postgres")
	}
	srv := &server{super: super, template: "recourse_template_" + fingerprint()}
	return srv, srv.prepare(ctx)
}

// cluster starts a cluster that ends with the process.
func cluster(ctx context.Context, within string, settings map[string]string) (*pglocal.Cluster, error) {
	dir, err := os.MkdirTemp(within, "recourse-pgtest-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the test cluster: %w", err)
	}
	all := map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
		"max_connections": "1000", // a test opens some pools of sixteen, and there are as many tests at once as processors
	}
	maps.Copy(all, settings)
	c := pglocal.New(pglocal.Config{Dir: dir, Settings: all})
	if err := c.Ensure(ctx); err != nil {
		return nil, err
	}
	return c, c.DieWithProcess()
}

// NewCluster returns a database on a cluster of its own, for tests that break
// the server. Its folder is made within the one given, or where temporary ones
// are; settings go on top of ours.
func NewCluster(tb testing.TB, within string, settings map[string]string) (*DB, *pglocal.Cluster) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 3*time.Minute)
	defer cancel()
	c, err := cluster(ctx, within, settings)
	require.NoError(tb, err, "tests need Postgres; make postgres finds or installs it")
	tb.Cleanup(func() { _ = c.Stop(context.WithoutCancel(tb.Context())) })
	srv := &server{super: c.SuperURL("postgres"), template: "recourse_template_" + fingerprint()}
	require.NoError(tb, srv.prepare(ctx))
	d := &DB{t: tb, name: "t_broken", srv: srv}
	require.NoError(tb, srv.clone(ctx, d.name))
	return d, c
}

// On is the same database on another cluster, such as a standby of this one.
func (d *DB) On(c *pglocal.Cluster) *DB {
	return &DB{t: d.t, name: d.name, srv: &server{super: c.SuperURL("postgres")}}
}

// prepare makes the template unless another process has made it.
func (s *server) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.super)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `select pg_advisory_lock(7263)`); err != nil {
		return fmt.Errorf("lock the test server: %w", err)
	}
	var have bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1 and datistemplate)`, s.template).Scan(&have); err != nil {
		return fmt.Errorf("look for the template: %w", err)
	}
	if have {
		return nil
	}
	for _, sql := range []string{"drop database if exists " + s.template + " with (force)", "create database " + s.template} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the template: %w", err)
		}
	}
	if err := s.execIn(ctx, s.template, db.Roles()); err != nil {
		return err
	}
	for _, role := range logins {
		if _, err := conn.Exec(ctx, "alter role "+role+" password '"+password+"'"); err != nil {
			return fmt.Errorf("set the password of %s: %w", role, err)
		}
	}
	u, err := url.Parse(s.super)
	if err != nil {
		return fmt.Errorf("read the server's URL: %w", err)
	}
	u.User, u.Path = url.UserPassword("migrator", password), "/"+s.template
	if err := db.Migrate(ctx, u.String()); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "alter database "+s.template+" is_template true")
	return err
}

// clone copies the template. A database's own privileges are not part of the
// copy, so they are granted again.
func (s *server) clone(ctx context.Context, name string) error {
	return s.exec(ctx,
		"create database "+name+" template "+s.template,
		"alter database "+name+" owner to recourse_owner",
		"revoke all on database "+name+" from public",
		"grant connect on database "+name+" to "+strings.Join(logins, ", "))
}

func (s *server) exec(ctx context.Context, statements ...string) error {
	return s.execIn(ctx, "", statements...)
}

func (s *server) execIn(ctx context.Context, database string, statements ...string) error {
	cfg, err := pgx.ParseConfig(s.super)
	if err != nil {
		return fmt.Errorf("read the server's URL: %w", err)
	}
	if database != "" {
		cfg.Database = database
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, sql := range statements {
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			return fmt.Errorf("%.60s: %w", sql, err)
		}
	}
	return nil
}

// fingerprint tells templates of different schemas on one server apart.
func fingerprint() string {
	sum := sha256.Sum256([]byte(db.Roles() + db.Text()))
	return hex.EncodeToString(sum[:6])
}
