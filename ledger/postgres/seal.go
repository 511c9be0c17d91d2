package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
	"github.com/recourse/recourse/ledger/seal"
)

// Seals is what the sealer reads and writes, as role sealer.
type Seals struct {
	pool *pgxpool.Pool
	old  []seal.PublicKey
}

// NewSeals returns the sealer's store. old are keys that signed before the
// present one: what they signed is continued.
func NewSeals(pool *pgxpool.Pool, old ...seal.PublicKey) *Seals { return &Seals{pool: pool, old: old} }

// SealBook is a book for the sealer to look at.
type SealBook struct {
	ledger.Book

	ID     int32
	Seq    int64  // transactions in the book
	Sealed int64  // size of the last checkpoint; 0: none
	Signed string // the last checkpoint, without cosignatures
}

// mostSealed is how many transactions one checkpoint adds at most: 1024 tiles.
const mostSealed = 1024 * seal.TileWidth

// Due lists the books of all tenants that have moved since they were sealed,
// and those whose last checkpoint one of the witnesses has not co-signed.
func (s *Seals) Due(ctx context.Context, witnesses []string) ([]SealBook, error) {
	if witnesses == nil {
		witnesses = []string{}
	}
	return s.books(ctx, ledgerdb.BooksToSealParams{Witnesses: witnesses})
}

// Books lists the books of all tenants, also those at rest.
func (s *Seals) Books(ctx context.Context) ([]SealBook, error) {
	return s.books(ctx, ledgerdb.BooksToSealParams{AllOfThem: true, Witnesses: []string{}})
}

func (s *Seals) books(ctx context.Context, which ledgerdb.BooksToSealParams) ([]SealBook, error) {
	rows, err := ledgerdb.New(s.pool).BooksToSeal(ctx, which)
	if err != nil {
		return nil, fmt.Errorf("look for books to seal: %w", err)
	}
	var out []SealBook
	for _, r := range rows {
		out = append(out, SealBook{
			Book: ledger.Book{Tenant: r.TenantID, Entity: r.Entity}, ID: r.ID, Seq: r.Seq, Sealed: r.Size, Signed: r.Signed,
		})
	}
	return out, nil
}

// Seal signs the book's next checkpoint and stores it with the tiles that
// became full. It proves first that the tree continues every checkpoint in
// known and the last one stored; if not, the error is seal.ErrInconsistent and
// nothing is signed. False: another sealer was faster. A book that has grown a
// lot takes several.
func (s *Seals) Seal(ctx context.Context, b SealBook, key *seal.Key, known ...seal.Checkpoint) (seal.Checkpoint, []byte, bool, error) {
	if b.Sealed > 0 {
		last, err := seal.OpenAny([]byte(b.Signed), append([]seal.PublicKey{key.PublicKey}, s.old...))
		if err != nil {
			return seal.Checkpoint{}, nil, false, fmt.Errorf("%w: the last checkpoint of the book is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
		}
		known = append(known, last.Checkpoint)
	}
	// Never less than what is known to have been signed: the next checkpoint
	// has to be held against it.
	size := min(b.Seq, b.Sealed+mostSealed)
	for _, k := range known {
		size = min(b.Seq, max(size, k.Size))
	}
	var next seal.Checkpoint
	var fresh []*seal.Tile
	err := pgtenant.ReadTx(ctx, s.pool, b.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		q := ledgerdb.New(tx)
		if fresh, err = freshTiles(ctx, q, b.ID, size); err != nil {
			return err
		}
		next, err = seal.Advance(ctx, newSource(q, b.ID, fresh), seal.Origin(key.Name, b.Book), size, known...)
		return err
	})
	if err != nil {
		return next, nil, false, fmt.Errorf("seal: %w", err)
	}
	signed, err := seal.Sign(next, key)
	if err != nil {
		return next, nil, false, fmt.Errorf("seal: %w", err)
	}
	p := ledgerdb.PutCheckpointParams{
		TenantID: b.Tenant, BookID: b.ID, After: b.Sealed, Size: size, Root: next.Root[:], Signed: string(signed),
		Levels: []int16{}, Indexes: []int64{}, Roots: [][]byte{}, Hashes: [][]byte{},
	}
	for _, t := range fresh {
		p.Levels, p.Indexes = append(p.Levels, int16(t.Level)), append(p.Indexes, t.Index)
		p.Roots, p.Hashes = append(p.Roots, t.Root[:]), append(p.Hashes, t.Bytes())
	}
	var put bool
	err = pgtenant.Tx(ctx, s.pool, b.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		put, err = ledgerdb.New(tx).PutCheckpoint(ctx, p)
		return err
	})
	if err != nil {
		return next, nil, false, fmt.Errorf("store a checkpoint: %w", err)
	}
	return next, signed, put, nil
}

// Consistency proves that the book's tree of one size continues that of
// another, for a witness.
func (s *Seals) Consistency(ctx context.Context, b SealBook, old, size int64) (proof []seal.Hash, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, b.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		proof, err = seal.ProveConsistency(ctx, newSource(ledgerdb.New(tx), b.ID, nil), old, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove consistency from %d to %d: %w", old, size, err)
	}
	return proof, nil
}

// LastSize is the size of the book's last checkpoint as the database has it
// now.
func (s *Seals) LastSize(ctx context.Context, b SealBook) (size int64, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, b.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		size, err = ledgerdb.New(tx).LastSize(ctx, b.ID)
		return err
	})
	return size, err
}

// PutCosignature stores what a witness added to a checkpoint.
func (s *Seals) PutCosignature(ctx context.Context, b SealBook, size int64, c seal.Cosignature) error {
	err := pgtenant.Tx(ctx, s.pool, b.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		return ledgerdb.New(tx).PutCosignature(ctx, ledgerdb.PutCosignatureParams{
			TenantID: b.Tenant, BookID: b.ID, Size: size, Witness: c.Name, Line: c.Line,
		})
	})
	if err != nil {
		return fmt.Errorf("store a cosignature: %w", err)
	}
	return nil
}

// freshTiles are the tiles of a tree that are full at a size and not stored.
func freshTiles(ctx context.Context, q *ledgerdb.Queries, book int32, size int64) ([]*seal.Tile, error) {
	counts, err := q.TileCounts(ctx, book)
	if err != nil {
		return nil, fmt.Errorf("count tiles: %w", err)
	}
	var tiler seal.Tiler
	for i, c := range counts {
		if int(c.Level) != i {
			return nil, fmt.Errorf("%w: the tiles of level %d are missing", seal.ErrInconsistent, i)
		}
		tiler.Levels = append(tiler.Levels, seal.TilerLevel{Tiles: c.Tiles})
	}
	if len(counts) > 0 {
		tiler.Levels = append(tiler.Levels, seal.TilerLevel{})
	}
	// What is right of the last full tile of each level above the leaves.
	for i := 1; i < len(tiler.Levels); i++ {
		l := &tiler.Levels[i]
		if l.Hashes, err = tileRoots(ctx, q, book, i-1, l.Tiles*seal.TileWidth, tiler.Levels[i-1].Tiles); err != nil {
			return nil, err
		}
	}
	after := int64(0)
	if len(tiler.Levels) > 0 {
		after = tiler.Levels[0].Tiles * seal.TileWidth
	}
	var fresh []*seal.Tile
	for after < size {
		upto := min(size, after+16*seal.TileWidth)
		leaves, err := leavesOf(ctx, q, book, after, upto)
		if err != nil {
			return nil, err
		}
		for _, leaf := range leaves {
			fresh = append(fresh, tiler.Append(leaf)...)
		}
		after = upto
	}
	return fresh, nil
}

func leavesOf(ctx context.Context, q *ledgerdb.Queries, book int32, after, upto int64) ([]seal.Hash, error) {
	rows, err := q.ChainHashes(ctx, ledgerdb.ChainHashesParams{BookID: book, After: after, Upto: upto})
	if err != nil {
		return nil, fmt.Errorf("read the chain: %w", err)
	}
	out := make([]seal.Hash, 0, len(rows))
	for i, r := range rows {
		if r.Seq != after+int64(i)+1 || len(r.Hash) != 32 {
			return nil, fmt.Errorf("%w: sequence %d is missing", seal.ErrInconsistent, after+int64(i)+1)
		}
		out = append(out, seal.Leaf([32]byte(r.Hash)))
	}
	if int64(len(out)) != upto-after {
		return nil, fmt.Errorf("%w: sequence %d is missing", seal.ErrInconsistent, after+int64(len(out))+1)
	}
	return out, nil
}

func tileRoots(ctx context.Context, q *ledgerdb.Queries, book int32, level int, first, past int64) ([]seal.Hash, error) {
	rows, err := q.TileRoots(ctx, ledgerdb.TileRootsParams{BookID: book, Level: int16(level), First: first, Past: past})
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	out := make([]seal.Hash, 0, len(rows))
	for _, r := range rows {
		out = append(out, seal.Hash(r))
	}
	return out, nil
}

// source is a book's tree: stored tiles, tiles that are not stored yet, and
// the journal right of them.
type source struct {
	q     *ledgerdb.Queries
	book  int32
	fresh map[[2]int64]*seal.Tile
}

func newSource(q *ledgerdb.Queries, book int32, fresh []*seal.Tile) *source {
	s := &source{q: q, book: book, fresh: map[[2]int64]*seal.Tile{}}
	for _, t := range fresh {
		s.fresh[[2]int64{int64(t.Level), t.Index}] = t
	}
	return s
}

// Hashes is seal.Source.
func (s *source) Hashes(ctx context.Context, level int, from, to int64) ([]seal.Hash, error) {
	if to-from == seal.TileWidth {
		if t := s.fresh[[2]int64{int64(level), from / seal.TileWidth}]; t != nil {
			return t.Hashes[:], nil
		}
		raw, err := s.q.TileHashes(ctx, ledgerdb.TileHashesParams{BookID: s.book, Level: int16(level), Index: from / seal.TileWidth})
		if err == nil && len(raw) != 32*seal.TileWidth {
			return nil, fmt.Errorf("%w: tile %d of level %d is damaged", seal.ErrInconsistent, from/seal.TileWidth, level)
		}
		if err == nil {
			out := make([]seal.Hash, seal.TileWidth)
			for i := range out {
				out[i] = seal.Hash(raw[32*i : 32*i+32])
			}
			return out, nil
		}
		// A tile that is full at this size and will be stored with the next
		// checkpoint is made of what is below.
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
	}
	if level == 0 {
		return leavesOf(ctx, s.q, s.book, from, to)
	}
	out, err := tileRoots(ctx, s.q, s.book, level-1, from, to)
	for i := from + int64(len(out)); err == nil && i < to; i++ {
		t := s.fresh[[2]int64{int64(level - 1), i}]
		if t == nil {
			return nil, fmt.Errorf("%w: tile %d of level %d is missing", seal.ErrInconsistent, i, level-1)
		}
		out = append(out, t.Root)
	}
	return out, err
}

// Sealed is a checkpoint as it is published.
type Sealed struct {
	seal.Checkpoint

	Signed   []byte    // the note, with what witnesses added
	SealedAt time.Time // UTC, by the database's clock
}

// ErrNotSealed means that the book, or the transaction, is in no checkpoint
// yet. The sealer comes by every ten seconds.
var ErrNotSealed = errors.New("it is in no checkpoint yet: ask again in ten seconds")

// LastCheckpoint is the book's last checkpoint that a witness has co-signed,
// or its last one if none has.
func (s *Store) LastCheckpoint(ctx context.Context, book ledger.Book) (out Sealed, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, _, err = checkpointFor(ctx, ledgerdb.New(tx), book, 1)
		return err
	})
	return out, err
}

func checkpointFor(ctx context.Context, q *ledgerdb.Queries, book ledger.Book, seq int64) (Sealed, int32, error) {
	row, err := q.CheckpointFor(ctx, ledgerdb.CheckpointForParams{TenantID: book.Tenant, Entity: book.Entity, Seq: seq})
	if errors.Is(err, pgx.ErrNoRows) {
		return Sealed{}, 0, ErrNotSealed
	}
	if err != nil {
		return Sealed{}, 0, fmt.Errorf("read a checkpoint: %w", err)
	}
	c, err := seal.Peek([]byte(row.Signed))
	return Sealed{Checkpoint: c, Signed: []byte(row.Signed), SealedAt: row.SealedAt.UTC()}, row.BookID, err
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
// ErrNoTransaction, ErrNotSealed.
func (s *Store) Prove(ctx context.Context, book ledger.Book, id uuid.UUID) (bundle seal.Bundle, err error) {
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
		sealed, bookID, err := checkpointFor(ctx, q, book, record.Seq)
		if err != nil {
			return err
		}
		prev, err := q.ChainBefore(ctx, ledgerdb.ChainBeforeParams{TenantID: book.Tenant, Entity: book.Entity, Seq: record.Seq - 1})
		if err != nil {
			return err
		}
		inclusion, err := seal.ProveInclusion(ctx, newSource(q, bookID, nil), sealed.Size, record.Seq-1)
		if err != nil {
			return err
		}
		hash, _ := record.ChainHash([32]byte(prev), nil)
		if err := tlog.CheckRecord(inclusion, sealed.Size, sealed.Root, record.Seq-1, seal.Leaf(hash)); err != nil || hash != record.Hash {
			return fmt.Errorf("%w: what is stored is not what was sealed; run recourse verify", seal.ErrInconsistent)
		}
		bundle = seal.NewBundle(record, [32]byte(prev), inclusion, sealed.Signed)
		return nil
	})
	if err != nil {
		return bundle, fmt.Errorf("prove transaction %s: %w", id, err)
	}
	return bundle, nil
}
