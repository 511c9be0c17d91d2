package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/workflows/saga"
)

// The worker dies right after goods and money have changed hands, before
// anybody is told: the next one tells, and takes nothing back.
func TestAWorkerKilledRightAfterThePivotGoesForward(t *testing.T) {
	t.Parallel()
	const deliver = 6 // reserve, create, confirm, capture, ship, deliver
	w, err := newGoodsWorld(scenario{kill: deliver}, activities.TransferType, transfer())
	require.NoError(t, err)
	require.ErrorContains(t, w.live(nil), activitiestest.ErrDead.Error())
	require.Equal(t, 1, w.goods.Moves, "the pivot was passed")
	require.Zero(t, w.book.Ends)
	w.book.Revive()
	require.NoError(t, w.live(nil))
	require.NoError(t, w.sound())
	require.Equal(t, "completed", w.book.Status)
	require.Equal(t, 1, w.goods.Moves)
	require.Zero(t, w.world.Refunds)
}

// The buyer has the goods before its endpoint takes the document: its receipt
// is kept, and the document is delivered all the same.
func TestAReceiptThatComesBeforeTheDeliveryIsConfirmed(t *testing.T) {
	t.Parallel()
	w, err := newGoodsWorld(scenario{plans: []activitiestest.Plan{{Call: "deliver", Fault: activitiestest.NobodyKnows, Times: many}}}, activities.TransferType, transfer())
	require.NoError(t, err)
	w.goods.Silent = true
	early := false
	require.NoError(t, w.live(func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			early = w.goods.Moves == 1 && w.goods.Delivered[w.book.Saga+":t3"] == 0
			w.goods.Receipts[w.book.Saga] = dscsa.Receipt{Received: units, At: env.Now()}
			env.SignalWorkflow(saga.SignalWake, activities.StepReceive)
		}, time.Minute)
	}))
	require.True(t, early, "the receipt was there first")
	require.NoError(t, w.sound())
	require.Equal(t, "completed", w.book.Status)
	require.Equal(t, 1, w.book.Attended, "people were told that the document was not taken")
}

// An endpoint that never takes the document: people hand it over themselves,
// and the saga goes on to the receipt.
func TestADocumentThatNobodyTakesIsHandedOverByPeople(t *testing.T) {
	t.Parallel()
	w, err := newGoodsWorld(scenario{plans: []activitiestest.Plan{{Call: "deliver", Fault: activitiestest.NotDone, Times: 1 << 30}}}, activities.TransferType, transfer())
	require.NoError(t, err)
	w.goods.Silent = true
	require.NoError(t, w.live(func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(saga.SignalResolve, saga.Resolution{ApprovalID: "apr_good", Step: activities.StepDeliver, Action: saga.DoneByHand})
		}, time.Hour)
		env.RegisterDelayedCallback(func() {
			w.goods.Receipts[w.book.Saga] = dscsa.Receipt{Received: units, At: env.Now()}
			env.SignalWorkflow(saga.SignalWake, activities.StepReceive)
		}, 2*time.Hour)
	}))
	require.Equal(t, "completed", w.book.Status)
	require.Equal(t, 1, w.goods.Moves)
	require.Equal(t, int64(25000), w.world.Captured-w.world.Refunded)
	require.Zero(t, w.goods.Delivered[w.book.Saga+":t3"])
}

// Past the pivot a cancel changes nothing, at whichever hand-over the saga is.
func TestACancelAfterThePivotChangesNothing(t *testing.T) {
	t.Parallel()
	w, err := newGoodsWorld(scenario{}, activities.TransferType, transfer())
	require.NoError(t, err)
	w.goods.Silent = true
	require.NoError(t, w.live(func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			w.book.Cancel()
			env.CancelWorkflow()
		}, time.Hour)
		env.RegisterDelayedCallback(func() {
			w.goods.Receipts[w.book.Saga] = dscsa.Receipt{Received: units, At: env.Now()}
			env.SignalWorkflow(saga.SignalWake, activities.StepReceive)
		}, 48*time.Hour)
	}))
	require.NoError(t, w.sound())
	require.Equal(t, "completed", w.book.Status)
}
