package saga

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// SignalResolve is the signal with which people's decision reaches a saga.
const SignalResolve = "resolve"

// Resolution is what two people decided about a step that cannot go on.
type Resolution struct {
	ApprovalID string `json:"approval_id"`
	Step       string `json:"step"`
	Action     string `json:"action"` // retry | done_by_hand
}

// The actions of a Resolution.
const (
	Retry      = "retry"
	DoneByHand = "done_by_hand"
)

// The pace of an operation that must succeed: a burst, then one burst whenever
// the wait is over or people say so.
const (
	burst     = 8
	firstWait = time.Minute
	longest   = 5 * time.Minute
)

// listen passes each resolution on to the step it is about.
func (r *run) listen(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	signals := workflow.GetSignalChannel(ctx, SignalResolve)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var what Resolution
			signals.Receive(ctx, &what)
			r.words(ctx, what.Step).SendAsync(what) // nobody waits: the row decides anyway
		}
	})
}

func (r *run) words(ctx workflow.Context, name string) workflow.Channel {
	if _, ok := r.resolve[name]; !ok {
		r.resolve[name] = workflow.NewBufferedChannel(ctx, 16)
	}
	return r.resolve[name]
}

// insist runs an operation until it succeeds, is definitely refused, or people
// settle it. A do whose saga was cancelled or undone elsewhere ends too.
func (r *run) insist(ctx workflow.Context, s Step, c step.Call, op step.Op) (step.Status, error) {
	wait, called := firstWait, false
	for {
		status, err := r.attempt(ctx, s, c, op, burst)
		if err == nil || final(err, op) || ctx.Err() != nil {
			if called {
				if err := r.book(ctx, activities.SagaResumed, nil, c.Tenant, c.Saga); err != nil {
					return "", err
				}
			}
			return status, err
		}
		called = true
		workflow.GetLogger(ctx).Error("a step needs people", "saga_id", c.Saga, "step", c.Step, "op", string(op), "error", err)
		r.show(ctx, "attention")
		if err := r.book(ctx, activities.SagaAttention, nil, c, op, reason(err)); err != nil {
			return "", err
		}
		if r.settledByHand(ctx, s, c, op, wait) {
			return step.Succeeded, r.book(ctx, activities.SagaResumed, nil, c.Tenant, c.Saga)
		}
		wait = min(2*wait, longest)
	}
}

// settledByHand waits for people's word, or until it is time to try again, and
// reports whether the book took their word that the operation is done.
func (r *run) settledByHand(ctx workflow.Context, s Step, c step.Call, op step.Op, wait time.Duration) bool {
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	done := false
	workflow.NewSelector(ctx).
		AddFuture(workflow.NewTimer(timerCtx, wait), func(workflow.Future) {}).
		AddReceive(r.words(ctx, c.Step), func(words workflow.ReceiveChannel, _ bool) {
			var what Resolution
			words.Receive(ctx, &what)
			if what.Action == DoneByHand && s.byHand {
				done = r.book(ctx, activities.SagaResolveByHand, nil, c, op, what.ApprovalID) == nil
			}
		}).
		Select(ctx)
	return done
}

// final reports whether trying again cannot help.
func final(err error, op step.Op) bool {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || op == step.Undo {
		return false
	}
	switch app.Type() {
	case activities.OutcomeRefused, activities.OutcomeDangling, activities.OutcomeCancelled, activities.OutcomeStopped:
		return true
	default:
		return false
	}
}

// reason is what operators read about a step in attention.
func reason(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return "the step does not finish in time"
}
