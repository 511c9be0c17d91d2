package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/dispatch/internal/dispatchdb"
	"github.com/recourse/recourse/internal/pgtenant"
)

// Starter starts a saga's workflow right after its commit, out of the way of
// the answer. What it cannot start, or has no room for, the Loop starts.
type Starter struct {
	pool     *pgxpool.Pool
	temporal Temporal
	log      *slog.Logger
	queue    chan Saga
	wait     sync.WaitGroup
}

const (
	starters     = 16
	startersRoom = 1024
	startTimeout = 5 * time.Second
)

// NewStarter returns a starter that works until Close.
func NewStarter(pool *pgxpool.Pool, t Temporal, log *slog.Logger) *Starter {
	s := &Starter{pool: pool, temporal: t, log: log, queue: make(chan Saga, startersRoom)}
	for range starters {
		s.wait.Go(s.work)
	}
	return s
}

// Nudge asks for the saga to be started soon. It never blocks.
func (s *Starter) Nudge(what Saga) {
	select {
	case s.queue <- what:
	default: // the Loop finds it within seconds
	}
}

// Close waits for the starts that are under way. Nudge must not be called
// afterwards.
func (s *Starter) Close() {
	close(s.queue)
	s.wait.Wait()
}

func (s *Starter) work() {
	for what := range s.queue {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		if err := start(ctx, s.temporal, what, false); err != nil {
			s.log.WarnContext(ctx, "saga not started yet", slog.String("saga_id", what.ID), slog.Any("error", err))
		} else if err := markStarted(ctx, s.pool, what.Tenant, what.ID); err != nil {
			s.log.WarnContext(ctx, "start not recorded yet", slog.String("saga_id", what.ID), slog.Any("error", err))
		}
		cancel()
	}
}

func markStarted(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, id string) error {
	return pgtenant.Tx(ctx, pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		return dispatchdb.New(tx).MarkStarted(ctx, dispatchdb.MarkStartedParams{TenantID: tenant, SagaID: id})
	})
}
