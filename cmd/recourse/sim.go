package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/sim/participants"
	"github.com/recourse/recourse/sim/stripe"
)

// simulate serves the stand-ins for Stripe and the participants until told to
// stop. With -journals they keep their state over a restart.
func simulate(ctx context.Context, std streams, args []string) error {
	f := flags(std, "sim")
	stripeAddr := f.String("stripe", "127.0.0.1:12111", "where the Stripe simulator listens")
	participantsAddr := f.String("participants", "127.0.0.1:12112", "where the participant simulator listens")
	journals := f.String("journals", "", "folder that keeps their state; in memory only when empty")
	participantsKey := f.String("participants-key", "sandbox-participants", "credential the participants expect")
	if _, err := parse(f, args); err != nil {
		return err
	}
	journal := func(name string) string { return "" }
	if *journals != "" {
		if err := os.MkdirAll(*journals, 0o700); err != nil {
			return usagef("-journals: %w", err)
		}
		journal = func(name string) string { return filepath.Join(*journals, name) }
	}
	money, err := stripe.New(stripe.Config{JournalPath: journal("stripe.jsonl")})
	if err != nil {
		return fmt.Errorf("stripe simulator: %w", err)
	}
	goods, err := participants.New(participants.Config{APIKey: *participantsKey, JournalPath: journal("participants.jsonl")})
	if err != nil {
		return fmt.Errorf("participant simulator: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return listenAndServe(ctx, *stripeAddr, money) })
	g.Go(func() error { return listenAndServe(ctx, *participantsAddr, goods) })
	fmt.Fprintf(std.err, "stripe simulator on http://%s, participants on http://%s\n", *stripeAddr, *participantsAddr)
	return g.Wait()
}

// listenAndServe serves until ctx ends, then gives requests under way ten
// seconds to finish. There is no ReadTimeout: it would end streams and long
// polls; who reads a body bounds it.
func listenAndServe(ctx context.Context, addr string, h http.Handler) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return usagef("cannot listen on %s: %w", addr, err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = s.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.Close() // streams stay open until their client goes; it resumes elsewhere
	}
	return err
}
