package devstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/sandbox"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/internal/tradebook"
)

const productDatabase = "recourse"

// tenants of the sandbox, with fixed ids so that logs can be compared.
var (
	demoTenant  = uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	otherTenant = uuid.MustParse("0190a000-0000-7000-8000-000000000002")
)

// prepare brings the product's database to where the product can run: roles,
// schema, tenants and keys.
// inbox is where the companies of the sandbox take documents.
func prepare(ctx context.Context, super, inbox string, s *secrets) error {
	if err := createDatabase(ctx, super); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, roleURL(super, "", ""))
	if err != nil {
		return fmt.Errorf("connect to prepare the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, db.Roles()); err != nil {
		return fmt.Errorf("make the roles: %w", err)
	}
	for _, role := range logins {
		if _, err := conn.Exec(ctx, "alter role "+role+" password '"+s.Roles[role]+"'"); err != nil {
			return fmt.Errorf("set the password of %s: %w", role, err)
		}
	}
	migrator := roleURL(super, "migrator", s.Roles["migrator"])
	if err := db.Migrate(ctx, migrator); err != nil {
		return err
	}
	if err := seed(ctx, migrator, s); err != nil {
		return err
	}
	return seedGoods(ctx, roleURL(super, "", ""), inbox, s)
}

// seedGoods makes companies, drugs and a few hundred packages to trade, and
// lets the key trading_partner speak for the pharmacy. Companies that are
// verified from the start are the database owner's to put in.
func seedGoods(ctx context.Context, url, inbox string, s *secrets) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to seed: %w", err)
	}
	defer pool.Close()
	if err := sandbox.Seed(ctx, pool, demoTenant, inbox); err != nil {
		return err
	}
	id, _, err := auth.Parse(s.Keys["trading_partner"])
	if err != nil {
		return err
	}
	trade := tradebook.New(pool)
	bound, err := trade.PartnerOfKey(ctx, demoTenant, id)
	if err != nil || bound != "" {
		return err
	}
	return pgtenant.Tx(ctx, pool, demoTenant, func(ctx context.Context, tx pgx.Tx) error {
		pharmacy, err := tradebook.PartnerTx(ctx, tx, demoTenant, sandbox.Pharmacy)
		if err != nil {
			return err
		}
		return tradebook.BindKeyTx(ctx, tx, demoTenant, pharmacy.ID, id, "sandbox")
	})
}

func createDatabase(ctx context.Context, super string) error {
	conn, err := pgx.Connect(ctx, super)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var have bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, productDatabase).Scan(&have); err != nil || have {
		return err
	}
	_, err = conn.Exec(ctx, "create database "+productDatabase)
	return err
}

// seed makes two tenants with a key a role. Keys live as long as the folder.
func seed(ctx context.Context, migrator string, s *secrets) error {
	conn, err := pgx.Connect(ctx, migrator)
	if err != nil {
		return fmt.Errorf("connect to seed: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	demo, err := tenancy.EnsureTenant(ctx, conn, demoTenant, "Demo Marketplace")
	if err != nil {
		return err
	}
	other, err := tenancy.EnsureTenant(ctx, conn, otherTenant, "Other Marketplace")
	if err != nil {
		return err
	}
	for _, role := range tenancy.Roles {
		err = errors.Join(err, putKey(ctx, conn, s, role, demo, role))
	}
	return errors.Join(err, putKey(ctx, conn, s, "other_tenant", other, "marketplace"))
}

func putKey(ctx context.Context, conn *pgx.Conn, s *secrets, name string, tenant uuid.UUID, role string) error {
	if s.Keys[name] == "" {
		k, err := auth.NewKey("test")
		if err != nil {
			return err
		}
		s.Keys[name] = k.Text
	}
	id, digest, err := auth.Parse(s.Keys[name])
	if err != nil {
		return err
	}
	return tenancy.PutKey(ctx, conn, tenancy.Key{ID: id, Tenant: tenant, Role: role, Name: "sandbox " + name, SecretSHA256: digest})
}

// roleURL is the product's database for a user; an empty role keeps the user.
func roleURL(super, role, password string) string {
	u, err := url.Parse(super)
	if err != nil {
		return super
	}
	if role != "" {
		u.User = url.UserPassword(role, password)
	}
	u.Path = "/" + productDatabase
	return u.String()
}
