package saga

import (
	"time"

	"github.com/recourse/recourse/activities/step"
)

// TaskQueue is where the worker that runs sagas listens.
const TaskQueue = "sagas"

// Flow is a saga's stages in order.
type Flow []Stage

// Stage is steps that run side by side.
type Stage []Step

// Step is one step of a flow. Its activities take a step.Call and return a
// step.Status; they are named by the methods that are registered.
type Step struct {
	name    string
	class   step.Class
	do      string
	undo    string
	local   bool
	byHand  bool
	timeout time.Duration
}

// Do makes a compensatable step. Say with Undo how to take it back.
func Do(name, activity string) Step {
	return Step{name: name, class: step.Compensatable, do: activity, timeout: 8 * time.Second}
}

// Pivot makes the step that decides: once it is done the saga goes forward
// whatever happens.
func Pivot(name, activity string) Step {
	return Step{name: name, class: step.Pivot, do: activity, timeout: 8 * time.Second}
}

// Must makes a step that follows the pivot and is repeated until it succeeds.
func Must(name, activity string) Step {
	return Step{name: name, class: step.Retriable, do: activity, timeout: 8 * time.Second}
}

// Undo names the activity that takes the step back. It must succeed when there
// is nothing to take back.
func (s Step) Undo(activity string) Step { s.undo = activity; return s }

// Local says that the step touches our own database only, which saves the
// round trips to the orchestrator.
func (s Step) Local() Step { s.local = true; return s }

// ByHand lets two people settle the step when it cannot go on: somebody did it
// at the other side themselves.
func (s Step) ByHand() Step { s.byHand = true; return s }

// Timeout bounds one attempt. It must be longer than the time the activity's
// own client gives the other side.
func (s Step) Timeout(d time.Duration) Step { s.timeout = d; return s }

// One is a stage of one step.
func One(s Step) Stage { return Stage{s} }

// Together is a stage of steps that run side by side. The first that fails
// keeps the others from being tried again; they are waited for and undone.
func Together(steps ...Step) Stage { return steps }
