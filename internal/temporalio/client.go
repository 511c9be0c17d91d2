// Package temporalio connects to Temporal. Connecting never waits: Temporal may
// come later, and what was accepted in between is started then.
package temporalio

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/recourse/recourse/internal/config"
	"github.com/recourse/recourse/workflows/saga"
)

// Dial returns a client that connects when it is first used, and again
// whenever it has to.
func Dial(cfg config.Temporal, log *slog.Logger) (client.Client, error) {
	c, err := client.NewLazyClient(client.Options{
		HostPort: cfg.Address, Namespace: cfg.Namespace, Logger: sdklog.NewStructuredLogger(log),
		ConnectionOptions: client.ConnectionOptions{KeepAliveTime: 10 * time.Second, KeepAliveTimeout: 5 * time.Second},
	})
	if err != nil {
		return nil, fmt.Errorf("temporal at %s: %w", cfg.Address, err)
	}
	return c, nil
}

// Signaller reaches running sagas.
type Signaller struct{ Client client.Client }

// hint bounds a call that only makes something happen sooner.
const hint = 3 * time.Second

// CancelSaga wakes a saga to see that it was cancelled.
func (s Signaller) CancelSaga(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, hint)
	defer cancel()
	return s.Client.CancelWorkflow(ctx, id, "")
}

// ResolveSaga tells a saga what people have decided.
func (s Signaller) ResolveSaga(ctx context.Context, id, approval, step, action string) error {
	return s.Client.SignalWorkflow(ctx, id, "", saga.SignalResolve, saga.Resolution{ApprovalID: approval, Step: step, Action: action})
}

// WakeSaga tells a waiting step of a saga that there is news for it.
func (s Signaller) WakeSaga(ctx context.Context, id, step string) error {
	ctx, cancel := context.WithTimeout(ctx, hint)
	defer cancel()
	return s.Client.SignalWorkflow(ctx, id, "", saga.SignalWake, step)
}
