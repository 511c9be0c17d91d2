package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/internal/dispatch/internal/dispatchdb"
	"github.com/recourse/recourse/internal/lease"
	"github.com/recourse/recourse/internal/pgtenant"
)

// Pace says how often the Loop does what. A saga without a running workflow is
// found within Unchecked + Sweep.
type Pace struct {
	Renew     time.Duration // the lease is renewed; it lasts three times as long
	Start     time.Duration // accepted sagas are looked for
	Unstarted time.Duration // how long the Starter has for a saga before the Loop takes it
	Sweep     time.Duration // open sagas are looked at
	Unchecked time.Duration // how long a saga is trusted to run without a look
	Prune     time.Duration // old answers are forgotten
}

// Usual is the pace of the product.
var Usual = Pace{
	Renew: 3 * time.Second, Start: time.Second, Unstarted: 2 * time.Second,
	Sweep: 5 * time.Second, Unchecked: 20 * time.Second, Prune: time.Hour,
}

// Loop is the background job of the workers: one of them leads.
type Loop struct {
	Pool     *pgxpool.Pool
	Temporal Temporal
	Log      *slog.Logger
	Pace     Pace
}

const (
	atMost = 500 // sagas of one look
	atOnce = 8   // calls to Temporal side by side
)

// Run works until ctx ends, leading whenever nobody else does.
func (l *Loop) Run(ctx context.Context) {
	lease.Leader{Pool: l.Pool, Name: "dispatch", Renew: l.Pace.Renew, Log: l.Log, Jobs: []lease.Job{
		{Name: "start", Every: l.Pace.Start, Do: l.Start},
		{Name: "sweep", Every: l.Pace.Sweep, Do: l.Sweep},
		{Name: "prune", Every: l.Pace.Prune, Do: l.prune},
	}}.Run(ctx)
}

// Start hands over what was accepted and not yet started.
func (l *Loop) Start(ctx context.Context) error {
	rows, err := dispatchdb.New(l.Pool).Unstarted(ctx, dispatchdb.UnstartedParams{OlderThan: l.Pace.Unstarted, AtMost: atMost})
	if err != nil {
		return err
	}
	return each(ctx, rows, func(ctx context.Context, r dispatchdb.UnstartedRow) error {
		s := Saga{Tenant: r.TenantID, ID: r.ID, Type: r.Type, OrderRef: r.OrderRef, Plan: r.Plan}
		if err := start(ctx, l.Temporal, s, false); err != nil {
			return err
		}
		return markStarted(ctx, l.Pool, s.Tenant, s.ID)
	})
}

// Sweep looks at open sagas and starts those again that nothing runs.
func (l *Loop) Sweep(ctx context.Context) error {
	rows, err := dispatchdb.New(l.Pool).Unchecked(ctx, dispatchdb.UncheckedParams{OlderThan: l.Pace.Unchecked, AtMost: atMost})
	if err != nil {
		return err
	}
	return each(ctx, rows, func(ctx context.Context, r dispatchdb.UncheckedRow) error {
		return l.look(ctx, Saga{Tenant: r.TenantID, ID: r.ID, Type: r.Type, OrderRef: r.OrderRef, Plan: r.Plan})
	})
}

func (l *Loop) look(ctx context.Context, s Saga) error {
	runs, err := running(ctx, l.Temporal, s.ID)
	if err != nil {
		return err
	}
	if !runs {
		// It may have ended since the list was read: the row has the last word.
		open, err := l.open(ctx, s)
		if err != nil || !open {
			return err
		}
		l.Log.WarnContext(ctx, "an open saga had no running workflow and is started again", slog.String("saga_id", s.ID))
		if err := start(ctx, l.Temporal, s, true); err != nil {
			return err
		}
	}
	return pgtenant.Tx(ctx, l.Pool, s.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		return dispatchdb.New(tx).MarkChecked(ctx, dispatchdb.MarkCheckedParams{TenantID: s.Tenant, SagaIds: []string{s.ID}})
	})
}

func (l *Loop) open(ctx context.Context, s Saga) (open bool, err error) {
	err = pgtenant.ReadTx(ctx, l.Pool, s.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		open, err = dispatchdb.New(tx).Open(ctx, dispatchdb.OpenParams{TenantID: s.Tenant, SagaID: s.ID})
		return err
	})
	return open, err
}

func (l *Loop) prune(ctx context.Context) error {
	_, err := dispatchdb.New(l.Pool).Prune(ctx, 10_000)
	return err
}

// each runs fn for every row, some side by side, and returns the first error
// after all have had their turn: one bad saga must not hold up the others.
func each[T any](ctx context.Context, rows []T, fn func(context.Context, T) error) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, row := range rows {
		g.Go(func() error { return fn(ctx, row) })
	}
	return g.Wait()
}
