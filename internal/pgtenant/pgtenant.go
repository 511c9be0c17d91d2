// Package pgtenant runs a transaction as one tenant. The tenant is a
// transaction-local setting, so a pooled connection never carries it over to
// the next user, also through a pooler in transaction mode.
package pgtenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/txguard"
)

// Tx runs fn in a read-write transaction as tenant and commits it. fn gets a
// context that refuses network calls. When the commit's outcome is unknown the
// error says so and the caller must be able to repeat.
func Tx(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return run(ctx, pool, tenant, pgx.TxOptions{}, fn)
}

// ReadTx is Tx for reading only: one snapshot for all of fn's queries.
func ReadTx(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return run(ctx, pool, tenant, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead}, fn)
}

func run(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, opts pgx.TxOptions, fn func(context.Context, pgx.Tx) error) error {
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = func() error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, tenant.String()); err != nil {
			return fmt.Errorf("set tenant: %w", err)
		}
		return fn(txguard.Mark(ctx), tx)
	}()
	if err != nil {
		if rollback := tx.Rollback(context.WithoutCancel(ctx)); rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
