package saga_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/workflows/saga"
)

// The saga of docs/write-your-own-saga.md: a parcel is packed, a courier is
// called, the parcel is handed over (no way back), and its label is filed.

// warehouse is the participant, with what it has done.
type warehouse struct {
	book step.Book
	fail map[string]error // by call
	did  []string
}

func (w *warehouse) act(what string) (step.Settlement, error) {
	if err := w.fail[what]; err != nil {
		return step.Settlement{}, err
	}
	w.did = append(w.did, what)
	return step.Settlement{Result: map[string]string{"did": what}}, nil
}

func (w *warehouse) run(ctx context.Context, c step.Call, op step.Op, what string) (step.Status, error) {
	return activities.RunStep(ctx, w.book, c, op, func(context.Context, step.Attempt) (step.Settlement, error) { return w.act(what) })
}

func (w *warehouse) Pack(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Do, "pack")
}

func (w *warehouse) Unpack(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Undo, "unpack")
}

func (w *warehouse) CallCourier(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Do, "call courier")
}

func (w *warehouse) SendCourierAway(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Undo, "send courier away")
}

func (w *warehouse) HandOver(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Do, "hand over")
}

func (w *warehouse) FileLabel(ctx context.Context, c step.Call) (step.Status, error) {
	return w.run(ctx, c, step.Do, "file label")
}

// parcel is the whole flow.
func parcel(ctx workflow.Context, in activities.SagaInput) error {
	return saga.Run(ctx, in, saga.Flow{
		saga.Together(
			saga.Do("pack", "Pack").Undo("Unpack"),
			saga.Do("courier", "CallCourier").Undo("SendCourierAway"),
		),
		saga.One(saga.Pivot("hand_over", "HandOver")),
		saga.One(saga.Must("label", "FileLabel").Local()),
	})
}

func live(t *testing.T, fail map[string]error) (*activitiestest.Book, *warehouse) {
	t.Helper()
	book, err := activitiestest.NewBook(activities.BookingOrder{OrderRef: "P-1", Currency: "usd", Car: &activities.CarOrder{SKU: "x", Price: 1}})
	require.NoError(t, err)
	w := &warehouse{book: book, fail: fail}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterWorkflow(parcel)
	env.RegisterActivity(&activities.Sagas{Book: book})
	env.RegisterActivity(w)
	env.ExecuteWorkflow(parcel, activities.SagaInput{Tenant: book.Tenant, Saga: book.Saga})
	require.NoError(t, env.GetWorkflowError())
	return book, w
}

func TestASagaOfOnesOwn(t *testing.T) {
	t.Parallel()
	book, w := live(t, nil)
	require.Equal(t, "completed", book.Status)
	require.ElementsMatch(t, []string{"pack", "call courier", "hand over", "file label"}, w.did)
	require.Equal(t, "file label", w.did[3])
}

func TestASagaOfOnesOwnIsUndone(t *testing.T) {
	t.Parallel()
	book, w := live(t, map[string]error{"hand over": &step.Refused{Code: "closed", Message: "The gate is closed."}})
	require.Equal(t, "compensated", book.Status)
	require.Equal(t, "closed", book.Failure.Code)
	require.Equal(t, []string{"send courier away", "unpack"}, w.did[2:])
}

func TestAStepNobodyAnsweredIsUndoneToo(t *testing.T) {
	t.Parallel()
	book, w := live(t, map[string]error{"call courier": &step.Unknown{Err: errors.New("no answer")}})
	require.Equal(t, "compensated", book.Status)
	require.Equal(t, "courier_unavailable", book.Failure.Code)
	require.Equal(t, []string{"pack", "send courier away", "unpack"}, w.did)
}
