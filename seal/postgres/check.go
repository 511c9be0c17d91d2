package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/seal"
)

// Tree is what an audit carries of a chain's tree from one entry to the next.
type Tree struct {
	Frontier    seal.Frontier `json:"frontier"`
	Tiler       seal.Tiler    `json:"tiler"`
	Checkpoints int64         `json:"checkpoints"` // compared so far
	LastGood    int64         `json:"last_good_checkpoint"`
}

// Kept is a checkpoint that somebody kept outside the database.
type Kept struct {
	seal.Checkpoint

	Found bool // its chain is there
}

// IsOf reports whether a checkpoint is of a chain of that name, whatever the
// key is called.
func IsOf(c seal.Checkpoint, name string) bool { return strings.HasSuffix(c.Origin, "/"+name) }

// DB is what a Check reads with: a connection or a transaction.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Check holds a chain's tree, while an audit computes it again, against what is
// stored of it and what somebody kept.
type Check struct {
	*Tree

	DB        DB
	SQL       *Statements
	ID        int32
	Name      string           // the end of its origin
	Keys      []seal.PublicKey // that sealed; without any, signatures are not checked
	Witnesses []seal.PublicKey
	Kept      []*Kept      // of all chains
	FirstBad  func() int64 // sequence of the first breach so far, 0: none
	Breach    func(seq int64, place, format string, args ...any)

	stored  []storedCheckpoint // the next ones
	noMore  bool               // no more stored checkpoints
	read    int64              // size of the last stored checkpoint that was read
	last    int64              // full tiles may be missing from this size on: the last checkpoint's
	waiting []*seal.Tile
}

type storedCheckpoint struct {
	size   int64
	root   []byte
	signed string
	lines  string
}

// Begin goes on from a sequence that was checked.
func (v *Check) Begin(ctx context.Context, after int64) error {
	v.read = after
	if err := v.DB.QueryRow(ctx, v.SQL.lastSize, v.ID).Scan(&v.last); err != nil {
		return fmt.Errorf("read the last checkpoint: %w", err)
	}
	return nil
}

// Append adds an entry's hash as it was computed. Grow follows.
func (v *Check) Append(hash [32]byte) {
	leaf := seal.Leaf(hash)
	v.Frontier.Append(leaf)
	v.waiting = append(v.waiting, v.Tiler.Append(leaf)...)
}

// Grow compares, after each entry, what is stored of the tree at its
// size: checkpoints, those that somebody kept, and tiles.
func (v *Check) Grow(ctx context.Context) error {
	for _, t := range v.waiting {
		if err := v.checkTile(ctx, t); err != nil {
			return err
		}
	}
	v.waiting = v.waiting[:0]
	size := v.Frontier.Size
	c, err := v.nextCheckpoint(ctx)
	if err != nil {
		return err
	}
	for c != nil && c.size <= size {
		if err := v.checkStored(ctx, c); err != nil {
			return err
		}
		v.stored = v.stored[1:]
		if c, err = v.nextCheckpoint(ctx); err != nil {
			return err
		}
	}
	for i := range v.Kept {
		k := v.Kept[i]
		if k.Size == size && IsOf(k.Checkpoint, v.Name) {
			k.Found = true
			if err := v.checkRoot(ctx, k.Checkpoint, "a checkpoint that was kept"); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextCheckpoint is the next stored one, nil when there are no more.
func (v *Check) nextCheckpoint(ctx context.Context) (*storedCheckpoint, error) {
	if len(v.stored) == 0 && !v.noMore {
		rows, err := v.DB.Query(ctx, v.SQL.checkpoints, v.ID, v.read)
		if err != nil {
			return nil, err
		}
		v.stored, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c storedCheckpoint, err error) {
			err = row.Scan(&c.size, &c.root, &c.signed, &c.lines)
			return c, err
		})
		if err != nil {
			return nil, fmt.Errorf("read checkpoints: %w", err)
		}
		if v.noMore = len(v.stored) == 0; !v.noMore {
			v.read = v.stored[len(v.stored)-1].size
		}
	}
	if len(v.stored) == 0 {
		return nil, nil //nolint:nilnil // nothing more is not an error
	}
	return &v.stored[0], nil
}

func (v *Check) checkStored(ctx context.Context, c *storedCheckpoint) error {
	v.Checkpoints++
	place := fmt.Sprintf("checkpoint at %d", c.size)
	signed := []byte(c.signed + c.lines)
	said, err := seal.Peek(signed)
	if err == nil && len(v.Keys) > 0 {
		_, err = seal.OpenAny(signed, v.Keys, v.Witnesses...)
	}
	if err != nil {
		v.Breach(0, place, "%v", err)
		return nil
	}
	if said.Size != c.size || !bytes.Equal(said.Root[:], c.root) || !IsOf(said, v.Name) {
		v.Breach(0, place, "what was signed is not what stands beside it")
		return nil
	}
	return v.checkRoot(ctx, said, "a stored checkpoint")
}

// checkRoot compares a signed root with the tree, which is at its size. The
// first entry that is not as it was sealed is one that is known to be bad, or
// that the tile which was full later has otherwise, or any since the last
// checkpoint that was good.
func (v *Check) checkRoot(ctx context.Context, c seal.Checkpoint, what string) error {
	if c.Root == v.Frontier.Root() && c.Size == v.Frontier.Size {
		v.LastGood = max(v.LastGood, c.Size)
		return nil
	}
	bad := v.FirstBad()
	if bad == 0 {
		var err error
		if bad, err = v.differs(ctx); err != nil {
			return err
		}
	}
	first := v.LastGood + 1
	if bad > 0 {
		first = min(max(first, bad), c.Size)
	}
	v.Breach(first, fmt.Sprintf("checkpoint at %d", c.Size),
		"%s has another root: what was sealed from sequence %d to %d is not what is stored now", what, v.LastGood+1, c.Size)
	return nil
}

// differs is the first entry right of the last full tile that the stored tile
// has otherwise; 0 when it has them all so, or is not full in the database either.
func (v *Check) differs(ctx context.Context) (int64, error) {
	if len(v.Tiler.Levels) == 0 {
		return 0, nil
	}
	l := v.Tiler.Levels[0]
	var root, hashes []byte
	err := v.DB.QueryRow(ctx, v.SQL.tile, v.ID, 0, l.Tiles).Scan(&root, &hashes)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read a tile: %w", err)
	}
	for i, h := range l.Hashes {
		if len(hashes) >= 32*(i+1) && !bytes.Equal(hashes[32*i:32*i+32], h[:]) {
			return l.Tiles*seal.TileWidth + int64(i) + 1, nil
		}
	}
	return 0, nil
}

// End finds what was sealed and is not there any more. seq is the last sequence.
func (v *Check) End(ctx context.Context, seq int64) error {
	size := v.Frontier.Size
	for {
		c, err := v.nextCheckpoint(ctx)
		if err != nil {
			return err
		}
		if c == nil {
			break
		}
		v.Checkpoints++
		v.cutTail(seq, c.size, "a stored checkpoint")
		v.stored = v.stored[1:]
	}
	for i := range v.Kept {
		k := v.Kept[i]
		if !IsOf(k.Checkpoint, v.Name) {
			continue
		}
		if k.Size > size {
			v.cutTail(seq, k.Size, "a checkpoint that was kept")
		}
		k.Found = true // a smaller one was compared on the way
	}
	var extra int64
	if err := v.DB.QueryRow(ctx, v.SQL.tileExtra, v.ID, size).Scan(&extra); err != nil {
		return fmt.Errorf("read tiles: %w", err)
	}
	if extra > 0 {
		v.Breach(size+1, "tree", "%d tiles are of more entries than there are", extra)
	}
	return nil
}

func (v *Check) cutTail(seq, sealed int64, what string) {
	v.Breach(seq+1, fmt.Sprintf("checkpoint at %d", sealed),
		"%s is of %d entries and there are %d: the end was cut off", what, sealed, v.Frontier.Size)
}

// checkTile compares a full tile with the stored one. The leaf in which they
// differ is the entry that was changed.
func (v *Check) checkTile(ctx context.Context, t *seal.Tile) error {
	width := int64(1) << (seal.TileHeight * (t.Level + 1)) // entries below it
	var root, hashes []byte
	err := v.DB.QueryRow(ctx, v.SQL.tile, v.ID, t.Level, t.Index).Scan(&root, &hashes)
	first, last := t.Index*width+1, (t.Index+1)*width
	place := fmt.Sprintf("tile %d of level %d", t.Index, t.Level)
	if errors.Is(err, pgx.ErrNoRows) {
		if last <= v.last {
			v.Breach(0, place, "it is missing although sequence %d was sealed", last)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a tile: %w", err)
	}
	want := t.Bytes()
	if bytes.Equal(hashes, want) && bytes.Equal(root, t.Root[:]) {
		return nil
	}
	for i := range t.Hashes {
		if len(hashes) == len(want) && !bytes.Equal(hashes[32*i:32*i+32], want[32*i:32*i+32]) {
			first += int64(i) * width / seal.TileWidth
			break
		}
	}
	v.Breach(first, place, "it was made of other entries: the first that differs is sequence %d", first)
	return nil
}
