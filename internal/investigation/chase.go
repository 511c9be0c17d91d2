package investigation

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/lease"
)

// Pace says how often what is done. A reminder comes within Look of its time.
type Pace struct {
	Renew time.Duration // the lease is renewed; it lasts three times as long
	Look  time.Duration // notifications that are due are looked for
}

// Usual is the pace of the product.
var Usual = Pace{Renew: 3 * time.Second, Look: 10 * time.Second}

// Chaser is the background job of the workers that reminds people of
// notifications; one of them leads.
type Chaser struct {
	Pool *pgxpool.Pool // as role app_worker
	Log  *slog.Logger
	Pace Pace

	// Raised counts the reminders of this process.
	Raised atomic.Int64
}

const atATime = 1000 // reminders of a round

// Run works until ctx ends, leading whenever nobody else does.
func (c *Chaser) Run(ctx context.Context) {
	lease.Leader{Pool: c.Pool, Name: "notifications", Renew: c.Pace.Renew, Log: c.Log, Jobs: []lease.Job{{Name: "remind of notifications", Every: c.Pace.Look, Do: c.Round}}}.Run(ctx)
}

// Round reminds of what is due. The line in the log comes before the commit: a
// process that dies between the two has said it, and the next one says it again.
func (c *Chaser) Round(ctx context.Context) error {
	tx, err := c.Pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	type due struct {
		Tenant                      uuid.UUID
		Notification, Investigation string
		Hours                       int16
		DueAt                       time.Time
	}
	raised, err := collect(ctx, tx, "raise reminders", sqlRaiseAlerts, pgx.RowToStructByPos[due], atATime)
	if err != nil {
		return err
	}
	for _, d := range raised {
		level, text := slog.LevelWarn, "a notification of illegitimate product is due to FDA"
		if d.Hours >= 24 {
			level, text = slog.LevelError, "OVERDUE: a notification of illegitimate product was due to FDA"
		}
		c.Log.LogAttrs(ctx, level, text, slog.String("tenant", d.Tenant.String()), slog.String("notification_id", d.Notification),
			slog.String("investigation_id", d.Investigation), slog.Int("hours_since_determination", int(d.Hours)), slog.Time("due_at", d.DueAt))
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	c.Raised.Add(int64(len(raised)))
	return nil
}
