package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/internal/config"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/internal/expiry"
	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/participants"
	"github.com/recourse/recourse/internal/partners"
	"github.com/recourse/recourse/internal/sagabook"
	"github.com/recourse/recourse/internal/stripegw"
	"github.com/recourse/recourse/internal/temporalio"
	"github.com/recourse/recourse/internal/tradebook"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/workflows"
	"github.com/recourse/recourse/workflows/saga"
)

// work runs sagas until it is told to stop; steps under way get ten seconds.
func work(ctx context.Context, std streams, args []string) error {
	if _, err := parse(flags(std, "worker"), args); err != nil {
		return err
	}
	cfg, err := config.ForWorker()
	if err != nil {
		return usageError{err}
	}
	log := newLogger(std, "worker")
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

	books := ledgerpg.New(pool)
	trade := tradebook.New(pool)
	book := sagabook.New(pool, books, trade)
	gateway := stripegw.New(stripegw.Config{URL: cfg.Stripe.URL, Key: cfg.Stripe.Key, Timeout: cfg.Stripe.Timeout})
	mail := partners.Config{Secrets: cfg.PartnerSecrets, Timeout: cfg.Participants.Timeout}
	if cfg.Profile == config.Sandbox { // its partners are the participants' simulator
		mail.Shared, mail.Plain = cfg.Participants.Key, true
	}
	goods := participants.New(participants.Config{URL: cfg.Participants.URL, Key: cfg.Participants.Key, Timeout: cfg.Participants.Timeout})

	loop := &dispatch.Loop{Pool: pool, Temporal: temporal, Log: log, Pace: dispatch.Usual}
	holds := &expiry.Loop{Pool: pool, Books: books, Log: log, Pace: expiry.Usual}
	chaser := &investigation.Chaser{Pool: pool, Log: log, Pace: investigation.Usual}
	var looped sync.WaitGroup
	looped.Go(func() { loop.Run(ctx) })
	looped.Go(func() { holds.Run(ctx) })
	looped.Go(func() { chaser.Run(ctx) })
	defer looped.Wait()

	fatal := make(chan error, 1)
	w := worker.New(temporal, saga.TaskQueue, worker.Options{
		WorkerStopTimeout:                10 * time.Second,
		MaxConcurrentWorkflowTaskPollers: 8,
		MaxConcurrentActivityTaskPollers: 16,
		OnFatalError:                     func(err error) { fatal <- err },
	})
	workflows.Register(w, workflows.Activities{
		Sagas: &activities.Sagas{Book: book}, Payments: &activities.Payments{Book: book, Gateway: gateway},
		Reservations: &activities.Reservations{Book: book, Participants: goods}, Postings: &activities.Postings{Book: book},
		Custody: &activities.Custody{Book: book, Trade: trade, Inbox: partners.New(mail), Now: time.Now},
	})
	if err := startWhenThere(ctx, w, temporal, log); err != nil {
		return err
	}
	defer w.Stop()
	log.InfoContext(ctx, "working", slog.String("task_queue", saga.TaskQueue))
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("the worker cannot go on: %w", err)
	}
}

// startWhenThere starts the worker as soon as Temporal answers.
func startWhenThere(ctx context.Context, w worker.Worker, temporal client.Client, log *slog.Logger) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for said := false; ; {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			_, err := temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		}()
		if err == nil {
			err = w.Start()
		}
		if err == nil {
			return nil
		}
		if !said {
			log.WarnContext(ctx, "temporal does not answer yet; waiting for it", slog.Any("error", err))
			said = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
