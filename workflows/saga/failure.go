package saga

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// explain says why a step ended the saga, in words a marketplace may show its
// customer, and whether the step definitely had no effect.
func explain(s Step, err error) (why *activities.Failure, noEffect bool) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		switch app.Type() {
		case activities.OutcomeRefused:
			var refused step.Refused
			if app.Details(&refused) == nil {
				return &activities.Failure{Code: refused.Code, Message: refused.Message, Step: s.name, DeclineCode: refused.DeclineCode}, true
			}
		case activities.OutcomeCancelled:
			return canceled(), true
		case activities.OutcomeStopped, activities.OutcomeDangling:
			return canceled(), false
		}
	}
	if temporal.IsCanceledError(err) {
		return canceled(), false
	}
	return &activities.Failure{
		Code: s.name + "_unavailable", Step: s.name,
		Message: "The " + strings.ReplaceAll(s.name, "_", " ") + " step did not answer in time. Everything was undone; nothing is owed.",
	}, false
}

func canceled() *activities.Failure {
	return &activities.Failure{Code: "canceled", Message: "The order was cancelled before it completed. Nothing is owed."}
}

func lost() *activities.Failure {
	return &activities.Failure{Code: "interrupted", Message: "The order was interrupted and undone. Nothing is owed; please order again."}
}
