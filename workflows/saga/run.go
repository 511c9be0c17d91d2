package saga

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// state is the search attribute by which an operator finds sagas by status.
var state = temporal.NewSearchAttributeKeyKeyword("RecourseState")

// A run is one execution of a saga's workflow.
type run struct {
	in      activities.SagaInput
	resolve map[string]workflow.Channel // people's word, by step
	wake    map[string]workflow.Channel // news for a step that waits, by step
	undos   []registered                // in declared order
	effects int                         // steps that had, or may have had, an effect
}

// registered is an undo that is due when the saga fails.
type registered struct {
	call    step.Call
	step    Step
	refused bool // the step definitely had no effect
}

// Run carries a saga through its flow. It returns when the saga has ended; an
// error means that the book refused to end it, and the sweeper starts it again.
func Run(ctx workflow.Context, in activities.SagaInput, flow Flow) error {
	r := &run{in: in, resolve: map[string]workflow.Channel{}, wake: map[string]workflow.Channel{}}
	r.listen(ctx)
	r.hearken(ctx)
	var resume activities.Resume
	err := r.book(ctx, activities.SagaBegin, &resume, in.Tenant, in.Saga, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	if err != nil {
		return err
	}
	switch resume.Mode {
	case activities.ModeFinished:
		return nil
	case activities.ModeCompensate:
		r.registerAll(flow)
		return r.undoAll(ctx, lost())
	case activities.ModeForward:
	}
	r.show(ctx, "running")
	failure, err := r.forward(ctx, flow)
	if err != nil {
		return err
	}
	if failure != nil {
		return r.undoAll(ctx, failure)
	}
	r.show(ctx, string(activities.Completed))
	return r.book(ctx, activities.SagaFinish, nil, in.Tenant, in.Saga, activities.End{Status: activities.Completed})
}

// forward runs the stages and says why it could not.
func (r *run) forward(ctx workflow.Context, flow Flow) (*activities.Failure, error) {
	ordinal := 0
	for _, stage := range flow {
		calls := make([]step.Call, len(stage))
		for i, s := range stage {
			ordinal++
			calls[i] = r.call(s, ordinal)
		}
		if ctx.Err() != nil && stage[0].class == step.Compensatable {
			return canceled(), nil
		}
		if failure, err := r.stage(ctx, stage, calls); failure != nil || err != nil {
			return failure, err
		}
	}
	return nil, nil
}

// stage runs the steps of one stage side by side and waits for all of them. An
// error means that the book gave no answer about a step that may have passed
// the pivot: undoing could take back what is done, so the run ends as it is.
func (r *run) stage(ctx workflow.Context, stage Stage, calls []step.Call) (*activities.Failure, error) {
	whole := ctx
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	first := len(r.undos)
	if registerFirst {
		for i, s := range stage {
			r.register(s, calls[i])
		}
	}
	var failure *activities.Failure
	var broken error
	wait := workflow.NewWaitGroup(ctx)
	for i, s := range stage {
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			err := r.do(ctx, s, calls[i])
			if err == nil {
				r.effects++
				if !registerFirst {
					r.register(s, calls[i])
				}
				return
			}
			if s.class != step.Compensatable && !final(err, step.Do) {
				broken = err
				return
			}
			why, noEffect := explain(s, err)
			if whole.Err() != nil && !noEffect {
				why = canceled() // it was cut short because the client cancelled
			}
			if noEffect && registerFirst && s.undo != "" {
				r.undos[first+i].refused = true
			}
			if !noEffect {
				r.effects++
			}
			if failure == nil {
				failure = why
				stop()
			}
		})
	}
	wait.Wait(ctx)
	return failure, broken
}

func (r *run) register(s Step, c step.Call) {
	if s.undo != "" {
		r.undos = append(r.undos, registered{call: c, step: s})
	}
}

// registerAll registers every undo of the flow: what a lost run did is not
// known here, and an undo of what never happened changes nothing.
func (r *run) registerAll(flow Flow) {
	ordinal := 0
	for _, stage := range flow {
		for _, s := range stage {
			ordinal++
			r.register(s, r.call(s, ordinal))
		}
	}
}

// undoAll takes back what was registered, last first, and ends the saga.
func (r *run) undoAll(ctx workflow.Context, failure *activities.Failure) error {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	r.show(ctx, "compensating")
	due := 0
	for _, u := range r.undos {
		if !u.refused {
			due++
		}
	}
	if due > 0 || r.effects > 0 {
		if err := r.book(ctx, activities.SagaCompensating, nil, r.in.Tenant, r.in.Saga, failure); err != nil {
			return err
		}
	}
	happened := false
	for i := len(r.undos) - 1; i >= 0; i-- {
		u := r.undos[i]
		if u.refused {
			continue
		}
		status, err := r.insist(ctx, u.step, u.call, step.Undo)
		if err != nil {
			return fmt.Errorf("undo %s: %w", u.call.Step, err)
		}
		if status != step.Skipped {
			happened = true
		}
	}
	end := activities.End{Status: activities.Rejected, Failure: failure}
	if happened {
		end.Status = activities.Compensated
	}
	r.show(ctx, string(end.Status))
	return r.book(ctx, activities.SagaFinish, nil, r.in.Tenant, r.in.Saga, end)
}

// do runs a step forward: a compensatable one a few times, any other until it
// succeeds or is definitely refused.
func (r *run) do(ctx workflow.Context, s Step, c step.Call) error {
	if s.class != step.Compensatable {
		ctx, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		_, err := r.insist(ctx, s, c, step.Do)
		return err
	}
	_, err := r.attempt(ctx, s, c, step.Do, 4)
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == activities.OutcomeMisuse {
		_, err = r.insist(ctx, s, c, step.Do)
	}
	return err
}

// attempt lets the orchestrator try an operation up to n times. A step that
// waits for somebody outside is tried again when there is news.
func (r *run) attempt(ctx workflow.Context, s Step, c step.Call, op step.Op, n int32) (step.Status, error) {
	for wait := firstLook; ; wait = min(2*wait, longestLook) {
		status, err := r.try(ctx, s, c, op, n)
		if !waits(err) || ctx.Err() != nil {
			return status, err
		}
		r.news(ctx, c.Step, wait)
	}
}

// try is one burst of attempts.
func (r *run) try(ctx workflow.Context, s Step, c step.Call, op step.Op, n int32) (step.Status, error) {
	retry := &temporal.RetryPolicy{
		InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: n,
	}
	name := s.do
	if op == step.Undo {
		name = s.undo
	}
	var status step.Status
	if s.local {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: s.timeout, RetryPolicy: retry})
		err := workflow.ExecuteLocalActivity(ctx, name, c).Get(ctx, &status)
		return status, err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: s.timeout, RetryPolicy: retry, WaitForCancellation: true, TaskQueue: TaskQueue,
	})
	err := workflow.ExecuteActivity(ctx, name, c).Get(ctx, &status)
	return status, err
}

// book calls a local activity of activities.Sagas until the database answers.
// It works on a cancelled context too: what has happened must be recorded.
func (r *run) book(ctx workflow.Context, name string, into any, args ...any) error {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
	})
	if err := workflow.ExecuteLocalActivity(ctx, name, args...).Get(ctx, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (r *run) call(s Step, ordinal int) step.Call {
	return step.Call{Tenant: r.in.Tenant, Saga: r.in.Saga, Step: s.name, Ordinal: ordinal, Class: s.class}
}

// show sets the status an operator can search for; the book is what counts.
func (r *run) show(ctx workflow.Context, status string) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, state.ValueSet(status)); err != nil {
		workflow.GetLogger(ctx).Warn("search attribute not set", "error", err)
	}
}
