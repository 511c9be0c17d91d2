package seal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of the tree: SHA-256.
type Hash = tlog.Hash

// The tiles of the tree (C2SP tlog-tiles): 256 hashes of one level. Level 0
// holds leaves, each level above the roots of the tiles below.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
)

// Leaf is the leaf of an entry, given its hash in the chain.
func Leaf(chain [32]byte) Hash {
	var b [33]byte
	copy(b[1:], chain[:])
	return sha256.Sum256(b[:])
}

// A Frontier is a tree while it grows: the roots of its complete subtrees,
// largest first. The zero value is the empty tree.
type Frontier struct {
	Size  int64  `json:"size"`
	Peaks []Hash `json:"peaks"`
}

// Append adds a leaf.
func (f *Frontier) Append(leaf Hash) {
	h := leaf
	for n := f.Size; n&1 == 1; n >>= 1 {
		last := len(f.Peaks) - 1
		h = tlog.NodeHash(f.Peaks[last], h)
		f.Peaks = f.Peaks[:last]
	}
	f.Peaks = append(f.Peaks, h)
	f.Size++
}

// Root is the root of the tree as it is.
func (f *Frontier) Root() Hash {
	if len(f.Peaks) == 0 {
		return sha256.Sum256(nil)
	}
	h := f.Peaks[len(f.Peaks)-1]
	for i := len(f.Peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.Peaks[i], h)
	}
	return h
}

// Tile is a full tile: hashes Index*256 to Index*256+255 of its level.
type Tile struct {
	Level  int
	Index  int64
	Hashes [TileWidth]Hash
	Root   Hash // of the 256: the hash at Index in the level above
}

// Bytes are the hashes one after another, 8192 bytes.
func (t *Tile) Bytes() []byte {
	b := make([]byte, 0, TileWidth*tlog.HashSize)
	for i := range t.Hashes {
		b = append(b, t.Hashes[i][:]...)
	}
	return b
}

// A Tiler makes tiles of leaves as they come. It keeps less than a tile a
// level.
type Tiler struct {
	Levels []TilerLevel `json:"levels"`
}

// TilerLevel is what is right of the last full tile of a level.
type TilerLevel struct {
	Tiles  int64  `json:"tiles"` // full ones so far
	Hashes []Hash `json:"hashes"`
}

// Append adds a leaf and returns the tiles it completed, lowest level first.
func (t *Tiler) Append(leaf Hash) []*Tile {
	var full []*Tile
	h := leaf
	for level := 0; ; level++ {
		if level == len(t.Levels) {
			t.Levels = append(t.Levels, TilerLevel{})
		}
		l := &t.Levels[level]
		l.Hashes = append(l.Hashes, h)
		if len(l.Hashes) < TileWidth {
			return full
		}
		tile := &Tile{Level: level, Index: l.Tiles, Root: root(l.Hashes)}
		copy(tile.Hashes[:], l.Hashes)
		full = append(full, tile)
		l.Tiles++
		l.Hashes = l.Hashes[:0]
		h = tile.Root
	}
}

// root of a complete subtree: len(hashes) is a power of two.
func root(hashes []Hash) Hash {
	level := append([]Hash(nil), hashes...)
	for len(level) > 1 {
		for i := range len(level) / 2 {
			level[i] = tlog.NodeHash(level[2*i], level[2*i+1])
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

// A Source reads the hashes of a tree by the level of tiles: at level 0 the
// leaves from (inclusive) to to (exclusive), at level l the roots of that many
// tiles of level l-1. It is asked for what lies in one tile at a time.
type Source interface {
	Hashes(ctx context.Context, level int, from, to int64) ([]Hash, error)
}

// reader answers tlog's questions about the tree of one size from tiles.
type reader struct {
	ctx   context.Context // tlog.HashReader takes none; a reader lives as long as one call
	from  Source
	size  int64
	tiles map[tileKey][]Hash
}

type tileKey struct {
	level int
	index int64
}

func read(ctx context.Context, from Source, size int64) *reader {
	return &reader{ctx: ctx, from: from, size: size, tiles: map[tileKey][]Hash{}}
}

// ReadHashes is tlog.HashReader.
func (r *reader) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, 0, len(indexes))
	for _, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		shift := uint(level % TileHeight)
		first, last := n<<shift, (n+1)<<shift
		key := tileKey{level / TileHeight, first / TileWidth}
		hashes, ok := r.tiles[key]
		if !ok {
			begin := key.index * TileWidth
			end := min(begin+TileWidth, r.size>>(TileHeight*key.level))
			var err error
			if hashes, err = r.from.Hashes(r.ctx, key.level, begin, end); err != nil {
				return nil, fmt.Errorf("read level %d of the tree: %w", key.level, err)
			}
			if int64(len(hashes)) != end-begin {
				return nil, fmt.Errorf("level %d of the tree has %d hashes from %d to %d", key.level, len(hashes), begin, end)
			}
			r.tiles[key] = hashes
		}
		at := key.index * TileWidth
		if last-at > int64(len(hashes)) {
			return nil, fmt.Errorf("level %d of the tree ends before %d", key.level, last)
		}
		out = append(out, root(hashes[first-at:last-at]))
	}
	return out, nil
}

// Root is the root of the tree of the first size leaves.
func Root(ctx context.Context, from Source, size int64) (Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, read(ctx, from, size))
}

// ProveInclusion proves that the leaf at index (sequence less one) is in the
// tree of a size.
func ProveInclusion(ctx context.Context, from Source, size, index int64) ([]Hash, error) {
	return tlog.ProveRecord(size, index, read(ctx, from, size))
}

// ProveConsistency proves that the tree of size new begins with the tree of
// size old. It is empty when old is zero or equals new.
func ProveConsistency(ctx context.Context, from Source, old, size int64) ([]Hash, error) {
	if old == 0 || old == size {
		return nil, nil
	}
	return tlog.ProveTree(size, old, read(ctx, from, size))
}

// ErrInconsistent means that one tree does not continue the other: history was
// changed, or cut.
var ErrInconsistent = errors.New("the tree does not continue the one before: history was changed")

// CheckConsistency checks a proof that next continues last.
func CheckConsistency(proof []Hash, last, next Checkpoint) error {
	switch {
	case next.Size < last.Size:
		return fmt.Errorf("%w: %d entries were sealed and there are %d", ErrInconsistent, last.Size, next.Size)
	case last.Size == 0 || last.Size == next.Size:
		if len(proof) != 0 || last.Size == next.Size && last.Root != next.Root {
			return fmt.Errorf("%w: at size %d", ErrInconsistent, next.Size)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, next.Size, next.Root, last.Size, last.Root); err != nil {
		return fmt.Errorf("%w: from size %d to %d", ErrInconsistent, last.Size, next.Size)
	}
	return nil
}

// Advance computes the checkpoint of a size and proves to the caller that it
// continues every one of known. Only what it returns may be signed.
func Advance(ctx context.Context, from Source, origin string, size int64, known ...Checkpoint) (Checkpoint, error) {
	r, err := Root(ctx, from, size)
	if err != nil {
		return Checkpoint{}, err
	}
	next := Checkpoint{Origin: origin, Size: size, Root: r}
	for _, last := range known {
		if last.Size > size {
			return Checkpoint{}, CheckConsistency(nil, last, next)
		}
		proof, err := ProveConsistency(ctx, from, last.Size, size)
		if err != nil {
			return Checkpoint{}, err
		}
		if err := CheckConsistency(proof, last, next); err != nil {
			return Checkpoint{}, err
		}
	}
	return next, nil
}
