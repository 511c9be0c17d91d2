package apidb

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api"
)

// Watch wakes those who wait for a saga, from Postgres' notifications over one
// connection. A notification only says: look. While the connection is away
// everybody is woken every second instead, so nothing waits on a lost one.
type Watch struct {
	url string
	log *slog.Logger

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{}
}

var _ api.Watcher = (*Watch)(nil)

// NewWatch returns a watch on the database at url. Run it.
func NewWatch(url string, log *slog.Logger) *Watch {
	return &Watch{url: url, log: log, waiting: map[string]map[chan struct{}]struct{}{}}
}

// Watch implements api.Watcher.
func (w *Watch) Watch(tenant uuid.UUID, saga string) (<-chan struct{}, func()) {
	name := tenant.String() + ":" + saga
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[name] == nil {
		w.waiting[name] = map[chan struct{}]struct{}{}
	}
	w.waiting[name][c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting[name], c)
		if len(w.waiting[name]) == 0 {
			delete(w.waiting, name)
		}
	}
}

func (w *Watch) wake(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting[name] {
		nudge(c)
	}
}

func (w *Watch) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, all := range w.waiting {
		for c := range all {
			nudge(c)
		}
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is already told to look
	}
}

// Run listens until ctx ends and connects again whenever it has to.
func (w *Watch) Run(ctx context.Context) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for ctx.Err() == nil {
		if err := w.listen(ctx); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "not listening for changes; looking every second", slog.Any("error", err))
		}
		w.wakeAll()
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

func (w *Watch) listen(ctx context.Context) error {
	connecting, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(connecting, w.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(connecting, "listen saga"); err != nil {
		return err
	}
	w.wakeAll() // what happened before we listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if strings.Count(n.Payload, ":") == 1 {
			w.wake(n.Payload)
		}
	}
}
