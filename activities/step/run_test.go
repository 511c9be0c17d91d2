package step_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/activities/step"
)

var (
	refused  = &step.Refused{Code: "sold_out", Message: "Nothing is left."}
	unknown  = &step.Unknown{Err: errors.New("no answer")}
	ordinary = step.Call{Saga: "sg_test", Step: "hotel", Ordinal: 2, Class: step.Compensatable}
)

// counter is an effect that answers as it is told and counts.
type counter struct {
	n      int
	answer error
	seen   []string
}

func (c *counter) effect(_ context.Context, a step.Attempt) (step.Settlement, error) {
	c.n++
	c.seen = append(c.seen, a.Key("reserve"))
	return step.Settlement{Result: map[string]string{"reference": "R1"}}, c.answer
}

func book(t *testing.T) *activitiestest.Book {
	t.Helper()
	b, err := activitiestest.NewBook(activities.BookingOrder{OrderRef: "A-1", Currency: "usd", Hotel: &activities.HotelOrder{SKU: "H", Price: 1, Nights: 1}})
	require.NoError(t, err)
	return b
}

func TestADoneStepHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{}
	for range 10 {
		r, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
		require.NoError(t, err)
		require.Equal(t, step.Succeeded, r.Status)
	}
	require.Equal(t, 1, c.n)
}

func TestAnUndoneStepIsUndoneOnce(t *testing.T) {
	t.Parallel()
	b, do, undo := book(t), &counter{}, &counter{}
	_, err := step.Run(t.Context(), b, ordinary, step.Do, do.effect)
	require.NoError(t, err)
	for range 10 {
		_, err := step.Run(t.Context(), b, ordinary, step.Undo, undo.effect)
		require.NoError(t, err)
	}
	require.Equal(t, 1, undo.n)
	_, err = step.Run(t.Context(), b, ordinary, step.Do, do.effect)
	require.NoError(t, err, "what it settled as stays")
	require.Equal(t, 1, do.n)
}

func TestARefusalIsForGoodAndNeedsNoUndo(t *testing.T) {
	t.Parallel()
	b, c, undo := book(t), &counter{answer: refused}, &counter{}
	for range 3 {
		_, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
		got, no := step.AsRefused(err)
		require.True(t, no)
		require.Equal(t, refused, got)
	}
	require.Equal(t, 1, c.n)
	r, err := step.Run(t.Context(), b, ordinary, step.Undo, undo.effect)
	require.NoError(t, err)
	require.Equal(t, step.Skipped, r.Status)
	require.Zero(t, undo.n)
}

func TestAnUnknownOutcomeIsAskedAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{answer: unknown}
	for range 3 {
		_, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
		require.ErrorIs(t, err, unknown)
	}
	require.Equal(t, []string{"sg_test:hotel:do:0:reserve", "sg_test:hotel:do:0:reserve", "sg_test:hotel:do:0:reserve"}, c.seen)
}

func TestAnUndoThatComesFirstKeepsTheDoFromActing(t *testing.T) {
	t.Parallel()
	b, do, undo := book(t), &counter{}, &counter{}
	_, err := step.Run(t.Context(), b, ordinary, step.Undo, undo.effect)
	require.NoError(t, err)
	require.Zero(t, undo.n, "there was nothing to undo")
	_, err = step.Run(t.Context(), b, ordinary, step.Do, do.effect)
	require.ErrorIs(t, err, step.ErrDangling)
	require.Zero(t, do.n)
}

func TestAnUndoWhileTheDoIsUnderWayTakesItOver(t *testing.T) {
	t.Parallel()
	b, undo := book(t), &counter{}
	_, err := step.Run(t.Context(), b, ordinary, step.Do, func(ctx context.Context, _ step.Attempt) (step.Settlement, error) {
		_, err := step.Run(ctx, b, ordinary, step.Undo, undo.effect)
		require.NoError(t, err)
		return step.Settlement{}, nil // it was done, and too late
	})
	require.ErrorIs(t, err, step.ErrDangling)
	require.Equal(t, 1, undo.n, "the undo looked at the other side")
}

func TestCancelKeepsAStepFromBeginningAndStopsItsRetries(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{answer: unknown}
	_, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
	require.ErrorIs(t, err, unknown)
	require.True(t, b.Cancel())
	_, err = step.Run(t.Context(), b, ordinary, step.Do, c.effect)
	require.ErrorIs(t, err, step.ErrStopped, "an attempt had begun: its undo has to look")
	other := ordinary
	other.Step = "car"
	_, err = step.Run(t.Context(), b, other, step.Do, c.effect)
	require.ErrorIs(t, err, step.ErrCancelled)
	require.Equal(t, 1, c.n)
}

func TestCancelAndPivotDecideOnce(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{}
	pivot := step.Call{Saga: "sg_test", Step: "capture", Ordinal: 3, Class: step.Pivot}
	_, err := step.Run(t.Context(), b, pivot, step.Do, c.effect)
	require.NoError(t, err)
	require.False(t, b.Cancel(), "the pivot was first")
	after := step.Call{Saga: "sg_test", Step: "confirm", Ordinal: 4, Class: step.Retriable}
	_, err = step.Run(t.Context(), b, after, step.Do, c.effect)
	require.NoError(t, err)
}

func TestWhatMustSucceedIsForPeopleWhenItIsRefused(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{answer: refused}
	must := step.Call{Saga: "sg_test", Step: "confirm", Ordinal: 4, Class: step.Retriable}
	var misuse *step.Misuse
	_, err := step.Run(t.Context(), b, must, step.Do, c.effect)
	require.ErrorAs(t, err, &misuse)
	require.Equal(t, "sold_out", misuse.Code)
}

func TestAnOutcomeIsRecordedThoughTheAttemptIsOver(t *testing.T) {
	t.Parallel()
	b := book(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := step.Run(ctx, b, ordinary, step.Do, func(context.Context, step.Attempt) (step.Settlement, error) {
		cancel() // the attempt's time is over the moment the other side has answered
		return step.Settlement{}, nil
	})
	require.NoError(t, err)
	require.Equal(t, step.Succeeded, r.Status)
}

// goods is a book that has a word of its own about what is settled.
type goods struct {
	step.Book
	no *step.Refused
}

func (g goods) Settle(ctx context.Context, c step.Call, op step.Op, s step.Settlement) error {
	if s.Status == step.Succeeded {
		return g.no
	}
	return g.Book.Settle(ctx, c, op, s)
}

func TestTheBookItselfMayRefuse(t *testing.T) {
	t.Parallel()
	no := &step.Refused{Code: "unit_quarantined", Message: "It is quarantined."}
	b, c := book(t), &counter{}
	_, err := step.Run(t.Context(), goods{b, no}, ordinary, step.Do, c.effect)
	require.ErrorIs(t, err, no)
	intent, err := b.Intend(t.Context(), ordinary, step.Do)
	require.NoError(t, err)
	require.Equal(t, step.Settled, intent.Verdict)
	require.Equal(t, step.RefusedAs, intent.Record.Status, "it is refused for good")

	after := ordinary
	after.Step, after.Class = "receive", step.Retriable
	_, err = step.Run(t.Context(), goods{b, no}, after, step.Do, c.effect)
	var misuse *step.Misuse
	require.ErrorAs(t, err, &misuse, "past the pivot people have to look")
}

func TestAWaitingStepHasDoneNothing(t *testing.T) {
	t.Parallel()
	b, c := book(t), &counter{answer: &step.Waiting{For: "the receipt"}}
	for range 3 {
		_, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
		var waiting *step.Waiting
		require.ErrorAs(t, err, &waiting)
	}
	c.answer = nil
	r, err := step.Run(t.Context(), b, ordinary, step.Do, c.effect)
	require.NoError(t, err)
	require.Equal(t, step.Succeeded, r.Status)
}
