package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/recourse/recourse/seal"
)

// Sealed is a checkpoint as it is published.
type Sealed struct {
	seal.Checkpoint

	Signed   []byte    // the note, with what witnesses added
	SealedAt time.Time // UTC, by the database's clock
}

// ErrNotSealed means that the chain, or the entry, is in no checkpoint yet. The
// sealer comes by every ten seconds.
var ErrNotSealed = errors.New("it is in no checkpoint yet: ask again in ten seconds")

// CheckpointFor is a chain's largest checkpoint that covers a sequence and that
// a witness has co-signed, or the largest if none has. Errors: ErrNotSealed.
func (st *Statements) CheckpointFor(ctx context.Context, tx pgx.Tx, id int32, seq int64) (Sealed, error) {
	var out Sealed
	var choice int32
	err := tx.QueryRow(ctx, st.checkpointFor, id, seq).Scan(&choice, &out.Size, &out.SealedAt, &out.Signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return Sealed{}, ErrNotSealed
	}
	if err != nil {
		return Sealed{}, fmt.Errorf("read a checkpoint: %w", err)
	}
	out.SealedAt = out.SealedAt.UTC()
	out.Checkpoint, err = seal.Peek(out.Signed)
	return out, err
}

// Prove proves the record under a sequence of a chain, prev being the hash
// before it. Errors: ErrNotSealed; seal.ErrInconsistent when what is stored is
// not what was sealed.
func (st *Statements) Prove(ctx context.Context, tx pgx.Tx, id int32, seq int64, prev [32]byte, record []byte) (seal.Proof, error) {
	sealed, err := st.CheckpointFor(ctx, tx, id, seq)
	if err != nil {
		return seal.Proof{}, err
	}
	inclusion, err := seal.ProveInclusion(ctx, st.source(tx, id), sealed.Size, seq-1)
	if err != nil {
		return seal.Proof{}, err
	}
	hash := sha256.Sum256(append(append(prev[:], 0), record...))
	if err := tlog.CheckRecord(inclusion, sealed.Size, sealed.Root, seq-1, seal.Leaf(hash)); err != nil {
		return seal.Proof{}, fmt.Errorf("%w: what is stored is not what was sealed; run recourse verify", seal.ErrInconsistent)
	}
	return seal.NewProof(prev, inclusion, sealed.Signed), nil
}
