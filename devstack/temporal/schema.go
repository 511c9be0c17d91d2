// Package temporal runs Temporal's server inside this process, with its tables
// in two databases of a Postgres that is given. It is for development and
// tests: production has a Temporal of its own.
//
// Start brings the tables to the server's version first, with the schema files
// the server's module carries. What it runs survives a kill: Temporal takes its
// shards up again when the next process starts on the same databases.
package temporal

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // the driver
	v12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

// The databases and the login of the server. The login reaches no other.
const (
	Database           = "temporal"
	VisibilityDatabase = "temporal_visibility"
	Login              = "temporal"
)

// Prepare makes the login and both databases where they are missing. super is
// a superuser's connection string.
func Prepare(ctx context.Context, super, password string) error {
	conn, err := pgx.Connect(ctx, super)
	if err != nil {
		return fmt.Errorf("connect to prepare Temporal's databases: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var have bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_roles where rolname = $1)`, Login).Scan(&have); err != nil {
		return fmt.Errorf("look for Temporal's login: %w", err)
	}
	verb := "create"
	if have {
		verb = "alter"
	}
	if _, err := conn.Exec(ctx, verb+" role "+Login+" login password '"+password+"'"); err != nil {
		return fmt.Errorf("make Temporal's login: %w", err)
	}
	for _, name := range []string{Database, VisibilityDatabase} {
		if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, name).Scan(&have); err != nil {
			return fmt.Errorf("look for database %s: %w", name, err)
		}
		if have {
			continue
		}
		if _, err := conn.Exec(ctx, "create database "+name+" owner "+Login); err != nil {
			return fmt.Errorf("make database %s: %w", name, err)
		}
		if _, err := conn.Exec(ctx, "revoke all on database "+name+" from public"); err != nil {
			return fmt.Errorf("close database %s: %w", name, err)
		}
	}
	return nil
}

// migrate brings both databases to the version of the server in this program.
func migrate(store func(database string) *config.SQL, logger log.Logger) error {
	for _, d := range []struct{ database, files, version string }{
		{Database, "postgresql/v12/temporal", v12.Version},
		{VisibilityDatabase, "postgresql/v12/visibility", v12.VisibilityVersion},
	} {
		if err := migrateOne(store(d.database), d.files, d.version, logger); err != nil {
			return fmt.Errorf("bring database %s to Temporal's schema %s: %w", d.database, d.version, err)
		}
	}
	return nil
}

func migrateOne(cfg *config.SQL, files, version string, logger log.Logger) error {
	db, err := sqltool.NewConnection(cfg, logger)
	if err != nil {
		return err
	}
	defer db.Close()
	have, err := db.ReadSchemaVersion()
	if err == nil && have == version {
		return nil
	}
	if err != nil { // there is no version table yet
		if err := schema.NewSetupSchemaTask(db, &schema.SetupConfig{InitialVersion: "0.0"}, logger).Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(db, &schema.UpdateConfig{DBName: cfg.DatabaseName, SchemaName: files}, logger).Run()
}

func address(host string, port int) string { return host + ":" + strconv.Itoa(port) }
