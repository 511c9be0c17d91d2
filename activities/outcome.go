package activities

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/recourse/recourse/activities/step"
)

// The types of the errors with which a step activity ends. The saga library
// decides by them.
const (
	// OutcomeRefused: a definite no; details hold the step.Refused.
	OutcomeRefused = "refused"
	// OutcomeDangling: an undo came first.
	OutcomeDangling = "dangling"
	// OutcomeCancelled: the client cancelled before this do began.
	OutcomeCancelled = "cancelled"
	// OutcomeStopped: the client cancelled after an attempt had begun.
	OutcomeStopped = "stopped"
	// OutcomeMisuse: our own request or credential is wrong; people have to look.
	OutcomeMisuse = "misuse"
	// OutcomeWaiting: it is somebody else's turn; the message says whose.
	OutcomeWaiting = "waiting"
	// OutcomeOpen: not known or not done; trying again may help.
	OutcomeOpen = "open"
)

// RunStep runs a step and says its outcome in Temporal's words: it is what a
// step activity consists of. Messages of refusals are for the marketplace;
// other messages stay with us.
func RunStep(ctx context.Context, book step.Book, c step.Call, op step.Op, effect step.Effect) (step.Status, error) {
	record, err := step.Run(ctx, book, c, op, effect)
	if err == nil {
		return record.Status, nil
	}
	final := func(kind string, details ...any) error {
		return temporal.NewApplicationErrorWithOptions(err.Error(), kind, temporal.ApplicationErrorOptions{NonRetryable: true, Details: details})
	}
	var misuse *step.Misuse
	var waiting *step.Waiting
	switch {
	case errors.As(err, &waiting):
		return "", final(OutcomeWaiting)
	case errors.Is(err, step.ErrDangling):
		return "", final(OutcomeDangling)
	case errors.Is(err, step.ErrCancelled):
		return "", final(OutcomeCancelled)
	case errors.Is(err, step.ErrStopped):
		return "", final(OutcomeStopped)
	case errors.As(err, &misuse): // before refused: it may wrap one
		return "", final(OutcomeMisuse)
	}
	if refused, no := step.AsRefused(err); no {
		return "", final(OutcomeRefused, *refused)
	}
	return "", temporal.NewApplicationErrorWithOptions(err.Error(), OutcomeOpen, temporal.ApplicationErrorOptions{NextRetryDelay: pause(ctx)})
}

// The pace of attempts at one operation.
const (
	shortest = 200 * time.Millisecond
	longest  = 10 * time.Second
)

// pause is the wait before the next attempt: it doubles, and lies anywhere
// between half and one and a half of that, so that sagas that failed together
// do not come back together.
func pause(ctx context.Context) time.Duration {
	if !activity.IsActivity(ctx) {
		return 0 // the caller has its own pace
	}
	return spread(activity.GetInfo(ctx).Attempt)
}

func spread(attempt int32) time.Duration {
	wait := min(shortest<<min(max(attempt, 1)-1, 10), longest)
	return wait/2 + rand.N(wait) //nolint:gosec // chance is all that is needed
}
