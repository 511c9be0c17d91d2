package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
)

// The activities of the sagas.
type Activities struct {
	Sagas        *activities.Sagas
	Payments     *activities.Payments
	Reservations *activities.Reservations
	Postings     *activities.Postings
	Custody      *activities.Custody
}

// Register makes a worker able to run every saga.
func Register(w worker.Registry, a Activities) {
	w.RegisterWorkflowWithOptions(Booking, workflow.RegisterOptions{Name: BookingType})
	w.RegisterWorkflowWithOptions(Transfer, workflow.RegisterOptions{Name: activities.TransferType})
	w.RegisterWorkflowWithOptions(Return, workflow.RegisterOptions{Name: activities.ReturnType})
	w.RegisterActivity(a.Sagas)
	w.RegisterActivity(a.Payments)
	w.RegisterActivity(a.Reservations)
	w.RegisterActivity(a.Postings)
	w.RegisterActivity(a.Custody)
}
