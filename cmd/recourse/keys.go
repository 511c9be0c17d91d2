package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/tenancy"
)

func keys(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("keys", args, "create", "list", "revoke")
	if err != nil {
		return err
	}
	f := flags(std, "keys "+what)
	output := f.String("output", "table", outputUsage)
	tenant := f.String("tenant", "", "name of the tenant; made when there is none of that name")
	role := f.String("role", "", strings.Join(tenancy.Roles, ", "))
	name := f.String("name", "", "what the key is for")
	env := f.String("env", "test", "test or live: the second part of the key")
	expires := f.Duration("expires", 0, "lifetime, such as 2160h; never when 0")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	conn, err := connectAs(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	switch what {
	case "create":
		if *tenant == "" || !slices.Contains(tenancy.Roles, *role) {
			return usagef("give -tenant and a -role out of %s", strings.Join(tenancy.Roles, ", "))
		}
		if *env != "test" && *env != "live" {
			return usagef("-env is test or live")
		}
		id, err := tenancy.EnsureTenant(ctx, conn, uuid.Nil, *tenant)
		if err != nil {
			return err
		}
		secret, err := auth.NewKey(*env)
		if err != nil {
			return err
		}
		k := tenancy.Key{ID: secret.ID, Tenant: id, Role: *role, Name: *name, SecretSHA256: secret.Digest}
		if *expires > 0 {
			at := time.Now().Add(*expires).UTC()
			k.ExpiresAt = &at
		}
		if err := tenancy.PutKey(ctx, conn, k); err != nil {
			return err
		}
		fmt.Fprintln(std.out, secret.Text)
		fmt.Fprintln(std.err, "keep it safe: only its hash is stored, it cannot be shown again")
		return nil
	case "revoke":
		if len(rest) != 1 {
			return usagef("name one key by its id (the third part of sk_test_<id>_…): recourse keys revoke ID")
		}
		if err := tenancy.RevokeKey(ctx, conn, rest[0]); err != nil {
			return err
		}
		fmt.Fprintln(std.err, "revoked; every process refuses it within a minute")
		return nil
	default:
		list, err := tenancy.ListKeys(ctx, conn)
		if err != nil {
			return err
		}
		s := sheet{Columns: []string{"id", "tenant", "role", "name", "created_at", "expires_at", "revoked_at"}, JSON: list}
		for _, k := range list {
			s.Rows = append(s.Rows, []string{k.ID, k.Tenant, k.Role, k.Name, k.CreatedAt.UTC().Format(time.RFC3339), date(k.ExpiresAt), date(k.RevokedAt)})
		}
		return s.write(std.out, *output)
	}
}

func date(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// connectAs opens one connection of the role that RECOURSE_DATABASE_URL names:
// migrator to change schema or credentials, auditor_ro to verify.
func connectAs(ctx context.Context) (*pgx.Conn, error) {
	url, err := databaseURL()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, databaseAway(err)
	}
	return conn, nil
}

// databaseURL is where the tools that need the database itself find it.
func databaseURL() (string, error) {
	if u := os.Getenv("RECOURSE_DATABASE_URL"); u != "" {
		return u, nil
	}
	if file := os.Getenv("RECOURSE_DATABASE_URL_FILE"); file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", usagef("RECOURSE_DATABASE_URL_FILE cannot be read: %w", err)
		}
		return strings.TrimSpace(string(raw)), nil
	}
	return "", usagef("RECOURSE_DATABASE_URL (or _FILE) is not set: give the postgres:// URL of the role this command needs")
}

// databaseAway hides what a driver says of the URL it was given: only that it
// did not answer, and why in the server's or the network's own words.
func databaseAway(err error) error {
	var malformed *pgconn.ParseConfigError
	if errors.As(err, &malformed) {
		return usagef("RECOURSE_DATABASE_URL is not a postgres:// URL")
	}
	return unreachableError{fmt.Errorf("the database does not answer: %w", err)}
}

// envOr is an environment variable, or a default.
func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
