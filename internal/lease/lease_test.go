package lease_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/lease"
	"github.com/recourse/recourse/internal/pgtest"
)

func TestOneLeadsWhoeverFollowsTakesOver(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super := db.Super()
	var first, second atomic.Int64
	var log lockedBuffer
	start := func(rounds *atomic.Int64) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		l := lease.Leader{
			Pool: db.Pool("app_worker"), Name: "test", Renew: 2 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Jobs: []lease.Job{{Name: "count", Every: time.Millisecond, Do: func(context.Context) error { rounds.Add(1); return nil }}},
		}
		run.Go(func() { l.Run(ctx) })
		stop = func() { cancel(); run.Wait() }
		t.Cleanup(stop)
		return stop
	}
	works := func(rounds *atomic.Int64) {
		t.Helper()
		n := rounds.Load()
		require.Eventually(t, func() bool { return rounds.Load() > n+2 }, 30*time.Second, time.Millisecond)
	}
	stop := start(&first)
	works(&first)
	start(&second)
	works(&first)
	stop() // it gives the lease back
	works(&second)

	// Somebody else leads now, as if this one had slept through its lease: it
	// finds out when it renews, and works again once that one is gone.
	_, err := super.Exec(t.Context(), `update app.lease set holder = 'another', expires_at = 'infinity' where name = 'test'`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "does not lead any more") }, 30*time.Second, time.Millisecond)
	stopped := second.Load()
	var epoch int
	require.NoError(t, super.QueryRow(t.Context(), `update app.lease set expires_at = clock_timestamp() where name = 'test' and holder = 'another' returning epoch`).Scan(&epoch))
	require.Eventually(t, func() bool { return second.Load() > stopped }, 30*time.Second, time.Millisecond)
	var now int
	require.NoError(t, super.QueryRow(t.Context(), `select epoch from app.lease where name = 'test'`).Scan(&now))
	require.Equal(t, epoch+1, now)
}

// One job's trouble is told and is not the other's, also when it never ends.
func TestARoundThatFailsOrHangsIsToldAndComesAgain(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	var hung, failed, sound atomic.Int64
	l := lease.Leader{
		Pool: pgtest.New(t).Pool("app_worker"), Name: "test", Renew: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Jobs: []lease.Job{
			{Name: "hangs", Every: time.Minute, Do: func(ctx context.Context) error { hung.Add(1); <-ctx.Done(); return ctx.Err() }},
			{Name: "fails", Every: time.Millisecond, Do: func(context.Context) error { failed.Add(1); return errors.New("planted") }},
			{Name: "works", Every: time.Millisecond, Do: func(context.Context) error { sound.Add(1); return nil }},
		},
	}
	var run sync.WaitGroup
	run.Go(func() { l.Run(ctx) })
	require.Eventually(t, func() bool { return hung.Load() == 1 && failed.Load() > 1 && sound.Load() > 1 }, 30*time.Second, time.Millisecond)
	cancel()
	run.Wait()
	require.Contains(t, log.String(), `lease=test job=hangs error="context deadline exceeded"`)
	require.Contains(t, log.String(), "lease=test job=fails error=planted")
	require.NotContains(t, log.String(), "job=works")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
