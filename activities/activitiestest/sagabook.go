package activitiestest

import (
	"context"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// Begin implements activities.SagaBook. Every Begin counts as another run.
func (b *Book) Begin(context.Context, uuid.UUID, string, string) (activities.Resume, error) {
	leave, err := b.enter()
	if err != nil {
		return activities.Resume{}, err
	}
	defer leave()
	b.runs++
	r := activities.Resume{Mode: activities.ModeForward, PivotPassed: b.pivot, Recovery: b.runs > 1}
	switch {
	case b.Ends > 0:
		r.Mode = activities.ModeFinished
	case r.Recovery && !b.pivot:
		b.cancelled = true
		r.Mode = activities.ModeCompensate
	default:
		b.Status = "running"
	}
	return r, nil
}

// Compensating implements activities.SagaBook.
func (b *Book) Compensating(_ context.Context, _ uuid.UUID, _ string, f *activities.Failure) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	b.Status, b.undoing = "compensating", true
	if b.Failure == nil {
		b.Failure = f
	}
	return nil
}

// Attention implements activities.SagaBook.
func (b *Book) Attention(_ context.Context, c step.Call, op step.Op, _ string) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	b.Status = "attention"
	b.Attended++
	if row := b.rows[key(c.Step, op)]; row != nil && op == step.Undo && row.Status == step.Running {
		row.Status = step.Attention
	}
	return nil
}

// Resumed implements activities.SagaBook.
func (b *Book) Resumed(context.Context, uuid.UUID, string) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	b.Status = "running"
	if b.undoing {
		b.Status = "compensating"
	}
	return nil
}

// Finish implements activities.SagaBook.
func (b *Book) Finish(ctx context.Context, _ uuid.UUID, _ string, end activities.End) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	if b.Ends > 0 {
		if b.Status != string(end.Status) {
			return activities.ErrEndedOtherwise
		}
		return nil
	}
	for _, row := range b.rows {
		open := row.Status == step.Running || row.Status == step.Attention
		if open && (row.Op == step.Undo || end.Status == activities.Completed) {
			return activities.ErrUnsettled
		}
	}
	b.Status = string(end.Status)
	b.Ends++
	if end.Failure != nil && b.Failure == nil {
		b.Failure = end.Failure
	}
	return b.post(ctx, end.Postings)
}

// ResolveByHand implements activities.SagaBook. The approval "apr_good" holds.
func (b *Book) ResolveByHand(_ context.Context, c step.Call, op step.Op, approvalID string) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	row := b.rows[key(c.Step, op)]
	if row == nil || approvalID != "apr_good" {
		return activities.ErrApproval
	}
	row.Status = step.Succeeded
	if op == step.Undo {
		b.Undone = append(b.Undone, c.Step)
	}
	return nil
}
