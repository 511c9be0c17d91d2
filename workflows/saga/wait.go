package saga

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
)

// SignalWake is the signal that there is news for the step it names. It only
// makes the step look sooner: what it finds is in the database.
const SignalWake = "wake"

// The pace at which a waiting step looks by itself, in case nobody woke it.
const (
	firstLook   = 10 * time.Second
	longestLook = time.Hour
)

// waits reports whether a step said that it is somebody else's turn.
func waits(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == activities.OutcomeWaiting
}

// hearken passes each wake-up on to the step it is for.
func (r *run) hearken(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	signals := workflow.GetSignalChannel(ctx, SignalWake)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var name string
			signals.Receive(ctx, &name)
			r.bell(ctx, name).SendAsync(true) // one that has rung is enough
		}
	})
}

func (r *run) bell(ctx workflow.Context, name string) workflow.Channel {
	if _, ok := r.wake[name]; !ok {
		r.wake[name] = workflow.NewBufferedChannel(ctx, 1)
	}
	return r.wake[name]
}

// news waits for a wake-up, for a time, or until the saga is cancelled.
func (r *run) news(ctx workflow.Context, name string, wait time.Duration) {
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	workflow.NewSelector(ctx).
		AddFuture(workflow.NewTimer(timerCtx, wait), func(workflow.Future) {}). // a cancelled timer is ready too
		AddReceive(r.bell(ctx, name), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) }).
		Select(ctx)
}
