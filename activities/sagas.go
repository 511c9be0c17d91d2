package activities

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"

	"github.com/recourse/recourse/activities/step"
)

// Sagas are the local activities that keep the book of a saga as a whole. Each
// is one transaction in our own database.
type Sagas struct {
	Book SagaBook
}

// The names under which the saga library calls Sagas.
const (
	SagaBegin         = "Begin"
	SagaCompensating  = "Compensating"
	SagaAttention     = "Attention"
	SagaResumed       = "Resumed"
	SagaFinish        = "Finish"
	SagaResolveByHand = "ResolveByHand"
)

// OutcomeRejectedByBook is the type of an error that repeating does not heal.
const OutcomeRejectedByBook = "rejected_by_book"

// Begin takes the saga for a run.
func (s *Sagas) Begin(ctx context.Context, tenant uuid.UUID, saga, runID string) (Resume, error) {
	resume, err := s.Book.Begin(ctx, tenant, saga, runID)
	return resume, lasting(err)
}

// Compensating shows that the saga is being undone.
func (s *Sagas) Compensating(ctx context.Context, tenant uuid.UUID, saga string, f *Failure) error {
	return lasting(s.Book.Compensating(ctx, tenant, saga, f))
}

// Attention shows that an operation needs people.
func (s *Sagas) Attention(ctx context.Context, c step.Call, op step.Op, reason string) error {
	return lasting(s.Book.Attention(ctx, c, op, reason))
}

// Resumed takes the saga out of attention.
func (s *Sagas) Resumed(ctx context.Context, tenant uuid.UUID, saga string) error {
	return lasting(s.Book.Resumed(ctx, tenant, saga))
}

// Finish ends the saga.
func (s *Sagas) Finish(ctx context.Context, tenant uuid.UUID, saga string, end End) error {
	return lasting(s.Book.Finish(ctx, tenant, saga, end))
}

// ResolveByHand settles an operation that approved people did themselves.
func (s *Sagas) ResolveByHand(ctx context.Context, c step.Call, op step.Op, approvalID string) error {
	return lasting(s.Book.ResolveByHand(ctx, c, op, approvalID))
}

func lasting(err error) error {
	if errors.Is(err, ErrEndedOtherwise) || errors.Is(err, ErrUnsettled) || errors.Is(err, ErrApproval) {
		return temporal.NewNonRetryableApplicationError(err.Error(), OutcomeRejectedByBook, err)
	}
	return err
}
