package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/api"
	auditpg "github.com/recourse/recourse/audit/postgres"
	"github.com/recourse/recourse/db"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/capture"
	"github.com/recourse/recourse/internal/config"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/temporalio"
	"github.com/recourse/recourse/internal/tradebook"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// garbagePercent is how much the heap of the API grows before it is collected.
// A request leaves garbage and next to nothing else, so with Go's own 100 a
// sixth of the processor goes into collecting a few megabytes again and again.
const garbagePercent = 400

// serve runs the API until it is told to stop; then streams end, requests
// under way finish and what was accepted is handed on.
func serve(ctx context.Context, std streams, args []string) error {
	if _, err := parse(flags(std, "serve"), args); err != nil {
		return err
	}
	cfg, err := config.ForServe()
	if err != nil {
		return usageError{err}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	log := newLogger(std, "api")
	pool, err := connect(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer pool.Close()
	temporal, err := temporalio.Dial(cfg.Temporal, log)
	if err != nil {
		return err
	}
	defer temporal.Close()

	starter := dispatch.NewStarter(pool, temporal, log)
	watch := apidb.NewWatch(cfg.Database.URL, log)
	draining := make(chan struct{})
	handler, err := api.New(api.Config{
		Store: apidb.New(pool), Books: ledgerpg.New(pool), Trade: tradebook.New(pool), Custody: custodypg.New(pool), Actions: auditpg.New(pool), Investigations: investigation.New(pool),
		Documents: capture.New(pool, custodypg.New(pool), tradebook.New(pool), time.Now), Credentials: auth.NewChecker(pool, time.Now), Starter: starter,
		Orchestrator: temporalio.Signaller{Client: temporal}, Watcher: watch, Log: log, Now: time.Now,
		BaseURL: strings.TrimSuffix(cfg.BaseURL, "/"), CursorKey: []byte(cfg.CursorKey), Live: cfg.Profile == config.Production,
		Version: version, Schema: db.Latest(), Draining: draining, Checks: checks(pool, temporal),
	})
	if err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	var g errgroup.Group
	g.Go(func() error { watch.Run(watching); return nil })
	context.AfterFunc(ctx, func() { close(draining) })
	log.InfoContext(ctx, "serving", slog.String("address", cfg.Addr))
	err = listenAndServe(ctx, cfg.Addr, handler)
	starter.Close()
	stopWatching()
	return firstOf(err, g.Wait())
}

// checks are what readiness asks.
func checks(pool *pgxpool.Pool, temporal client.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"database": func(ctx context.Context) error {
			var standby bool
			if err := pool.QueryRow(ctx, "select pg_is_in_recovery()").Scan(&standby); err != nil {
				return err
			}
			if standby {
				return fmt.Errorf("the database is a standby")
			}
			return nil
		},
		"schema": func(ctx context.Context) error { return db.Check(ctx, pool) },
		"temporal": func(ctx context.Context) error {
			_, err := temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		},
	}
}

// connect opens a pool and refuses a schema this program does not know. A
// database that does not answer is waited for: processes start in any order.
func connect(ctx context.Context, cfg config.Database) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, usagef("RECOURSE_DATABASE_URL is not a postgres:// URL")
	}
	pc.MaxConns = cfg.MaxConns
	pc.MaxConnIdleTime = 5 * time.Minute
	pc.ConnConfig.ConnectTimeout = 2 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, databaseAway(err)
	}
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := pool.Ping(wait)
		if err == nil {
			break
		}
		select {
		case <-wait.Done():
			pool.Close()
			return nil, databaseAway(err)
		case <-tick.C:
		}
	}
	if err := db.Check(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
