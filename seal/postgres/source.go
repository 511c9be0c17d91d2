package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/seal"
)

// source is a chain's tree: stored tiles, tiles that are not stored yet, and
// the entries right of them.
type source struct {
	tx    pgx.Tx
	sql   *Statements
	id    int32
	fresh map[[2]int64]*seal.Tile
}

func (st *Statements) source(tx pgx.Tx, id int32) *source { return &source{tx: tx, sql: st, id: id} }

func (s *source) with(fresh []*seal.Tile) *source {
	s.fresh = map[[2]int64]*seal.Tile{}
	for _, t := range fresh {
		s.fresh[[2]int64{int64(t.Level), t.Index}] = t
	}
	return s
}

// freshTiles are the tiles of the tree that are full at a size and not stored.
func (s *source) freshTiles(ctx context.Context, size int64) ([]*seal.Tile, error) {
	rows, err := s.tx.Query(ctx, s.sql.tileCounts, s.id)
	if err != nil {
		return nil, fmt.Errorf("count tiles: %w", err)
	}
	var tiler seal.Tiler
	var level int16
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&level, &n}, func() error {
		if int(level) != len(tiler.Levels) {
			return fmt.Errorf("%w: the tiles of level %d are missing", seal.ErrInconsistent, len(tiler.Levels))
		}
		tiler.Levels = append(tiler.Levels, seal.TilerLevel{Tiles: n})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count tiles: %w", err)
	}
	if len(tiler.Levels) > 0 {
		tiler.Levels = append(tiler.Levels, seal.TilerLevel{})
	}
	// What is right of the last full tile of each level above the leaves.
	for i := 1; i < len(tiler.Levels); i++ {
		l := &tiler.Levels[i]
		if l.Hashes, err = s.roots(ctx, i-1, l.Tiles*seal.TileWidth, tiler.Levels[i-1].Tiles); err != nil {
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
		leaves, err := s.leaves(ctx, after, upto)
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

func (s *source) leaves(ctx context.Context, after, upto int64) ([]seal.Hash, error) {
	rows, err := s.tx.Query(ctx, s.sql.leaves, s.id, after, upto)
	if err != nil {
		return nil, fmt.Errorf("read the chain: %w", err)
	}
	out := make([]seal.Hash, 0, upto-after)
	missing := func() error {
		return fmt.Errorf("%w: sequence %d is missing", seal.ErrInconsistent, after+int64(len(out))+1)
	}
	var seq int64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&seq, &hash}, func() error {
		if seq != after+int64(len(out))+1 || len(hash) != 32 {
			return missing()
		}
		out = append(out, seal.Leaf([32]byte(hash)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the chain: %w", err)
	}
	if int64(len(out)) != upto-after {
		return nil, missing()
	}
	return out, nil
}

func (s *source) roots(ctx context.Context, level int, first, past int64) ([]seal.Hash, error) {
	rows, err := s.tx.Query(ctx, s.sql.tileRoots, s.id, int16(level), first, past)
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	out := make([]seal.Hash, 0, past-first)
	var root []byte
	_, err = pgx.ForEachRow(rows, []any{&root}, func() error {
		out = append(out, seal.Hash(root))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	return out, nil
}

// Hashes is seal.Source.
func (s *source) Hashes(ctx context.Context, level int, from, to int64) ([]seal.Hash, error) {
	if to-from == seal.TileWidth {
		if t := s.fresh[[2]int64{int64(level), from / seal.TileWidth}]; t != nil {
			return t.Hashes[:], nil
		}
		var raw []byte
		err := s.tx.QueryRow(ctx, s.sql.tileHashes, s.id, int16(level), from/seal.TileWidth).Scan(&raw)
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
		return s.leaves(ctx, from, to)
	}
	out, err := s.roots(ctx, level-1, from, to)
	for i := from + int64(len(out)); err == nil && i < to; i++ {
		t := s.fresh[[2]int64{int64(level - 1), i}]
		if t == nil {
			return nil, fmt.Errorf("%w: tile %d of level %d is missing", seal.ErrInconsistent, i, level-1)
		}
		out = append(out, t.Root)
	}
	return out, err
}
