// Package tenancy writes tenants and their API keys. It needs a connection of
// the migrator, who becomes the owner for one transaction: no role of the
// running product can create a credential. Keys made and revoked are actions
// in the tenant's audit log.
package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Roles are the roles a key can have, one each.
var Roles = []string{"marketplace", "finance_preparer", "finance_reviewer", "recall_operator", "auditor", "operator", "trading_partner"}

// A Key is a credential as it is stored: its public id and the SHA-256 of its
// secret.
type Key struct {
	ID           string
	Tenant       uuid.UUID
	Role         string
	Name         string
	SecretSHA256 [32]byte
	ExpiresAt    *time.Time
}

// A Listed key is what may be shown of one.
type Listed struct {
	ID        string     `json:"id"`
	Tenant    string     `json:"tenant"`
	Role      string     `json:"role"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// ErrNoKey means that no live key has that id.
var ErrNoKey = errors.New("no live key has this id")

// EnsureTenant returns the id of the tenant with that name and makes it first
// if there is none. A new tenant gets the id given, or a random one.
func EnsureTenant(ctx context.Context, conn *pgx.Conn, id uuid.UUID, name string) (uuid.UUID, error) {
	if id == uuid.Nil {
		id = uuid.New()
	}
	err := asOwner(ctx, conn, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `select id from app.tenant where name = $1 order by created_at limit 1`, name).Scan(&id)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, `insert into app.tenant (id, name) values ($1, $2)`, id, name)
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("tenant %q: %w", name, err)
	}
	return id, nil
}

// PutKey stores a key; storing it again changes nothing.
func PutKey(ctx context.Context, conn *pgx.Conn, k Key) error {
	err := asOwner(ctx, conn, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			insert into app.api_key (id, tenant_id, role, name, secret_sha256, expires_at)
			values ($1, $2, $3, $4, $5, $6)
			on conflict on constraint api_key_pkey do nothing`,
			k.ID, k.Tenant, k.Role, k.Name, k.SecretSHA256[:], k.ExpiresAt)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return tell(ctx, tx, k.Tenant, "keys create", "/keys/"+k.ID+" as "+k.Role)
	})
	if err != nil {
		return fmt.Errorf("store key %s: %w", k.ID, err)
	}
	return nil
}

// RevokeKey ends a key at once. Processes that have just let it in notice
// within a minute.
func RevokeKey(ctx context.Context, conn *pgx.Conn, id string) error {
	return asOwner(ctx, conn, func(tx pgx.Tx) error {
		var tenant uuid.UUID
		err := tx.QueryRow(ctx, `update app.api_key set revoked_at = clock_timestamp() where id = $1 and revoked_at is null returning tenant_id`, id).Scan(&tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoKey
		}
		if err == nil {
			err = tell(ctx, tx, tenant, "keys revoke", "/keys/"+id)
		}
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", id, err)
		}
		return nil
	})
}

// ListKeys shows the keys of every tenant, newest first.
func ListKeys(ctx context.Context, conn *pgx.Conn) ([]Listed, error) {
	var keys []Listed
	err := asOwner(ctx, conn, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			select k.id, t.name, k.role, k.name, k.created_at, k.expires_at, k.revoked_at
			  from app.api_key k join app.tenant t on t.id = k.tenant_id
			 order by k.created_at desc, k.id`)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Listed])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// tell appends what was done to the tenant's audit log. Nothing was asked over
// the network, so the digests are of nothing.
func tell(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, operation, path string) error {
	if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, tenant.String()); err != nil {
		return fmt.Errorf("set tenant: %w", err)
	}
	_, err := tx.Exec(ctx, `select audit.append($1, 'cli:' || session_user, '', $2, $3, '', coalesce(host(inet_client_addr()), 'local'), 0, sha256(''), sha256(''))`,
		tenant, operation, path)
	if err != nil {
		return fmt.Errorf("append to the audit log: %w", err)
	}
	return nil
}

func asOwner(ctx context.Context, conn *pgx.Conn, fn func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local role recourse_owner`); err != nil {
			return fmt.Errorf("become recourse_owner (log in as migrator): %w", err)
		}
		return fn(tx)
	})
}
