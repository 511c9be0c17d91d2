package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

//go:embed seal/*.sql
var sealFiles embed.FS

var sealSQL = sealpg.Load(sealFiles)

// NewSeals returns the sealer's store of books. old are keys that signed before
// the present one: what they signed is continued.
func NewSeals(pool *pgxpool.Pool, old ...seal.PublicKey) *sealpg.Seals {
	return sealpg.New(pool, sealSQL, old...)
}

// LastCheckpoint is the book's last checkpoint that a witness has co-signed,
// or its last one if none has. Errors: sealpg.ErrNotSealed.
func (s *Store) LastCheckpoint(ctx context.Context, book ledger.Book) (out sealpg.Sealed, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		at, err := ledgerdb.New(tx).ChainBefore(ctx, ledgerdb.ChainBeforeParams{TenantID: book.Tenant, Entity: book.Entity})
		if errors.Is(err, pgx.ErrNoRows) {
			return sealpg.ErrNotSealed
		}
		if err != nil {
			return fmt.Errorf("read the book: %w", err)
		}
		out, err = sealSQL.CheckpointFor(ctx, tx, at.ID, 1)
		return err
	})
	return out, err
}

// BookOf finds the book that has a transaction, among those the role sees
// without a tenant: for the auditor.
func (s *Store) BookOf(ctx context.Context, id uuid.UUID) (ledger.Book, error) {
	row, err := ledgerdb.New(s.pool).BookOf(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return ledger.Book{}, ErrNoTransaction
	}
	if err != nil {
		return ledger.Book{}, fmt.Errorf("look for the transaction: %w", err)
	}
	return ledger.Book{Tenant: row.TenantID, Entity: row.Entity}, nil
}

// Prove makes the offline proof of one transaction of a book. Errors:
// ErrNoTransaction, sealpg.ErrNotSealed.
func (s *Store) Prove(ctx context.Context, book ledger.Book, id uuid.UUID) (bundle proof.Bundle, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		q := ledgerdb.New(tx)
		rows, err := tx.Query(ctx, knownOf, book.Tenant, book.Entity, []uuid.UUID{id})
		if err != nil {
			return err
		}
		var record *ledger.Recorded
		if err := scanRecorded(rows, func(r *ledger.Recorded, _, _ bool) { record = r }); err != nil {
			return err
		}
		if record == nil {
			return ErrNoTransaction
		}
		before, err := q.ChainBefore(ctx, ledgerdb.ChainBeforeParams{TenantID: book.Tenant, Entity: book.Entity, Seq: record.Seq - 1})
		if err != nil {
			return err
		}
		proven, err := sealSQL.Prove(ctx, tx, before.ID, record.Seq, [32]byte(before.Hash), record.AppendCanonical(nil))
		if err != nil {
			return err
		}
		bundle = proof.NewBundle(record, proven)
		return nil
	})
	if err != nil {
		return bundle, fmt.Errorf("prove transaction %s: %w", id, err)
	}
	return bundle, nil
}
