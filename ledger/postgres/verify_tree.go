package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger/seal"
)

// grow compares, after each transaction, what is stored of the tree at its
// size: checkpoints, those that somebody kept, and tiles.
func (v *bookAudit) grow(ctx context.Context) error {
	for _, t := range v.waitingTiles {
		if err := v.checkTile(ctx, t); err != nil {
			return err
		}
	}
	v.waitingTiles = v.waitingTiles[:0]
	size := v.Frontier.Size
	c, err := v.nextCheckpoint(ctx)
	if err != nil {
		return err
	}
	for c != nil && c.size <= size {
		v.checkStored(c)
		v.stored = v.stored[1:]
		if c, err = v.nextCheckpoint(ctx); err != nil {
			return err
		}
	}
	for i := range v.whole.kept {
		k := &v.whole.kept[i]
		if k.Size == size && isOf(k.Checkpoint, v.book.Book) {
			k.found = true
			v.checkRoot(k.Checkpoint, "a checkpoint that was kept")
		}
	}
	return nil
}

// nextCheckpoint is the next stored one, nil when there are no more.
func (v *bookAudit) nextCheckpoint(ctx context.Context) (*storedCheckpoint, error) {
	if len(v.stored) == 0 && !v.noMore {
		rows, err := v.whole.main.Query(ctx, auditSQL("checkpoints"), v.book.id, v.sealed)
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
			v.sealed = v.stored[len(v.stored)-1].size
		}
	}
	if len(v.stored) == 0 {
		return nil, nil //nolint:nilnil // nothing more is not an error
	}
	return &v.stored[0], nil
}

func (v *bookAudit) checkStored(c *storedCheckpoint) {
	v.Checkpoints++
	place := fmt.Sprintf("checkpoint at %d", c.size)
	signed := []byte(c.signed + c.lines)
	said, err := seal.Peek(signed)
	if err == nil && len(v.whole.Keys) > 0 {
		_, err = seal.OpenAny(signed, v.whole.Keys, v.whole.Witnesses...)
	}
	if err != nil {
		v.breach("I3", 0, place, "%v", err)
		return
	}
	if said.Size != c.size || !bytes.Equal(said.Root[:], c.root) || !isOf(said, v.book.Book) {
		v.breach("I3", 0, place, "what was signed is not what stands beside it")
		return
	}
	v.checkRoot(said, "a stored checkpoint")
}

// checkRoot compares a signed root with the tree, which is at its size.
func (v *bookAudit) checkRoot(c seal.Checkpoint, what string) {
	if c.Root == v.Frontier.Root() && c.Size == v.Frontier.Size {
		v.LastGood = max(v.LastGood, c.Size)
		return
	}
	first := v.LastGood + 1
	if v.Bad > 0 {
		first = min(max(first, v.Bad), c.Size)
	}
	v.breach("I3", first, fmt.Sprintf("checkpoint at %d", c.Size),
		"%s has another root: what was sealed from sequence %d to %d is not what is stored now", what, v.LastGood+1, c.Size)
}

// endCheckpoints finds what was sealed and is not there any more.
func (v *bookAudit) endCheckpoints(ctx context.Context) error {
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
		v.cutTail(c.size, "a stored checkpoint")
		v.stored = v.stored[1:]
	}
	for i := range v.whole.kept {
		k := &v.whole.kept[i]
		if !isOf(k.Checkpoint, v.book.Book) {
			continue
		}
		if k.Size > size {
			v.cutTail(k.Size, "a checkpoint that was kept")
		}
		k.found = true // a smaller one was compared on the way
	}
	var extra int64
	if err := v.whole.main.QueryRow(ctx, auditSQL("tile_extra"), v.book.id, size).Scan(&extra); err != nil {
		return fmt.Errorf("read tiles: %w", err)
	}
	if extra > 0 {
		v.breach("I3", size+1, "tree", "%d tiles are of more transactions than there are", extra)
	}
	return nil
}

func (v *bookAudit) cutTail(sealed int64, what string) {
	v.breach("I3", v.Seq+1, fmt.Sprintf("checkpoint at %d", sealed),
		"%s is of %d transactions and there are %d: the end was cut off", what, sealed, v.Frontier.Size)
}

// checkTile compares a full tile with the stored one. The leaf in which they
// differ is the transaction that was changed.
func (v *bookAudit) checkTile(ctx context.Context, t *seal.Tile) error {
	width := int64(1) << (seal.TileHeight * (t.Level + 1)) // transactions below it
	var root, hashes []byte
	err := v.whole.main.QueryRow(ctx, auditSQL("tile"), v.book.id, t.Level, t.Index).Scan(&root, &hashes)
	first, last := t.Index*width+1, (t.Index+1)*width
	place := fmt.Sprintf("tile %d of level %d", t.Index, t.Level)
	if isNoRows(err) {
		if last <= v.tiles {
			v.breach("I3", 0, place, "it is missing although sequence %d was sealed", last)
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
	v.breach("I3", first, place, "it was made of other transactions: the first that differs is sequence %d", first)
	return nil
}
