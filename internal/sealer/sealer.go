package sealer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	auditpg "github.com/recourse/recourse/audit/postgres"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/lease"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// Pace says how often what is done. An edit made between two checkpoints is
// found by the chain alone.
type Pace struct {
	Renew time.Duration // the lease is renewed; it lasts three times as long
	Seal  time.Duration // chains are looked at
}

// Usual is the pace of the product.
var Usual = Pace{Renew: 3 * time.Second, Seal: 10 * time.Second}

// Sealer is the background job of the sealer processes: one of them leads.
type Sealer struct {
	Pool      *pgxpool.Pool // as role sealer
	Key       *seal.Key
	Old       []seal.PublicKey // keys that signed before it
	Archive   *Archive         // nil: checkpoints stay in the database and with witnesses
	Witnesses []*Witness
	Log       *slog.Logger
	Pace      Pace

	// Sealed and Refused count checkpoints since the start: signed, and not
	// signed because a chain does not continue what was signed of it.
	Sealed, Refused atomic.Int64

	recalled bool // every chain has been held against the archive, once
}

const atOnce = 4 // chains side by side

// Run works until ctx ends, leading whenever nobody else does.
func (s *Sealer) Run(ctx context.Context) {
	lease.Leader{Pool: s.Pool, Name: "sealer", Renew: s.Pace.Renew, Log: s.Log, Jobs: []lease.Job{{Name: "seal", Every: s.Pace.Seal, Do: s.Round}}}.Run(ctx)
}

// chain is a book, or a tenant's custody or audit log, with the store it is in.
type chain struct {
	sealpg.Chain

	store *sealpg.Seals
}

// Round seals every book, custody chain and audit log that has moved and asks the
// witnesses. One chain's trouble does not hold up the others.
func (s *Sealer) Round(ctx context.Context) error {
	names := make([]string, 0, len(s.Witnesses))
	for _, w := range s.Witnesses {
		names = append(names, w.Key.Name)
	}
	due, err := s.look(func(store *sealpg.Seals) ([]sealpg.Chain, error) { return store.Due(ctx, names) })
	if err != nil {
		s.recalled = false // the server that answers again may be another one
		return err
	}
	recalled, err := s.recall(ctx, due)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	errs := make([]error, len(due))
	for i, c := range due {
		g.Go(func() error {
			errs[i] = s.chain(ctx, c)
			s.alarm(ctx, c, errs[i])
			return nil
		})
	}
	_ = g.Wait() // each chain's error is in errs
	return errors.Join(append(errs, recalled)...)
}

// look asks all kinds of chains.
func (s *Sealer) look(ask func(*sealpg.Seals) ([]sealpg.Chain, error)) (out []chain, err error) {
	for _, store := range []*sealpg.Seals{ledgerpg.NewSeals(s.Pool, s.Old...), custodypg.NewSeals(s.Pool, s.Old...), auditpg.NewSeals(s.Pool, s.Old...)} {
		found, err := ask(store)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			out = append(out, chain{c, store})
		}
	}
	return out, nil
}

// recall holds the chains at rest against the archive, in the first round and
// after the database was away: one that was restored, or failed over to one that was behind, may have
// lost what was sealed, and such a chain does not move by itself. lost says what
// was found.
func (s *Sealer) recall(ctx context.Context, due []chain) (lost, err error) {
	if s.recalled || s.Archive == nil {
		return nil, nil
	}
	all, err := s.look(func(store *sealpg.Seals) ([]sealpg.Chain, error) { return store.All(ctx) })
	if err != nil {
		return nil, err
	}
	moves := map[string]bool{}
	for _, c := range due {
		moves[c.Name] = true
	}
	var errs []error
	for _, c := range all {
		if moves[c.Name] {
			continue
		}
		_, err := s.kept(ctx, c)
		s.alarm(ctx, c, err)
		errs = append(errs, err)
	}
	s.recalled = true
	return errors.Join(errs...), nil
}

// alarm says loudly that a chain was changed.
func (s *Sealer) alarm(ctx context.Context, c chain, err error) {
	if !errors.Is(err, seal.ErrInconsistent) && !errors.Is(err, ErrFork) {
		return
	}
	s.Refused.Add(1)
	s.Log.ErrorContext(ctx, "ALARM: a chain does not continue what was sealed of it; run recourse verify",
		slog.String("chain", c.Name), slog.Int64("sealed", c.Sealed), slog.Int64("seq", c.Seq), slog.Any("error", err))
}

// chain brings one chain up to its head and its last checkpoint to the
// witnesses.
func (s *Sealer) chain(ctx context.Context, c chain) error {
	known, err := s.kept(ctx, c)
	if err != nil {
		return err
	}
	for c.Sealed < c.Seq {
		next, signed, put, err := c.store.Seal(ctx, c.Chain, s.Key, known...)
		if err != nil {
			return err
		}
		if !put {
			return nil // another was faster
		}
		s.Sealed.Add(1)
		c.Sealed, c.Signed = next.Size, string(signed)
		if s.Archive != nil {
			if err := s.Archive.Put(next, signed); err != nil {
				return err
			}
		}
	}
	if c.Sealed == 0 {
		return nil
	}
	return s.witness(ctx, c)
}

// kept is the last checkpoint in the archive, if there is one. One that was
// stored when it could not be kept is kept now.
func (s *Sealer) kept(ctx context.Context, c chain) ([]seal.Checkpoint, error) {
	if s.Archive == nil {
		return nil, nil
	}
	last, err := s.Archive.Last(c.Origin(s.Key.Name), s.keys())
	if err != nil {
		return nil, err
	}
	if c.Sealed > 0 && (last == nil || last.Size < c.Sealed) {
		stored, err := seal.OpenAny([]byte(c.Signed), s.keys())
		if err != nil {
			return nil, fmt.Errorf("%w: the last checkpoint is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
		}
		if err := s.Archive.Put(stored.Checkpoint, []byte(c.Signed)); err != nil {
			return nil, err
		}
	}
	if last == nil {
		return nil, nil
	}
	if last.Size > c.Seq {
		return nil, fmt.Errorf("%w: %d entries were sealed and there are %d", seal.ErrInconsistent, last.Size, c.Seq)
	}
	if c.Sealed < last.Size {
		s.Log.WarnContext(ctx, "the database has forgotten a checkpoint that was kept",
			slog.String("chain", c.Name), slog.Int64("kept", last.Size), slog.Int64("stored", c.Sealed))
	}
	return []seal.Checkpoint{*last}, nil
}

func (s *Sealer) keys() []seal.PublicKey { return append([]seal.PublicKey{s.Key.PublicKey}, s.Old...) }

func (s *Sealer) witness(ctx context.Context, of chain) error {
	if len(s.Witnesses) == 0 {
		return nil
	}
	opened, err := seal.OpenAny([]byte(of.Signed), s.keys())
	if err != nil {
		return fmt.Errorf("%w: the last checkpoint is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
	}
	c := opened.Checkpoint
	if !s.Key.Signs(c.Origin) {
		return nil // an old key's: the next one is for the witness
	}
	note := of.Signed
	var errs []error
	for _, w := range s.Witnesses {
		added, err := w.Submit(ctx, c, []byte(of.Signed), s.Key.PublicKey, func(ctx context.Context, old int64) ([]seal.Hash, error) {
			return of.store.Consistency(ctx, of.Chain, old, c.Size)
		})
		var ahead *aheadError
		if errors.As(err, &ahead) {
			if now, lastErr := of.store.LastSize(ctx, of.Chain); lastErr != nil || now >= ahead.size {
				errs = append(errs, lastErr)
				continue // another sealer has gone on in the meantime
			}
			err = fmt.Errorf("%w: %w, the database at %d", ErrFork, ahead, c.Size)
		}
		if err == nil {
			err = of.store.PutCosignature(ctx, of.Chain, c.Size, added)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		note += added.Line
	}
	if s.Archive != nil && strings.Count(note, "\n") == strings.Count(of.Signed, "\n")+len(s.Witnesses) {
		errs = append(errs, s.Archive.PutCosigned(c, []byte(note)))
	}
	return errors.Join(errs...)
}
