package postgres_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// Every version of a period that was frozen is held against the lines, also
// one that was reopened since, and whatever was interrupted on the way.
func TestWhatWasFrozenIsAudited(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := sealedBook{db: o.db, book: ledger.Main(o.tenant)}
	some := func(n int, day string) {
		batch := make([]ledger.Transaction, n)
		for i := range batch {
			batch[i] = on(day)
		}
		batch[0].Kind = ledger.Pending // what is held is in no period's totals
		requirePosted(t, o.store, o.tenant, batch...)
		requirePosted(t, o.store, o.tenant, ledgertest.Transfer(uuid.New(), ledger.CashBank, ledger.Suspense, 5))
	}
	some(300, "2026-01-15")
	some(300, "2026-02-10")
	require.NoError(t, o.move("soft_close", "2026-01"))
	require.NoError(t, o.move("close", "2026-01"))
	some(10, "2026-01-20") // too late: counts in February
	require.NoError(t, o.move("close", "2026-02"))
	some(300, "2026-02-11")
	require.NoError(t, o.move("reopen", "2026-02"))
	require.NoError(t, o.move("reopen", "2026-01"))
	some(300, "2026-02-12")
	require.NoError(t, o.move("close", "2026-01"))
	require.NoError(t, o.move("close", "2026-02"))
	some(300, "2026-02-13")
	require.NoError(t, o.move("close", "2026-03"))

	var states []postgres.AuditState
	report := audit(t, o.db, postgres.Audit{Every: 1, Save: func(s postgres.AuditState) error {
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		again, err := postgres.UnmarshalState(raw)
		require.NoError(t, err)
		states = append(states, *again)
		return nil
	}})
	require.Empty(t, report.Violations)
	require.Greater(t, len(states), 4)
	for _, s := range states {
		require.Empty(t, audit(t, o.db, postgres.Audit{Resume: &s}).Violations)
	}

	for _, c := range []struct {
		month, account string
		version        int
	}{
		{"2026-01", "1020", 1}, {"2026-01", "2010", 2}, {"2026-02", "1020", 1}, {"2026-02", "2010", 2}, {"2026-03", "1020", 1},
	} {
		edit := `update ledger.period_total set credits = credits %s 7 where period = '%s-01' and version = %d and account_id = (select id from ledger.account where code = '%s' and currency = 'usd')`
		b.tamper(t, fmt.Sprintf(edit, "+", c.month, c.version, c.account))
		for _, a := range []postgres.Audit{{}, {Resume: &states[0]}} {
			report := audit(t, o.db, a)
			require.Len(t, report.Violations, 1)
			require.Equal(t, "I2", report.Violations[0].Invariant)
			require.Equal(t, "period "+c.month, report.Violations[0].Where)
			require.Contains(t, report.Violations[0].Detail, fmt.Sprintf("account %s usd: version %d was frozen with", c.account, c.version))
		}
		b.tamper(t, fmt.Sprintf(edit, "-", c.month, c.version, c.account))
	}
	require.Empty(t, audit(t, o.db, postgres.Audit{}).Violations)
}
