// Package workflows holds the sagas, one file each, written as they flow.
package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/workflows/saga"
)

// BookingType is the saga type, and the workflow type, of a booking.
const BookingType = "booking"

// Booking pays for and reserves a flight, a hotel and a car, or any of them.
func Booking(ctx workflow.Context, in activities.SagaInput, plan activities.BookingPlan) error {
	var reserve, confirm saga.Stage
	for _, kind := range plan.Parts {
		reserve = append(reserve, saga.Do(string(kind), "Reserve").Undo("Release").ByHand())
		confirm = append(confirm, saga.Must(activities.ConfirmStep(kind), "Confirm").ByHand())
	}
	revenue := saga.One(saga.Must("revenue", "Revenue").Local())

	if plan.PaymentFlow == activities.FlowCharge {
		flow := saga.Flow{saga.One(saga.Do(activities.StepCharge, "Charge").Undo("Refund"))}
		for _, part := range reserve {
			flow = append(flow, saga.One(part))
		}
		return saga.Run(ctx, in, append(flow, saga.One(saga.Pivot("commit", "Commit").Local()), confirm, revenue))
	}
	return saga.Run(ctx, in, saga.Flow{
		saga.One(saga.Do(activities.StepAuthorize, "Authorize").Undo("Void")),
		saga.Together(reserve...),
		saga.One(saga.Pivot(activities.StepCapture, "Capture")),
		saga.Together(confirm...),
		revenue,
	})
}
