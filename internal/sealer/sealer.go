package sealer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/internal/lease"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/seal"
)

// Pace says how often what is done. An edit made between two checkpoints is
// found by the chain alone.
type Pace struct {
	Renew time.Duration // the lease is renewed; it lasts three times as long
	Seal  time.Duration // books are looked at
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
	// signed because a book does not continue what was signed of it.
	Sealed, Refused atomic.Int64

	recalled bool // every book has been held against the archive, once
}

const (
	leaseName = "sealer"
	atOnce    = 4 // books side by side
)

// Run works until ctx ends, leading whenever nobody else does.
func (s *Sealer) Run(ctx context.Context) {
	holder := uuid.NewString()
	renew, work := time.NewTicker(s.Pace.Renew), time.NewTicker(s.Pace.Seal)
	defer renew.Stop()
	defer work.Stop()
	leads := s.lease(ctx, holder)
	if leads {
		s.round(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			s.release(holder)
			return
		case <-renew.C:
			leads = s.lease(ctx, holder)
		case <-work.C:
			if leads {
				s.round(ctx)
			}
		}
	}
}

func (s *Sealer) lease(ctx context.Context, holder string) bool {
	ctx, cancel := context.WithTimeout(ctx, s.Pace.Renew)
	defer cancel()
	leads, err := lease.Acquire(ctx, s.Pool, leaseName, holder, 3*s.Pace.Renew)
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "the lease cannot be renewed", slog.Any("error", err))
	}
	return leads
}

func (s *Sealer) release(holder string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = lease.Release(ctx, s.Pool, leaseName, holder) // not released, it runs out by itself
}

// round is one look at all books; the next one is the retry.
func (s *Sealer) round(ctx context.Context) {
	// A round never outlives the lease.
	ctx, cancel := context.WithTimeout(ctx, 2*s.Pace.Renew)
	defer cancel()
	if err := s.Round(ctx); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "a round of the sealer failed", slog.Any("error", err))
	}
}

// Round seals every book that has moved and asks the witnesses. One book's
// trouble does not hold up the others.
func (s *Sealer) Round(ctx context.Context) error {
	names := make([]string, 0, len(s.Witnesses))
	for _, w := range s.Witnesses {
		names = append(names, w.Key.Name)
	}
	store := postgres.NewSeals(s.Pool, s.Old...)
	due, err := store.Due(ctx, names)
	if err != nil {
		s.recalled = false // the server that answers again may be another one
		return err
	}
	recalled, err := s.recall(ctx, store, due)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	errs := make([]error, len(due))
	for i, b := range due {
		g.Go(func() error {
			errs[i] = s.book(ctx, store, b)
			s.alarm(ctx, b, errs[i])
			return nil
		})
	}
	_ = g.Wait() // each book's error is in errs
	return errors.Join(append(errs, recalled)...)
}

// recall holds the books at rest against the archive, in the first round and
// after the database was away: one that was restored, or failed over to one that was behind, may have
// lost what was sealed, and such a book does not move by itself. lost says what
// was found.
func (s *Sealer) recall(ctx context.Context, store *postgres.Seals, due []postgres.SealBook) (lost, err error) {
	if s.recalled || s.Archive == nil {
		return nil, nil
	}
	all, err := store.Books(ctx)
	if err != nil {
		return nil, err
	}
	moves := map[int32]bool{}
	for _, b := range due {
		moves[b.ID] = true
	}
	var errs []error
	for _, b := range all {
		if moves[b.ID] {
			continue
		}
		_, err := s.kept(ctx, b)
		s.alarm(ctx, b, err)
		errs = append(errs, err)
	}
	s.recalled = true
	return errors.Join(errs...), nil
}

// alarm says loudly that a book was changed.
func (s *Sealer) alarm(ctx context.Context, b postgres.SealBook, err error) {
	if !errors.Is(err, seal.ErrInconsistent) && !errors.Is(err, ErrFork) {
		return
	}
	s.Refused.Add(1)
	s.Log.ErrorContext(ctx, "ALARM: the books do not continue what was sealed of them; run recourse verify",
		slog.String("tenant", b.Tenant.String()), slog.String("entity", b.Entity), slog.Int64("sealed", b.Sealed),
		slog.Int64("seq", b.Seq), slog.Any("error", err))
}

// book brings one book up to its head and its last checkpoint to the
// witnesses.
func (s *Sealer) book(ctx context.Context, store *postgres.Seals, b postgres.SealBook) error {
	known, err := s.kept(ctx, b)
	if err != nil {
		return err
	}
	for b.Sealed < b.Seq {
		next, signed, put, err := store.Seal(ctx, b, s.Key, known...)
		if err != nil {
			return err
		}
		if !put {
			return nil // another was faster
		}
		s.Sealed.Add(1)
		b.Sealed, b.Signed = next.Size, string(signed)
		if s.Archive != nil {
			if err := s.Archive.Put(next, signed); err != nil {
				return err
			}
		}
	}
	if b.Sealed == 0 {
		return nil
	}
	return s.witness(ctx, store, b)
}

// kept is the last checkpoint in the archive, if there is one. One that was
// stored when it could not be kept is kept now.
func (s *Sealer) kept(ctx context.Context, b postgres.SealBook) ([]seal.Checkpoint, error) {
	if s.Archive == nil {
		return nil, nil
	}
	last, err := s.Archive.Last(seal.Origin(s.Key.Name, b.Book), s.keys())
	if err != nil {
		return nil, err
	}
	if b.Sealed > 0 && (last == nil || last.Size < b.Sealed) {
		stored, err := seal.OpenAny([]byte(b.Signed), s.keys())
		if err != nil {
			return nil, fmt.Errorf("%w: the last checkpoint is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
		}
		if err := s.Archive.Put(stored.Checkpoint, []byte(b.Signed)); err != nil {
			return nil, err
		}
	}
	if last == nil {
		return nil, nil
	}
	if last.Size > b.Seq {
		return nil, fmt.Errorf("%w: %d transactions were sealed and there are %d", seal.ErrInconsistent, last.Size, b.Seq)
	}
	if b.Sealed < last.Size {
		s.Log.WarnContext(ctx, "the database has forgotten a checkpoint that was kept",
			slog.String("tenant", b.Tenant.String()), slog.Int64("kept", last.Size), slog.Int64("stored", b.Sealed))
	}
	return []seal.Checkpoint{*last}, nil
}

func (s *Sealer) keys() []seal.PublicKey { return append([]seal.PublicKey{s.Key.PublicKey}, s.Old...) }

func (s *Sealer) witness(ctx context.Context, store *postgres.Seals, b postgres.SealBook) error {
	if len(s.Witnesses) == 0 {
		return nil
	}
	opened, err := seal.OpenAny([]byte(b.Signed), s.keys())
	if err != nil {
		return fmt.Errorf("%w: the last checkpoint is not signed by a key this sealer knows: %w", seal.ErrInconsistent, err)
	}
	c := opened.Checkpoint
	if !s.Key.Signs(c.Origin) {
		return nil // an old key's: the next one is for the witness
	}
	note := b.Signed
	var errs []error
	for _, w := range s.Witnesses {
		added, err := w.Submit(ctx, c, []byte(b.Signed), s.Key.PublicKey, func(ctx context.Context, old int64) ([]seal.Hash, error) {
			return store.Consistency(ctx, b, old, c.Size)
		})
		var ahead *aheadError
		if errors.As(err, &ahead) {
			if now, lastErr := store.LastSize(ctx, b); lastErr != nil || now >= ahead.size {
				errs = append(errs, lastErr)
				continue // another sealer has gone on in the meantime
			}
			err = fmt.Errorf("%w: %w, the database at %d", ErrFork, ahead, c.Size)
		}
		if err == nil {
			err = store.PutCosignature(ctx, b, c.Size, added)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		note += added.Line
	}
	if s.Archive != nil && strings.Count(note, "\n") == strings.Count(b.Signed, "\n")+len(s.Witnesses) {
		errs = append(errs, s.Archive.PutCosigned(c, []byte(note)))
	}
	return errors.Join(errs...)
}
