package ledgertest_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
)

func TestTheModelKeepsTheRules(t *testing.T) {
	t.Parallel()
	ledgertest.Conformance(t, func(*testing.T) (ledger.Poster, uuid.UUID) { return ledgertest.NewModel(), uuid.New() })
}

func TestTheModelIsDeterministic(t *testing.T) {
	t.Parallel()
	var last *ledgertest.Model
	ledgertest.AgreesWithModel(t, func() (ledger.Poster, uuid.UUID) {
		last = ledgertest.NewModel()
		return last, uuid.New()
	}, func(_ context.Context, tenant uuid.UUID) (map[ledgertest.Account]ledgertest.Sums, error) {
		return last.Sums(tenant), nil
	})
}
