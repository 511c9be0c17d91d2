package sagabook

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Errors that mean a caller's mistake. Retrying does not heal them.
var (
	// ErrNoSaga: the tenant has no such saga.
	ErrNoSaga = errors.New("no such saga in this tenant's book")
	// ErrNoIntent: Note, NextEpoch, Settle or ResolveByHand came without Intend.
	ErrNoIntent = errors.New("no intent is on record for this operation: call Intend first")
	// ErrSettledOtherwise: the operation is settled and not the way asked for.
	ErrSettledOtherwise = errors.New("the operation is already settled with another status")
	// ErrFinished: an undo was asked of a saga that has ended.
	ErrFinished = errors.New("the saga has ended: nothing of it can be undone any more")
	// ErrSettlement: a status that the operation cannot end with.
	ErrSettlement = errors.New("the operation cannot end with this status")
)

// PostingError is a posting that the ledger did not take as it was given. The
// transaction that held it is rolled back.
type PostingError struct {
	Transaction uuid.UUID
	Purpose     string
	Outcome     string // the ledger's word
}

func (e *PostingError) Error() string {
	return fmt.Sprintf("the ledger answered %q to posting %s (%s): nothing is recorded", e.Outcome, e.Transaction, e.Purpose)
}
