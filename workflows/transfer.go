package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/workflows/saga"
)

// Transfer sells serialised units: money and goods change hands in one
// transaction, the pivot. Everything before it is undone when it cannot happen.
func Transfer(ctx workflow.Context, in activities.SagaInput, _ activities.TransferPlan) error {
	return saga.Run(ctx, in, saga.Flow{
		saga.One(saga.Do(activities.StepPartners, "CheckPartners").Local()),
		saga.One(saga.Do(activities.StepReserve, "ReserveUnits").Undo("ReleaseUnits").Local().Timeout(custodyTime)),
		saga.One(saga.Do(activities.StepAuthorize, "Authorize").Undo("Void")),
		saga.One(saga.Do(activities.StepReview, "Review").Local()),
		saga.One(saga.Do(activities.StepCapture, "Capture").Undo("Uncapture")),
		saga.One(saga.Pivot(activities.StepShip, "Ship").Timeout(custodyTime)),
		saga.One(saga.Must(activities.StepDeliver, "Deliver").ByHand()),
		saga.One(saga.Must(activities.StepReceive, "Receive").Timeout(custodyTime)),
		saga.One(saga.Must(activities.StepSettle, "PaySeller").Local()),
	})
}

// Return takes units of a transfer back: the goods go back first, the money
// follows their receipt.
func Return(ctx workflow.Context, in activities.SagaInput, _ activities.TransferPlan) error {
	return saga.Run(ctx, in, saga.Flow{
		saga.One(saga.Do(activities.StepPartners, "CheckPartners").Local()),
		saga.One(saga.Do(activities.StepReserve, "ReserveUnits").Undo("ReleaseUnits").Local().Timeout(custodyTime)),
		saga.One(saga.Pivot(activities.StepShip, "Ship").Timeout(custodyTime)),
		saga.One(saga.Must(activities.StepDeliver, "Deliver").ByHand()),
		saga.One(saga.Must(activities.StepReceive, "Receive").Timeout(custodyTime)),
		saga.One(saga.Must(activities.StepRefund, "RefundReturn")),
	})
}

// custodyTime bounds one attempt at a step that moves thousands of units.
const custodyTime = 25 * time.Second
