package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
)

// Seals is what the sealer reads and writes of one kind of chains, as role
// sealer.
type Seals struct {
	pool *pgxpool.Pool
	sql  *Statements
	old  []seal.PublicKey
}

// New returns the sealer's store. old are keys that signed before the present
// one: what they signed is continued.
func New(pool *pgxpool.Pool, sql *Statements, old ...seal.PublicKey) *Seals {
	return &Seals{pool: pool, sql: sql, old: old}
}

// Chain is one for the sealer to look at.
type Chain struct {
	ID     int32
	Tenant uuid.UUID
	Name   string // the end of its origin: TENANT/ENTITY of a book, custody/TENANT
	Seq    int64  // entries in it
	Sealed int64  // size of the last checkpoint; 0: none
	Signed string // the last checkpoint, without cosignatures
}

// Origin names the chain in checkpoints by a key of that name.
func (c Chain) Origin(key string) string { return key + "/" + c.Name }

// mostSealed is how many entries one checkpoint adds at most: 1024 tiles.
const mostSealed = 1024 * seal.TileWidth

// Due lists the chains of all tenants that have moved since they were sealed,
// and those whose last checkpoint one of the witnesses has not co-signed.
func (s *Seals) Due(ctx context.Context, witnesses []string) ([]Chain, error) {
	if witnesses == nil {
		witnesses = []string{}
	}
	return s.chains(ctx, false, witnesses)
}

// All lists the chains of all tenants, also those at rest.
func (s *Seals) All(ctx context.Context) ([]Chain, error) { return s.chains(ctx, true, []string{}) }

func (s *Seals) chains(ctx context.Context, all bool, witnesses []string) ([]Chain, error) {
	rows, err := s.pool.Query(ctx, s.sql.due, all, witnesses)
	if err != nil {
		return nil, fmt.Errorf("look for what to seal: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Chain, err error) {
		err = row.Scan(&c.ID, &c.Tenant, &c.Name, &c.Seq, &c.Sealed, &c.Signed)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for what to seal: %w", err)
	}
	return out, nil
}

// Seal signs the chain's next checkpoint and stores it with the tiles that
// became full. It proves first that the tree continues every checkpoint in
// known and the last one stored; if not, the error is seal.ErrInconsistent and
// nothing is signed. False: another sealer was faster. A chain that has grown a
// lot takes several.
func (s *Seals) Seal(ctx context.Context, c Chain, key *seal.Key, known ...seal.Checkpoint) (seal.Checkpoint, []byte, bool, error) {
	if c.Sealed > 0 {
		last, err := seal.OpenAny([]byte(c.Signed), append([]seal.PublicKey{key.PublicKey}, s.old...))
		if err != nil {
			return seal.Checkpoint{}, nil, false, fmt.Errorf("%w: the last checkpoint is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
		}
		known = append(known, last.Checkpoint)
	}
	// Never less than what is known to have been signed: the next checkpoint
	// has to be held against it.
	size := min(c.Seq, c.Sealed+mostSealed)
	for _, k := range known {
		size = min(c.Seq, max(size, k.Size))
	}
	var next seal.Checkpoint
	var fresh []*seal.Tile
	err := pgtenant.ReadTx(ctx, s.pool, c.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		from := s.sql.source(tx, c.ID)
		if fresh, err = from.freshTiles(ctx, size); err != nil {
			return err
		}
		next, err = seal.Advance(ctx, from.with(fresh), c.Origin(key.Name), size, known...)
		return err
	})
	if err != nil {
		return next, nil, false, fmt.Errorf("seal: %w", err)
	}
	signed, err := seal.Sign(next, key)
	if err != nil {
		return next, nil, false, fmt.Errorf("seal: %w", err)
	}
	levels, indexes, roots, hashes := []int16{}, []int64{}, [][]byte{}, [][]byte{}
	for _, t := range fresh {
		levels, indexes = append(levels, int16(t.Level)), append(indexes, t.Index)
		roots, hashes = append(roots, t.Root[:]), append(hashes, t.Bytes())
	}
	var put bool
	err = pgtenant.Tx(ctx, s.pool, c.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, s.sql.putCheckpoint, c.Tenant, c.ID, c.Sealed, size, next.Root[:], string(signed), levels, indexes, roots, hashes).Scan(&put)
	})
	if err != nil {
		return next, nil, false, fmt.Errorf("store a checkpoint: %w", err)
	}
	return next, signed, put, nil
}

// Consistency proves that the chain's tree of one size continues that of
// another, for a witness.
func (s *Seals) Consistency(ctx context.Context, c Chain, old, size int64) (proof []seal.Hash, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, c.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		proof, err = seal.ProveConsistency(ctx, s.sql.source(tx, c.ID), old, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove consistency from %d to %d: %w", old, size, err)
	}
	return proof, nil
}

// LastSize is the size of the chain's last checkpoint as the database has it
// now.
func (s *Seals) LastSize(ctx context.Context, c Chain) (size int64, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, c.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, s.sql.lastSize, c.ID).Scan(&size)
	})
	return size, err
}

// PutCosignature stores what a witness added to a checkpoint.
func (s *Seals) PutCosignature(ctx context.Context, c Chain, size int64, added seal.Cosignature) error {
	err := pgtenant.Tx(ctx, s.pool, c.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, s.sql.putCosignature, c.Tenant, c.ID, size, added.Name, added.Line)
		return err
	})
	if err != nil {
		return fmt.Errorf("store a cosignature: %w", err)
	}
	return nil
}
