package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/devstack/temporal"
	"github.com/recourse/recourse/devstack/ui"
	"github.com/recourse/recourse/sim/participants"
	"github.com/recourse/recourse/sim/stripe"
)

// RunStack is the process `devstack stack`: Temporal, its UI and the
// simulators, until ctx ends.
func RunStack(ctx context.Context, talk io.Writer) error {
	var what StackConfig
	if err := json.Unmarshal([]byte(os.Getenv("RECOURSE_STACK")), &what); err != nil {
		return errors.New("devstack stack is started by devstack up")
	}
	money, err := stripe.New(stripe.Config{JournalPath: filepath.Join(what.Journals, "stripe.jsonl"), APIKeys: []string{what.StripeKey}})
	if err != nil {
		return err
	}
	defer func() { _ = money.Close() }()
	goods, err := participants.New(participants.Config{APIKey: what.ParticipantsKey, JournalPath: filepath.Join(what.Journals, "participants.jsonl")})
	if err != nil {
		return err
	}
	defer func() { _ = goods.Close() }()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(ctx, what.StripePort, money) })
	g.Go(func() error { return serve(ctx, what.ParticipantsPort, goods) })
	g.Go(func() error {
		server, err := temporal.Start(ctx, what.Temporal)
		if err != nil {
			return err
		}
		fmt.Fprintln(talk, "temporal is up")
		stopUI := ui.Start(what.UIPort, local(what.Temporal.Port), orchestratorNamespace)
		<-ctx.Done()
		stopUI()
		return server.Stop()
	})
	return g.Wait()
}

func serve(ctx context.Context, port int, h http.Handler) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", local(port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
