package postgres_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/seal"
)

var errStopped = errors.New("the run was stopped")

// states are all that a run would have kept on its way, as they are kept: in
// JSON.
func (c *custody) states(t *testing.T, a postgres.Audit) (out []postgres.AuditState) {
	t.Helper()
	a.Every = 1
	a.Save = func(s postgres.AuditState) error {
		raw, err := json.Marshal(s)
		if err != nil {
			return err
		}
		var again postgres.AuditState
		if err := json.Unmarshal(raw, &again); err != nil {
			return err
		}
		out = append(out, again)
		return nil
	}
	c.audit(t, a)
	return out
}

func TestAnAuditGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	c.scanned(t, 0, 700)
	first := c.seal(t, key)
	c.record(t, stocked(600), dscsa.Accept)
	c.legalHold(t)
	last := c.seal(t, key)
	other := c.another()
	other.record(t, stocked(20), dscsa.Accept)
	a := postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Kept: []seal.Checkpoint{first, last}}
	var tells int
	a.Progress = func(_ uuid.UUID, entries, ofEntries, items, ofItems int64) {
		tells++
		if entries > ofEntries || items > ofItems {
			t.Errorf("%d of %d, %d of %d", entries, ofEntries, items, ofItems)
		}
	}
	whole, found := c.audit(t, a)
	require.Empty(t, found)
	require.Len(t, whole, 2)
	require.Greater(t, tells, 5, "two pages of entries and two of items, of one tenant alone")

	states := c.states(t, a)
	require.Greater(t, len(states), 6)
	for i := range states {
		x := a
		x.Resume = &states[i]
		reports, found := c.audit(t, x)
		require.Empty(t, found, i)
		require.Equal(t, whole, reports, "state %d", i)
	}

	// A run that is stopped says so, and leaves what it kept.
	x := a
	x.Every, x.Save = 1, func(postgres.AuditState) error { return errStopped }
	_, _, err := postgres.New(c.db.Pool("auditor_ro")).Audit(t.Context(), x)
	require.ErrorIs(t, err, errStopped)

	// It goes on with the same keys and checkpoints alone.
	x = postgres.Audit{Keys: a.Keys, Kept: []seal.Checkpoint{last}, Resume: &states[1]}
	_, _, err = postgres.New(c.db.Pool("auditor_ro")).Audit(t.Context(), x)
	require.ErrorIs(t, err, postgres.ErrGivenOther)

	// What was recorded meanwhile is verified too.
	c.record(t, doc("more", stocked(5).events...), dscsa.Accept)
	for i := range states[:4] {
		x := a
		x.Resume = &states[i]
		reports, found := c.audit(t, x)
		require.Empty(t, found)
		require.Equal(t, c.verify(t).Entries, reports[0].Entries)
	}

	// What is changed after the place it goes on from is found, and what is
	// before it is trusted, but for its last hash.
	c.forge(t, `update custody.decision set reason = 'subpoena 13'`)
	for i := range states[:2] {
		x := a
		x.Resume = &states[i]
		_, found := c.audit(t, x)
		require.NotEmpty(t, found, i)
	}
	x = a
	x.Resume = &states[3] // among the items: the chain was verified to its end
	_, found = c.audit(t, x)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "when verification was interrupted")
}

// A breach that was found before a run was stopped is told once.
func TestWhatWasFoundBeforeIsToldOnce(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	c.scanned(t, 0, 600)
	c.record(t, stocked(600), dscsa.Accept)
	c.legalHold(t)
	kept := c.seal(t, key)
	c.forge(t, `delete from custody.legal_hold; with e as (delete from custody.decision returning chain_id, seq)
		delete from custody.entry n using e where n.chain_id = e.chain_id and n.seq = e.seq`)
	a := postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Kept: []seal.Checkpoint{kept}}
	_, whole := c.audit(t, a)
	require.NotEmpty(t, whole)
	for i, s := range c.states(t, a) {
		x := a
		x.Resume, x.Every = &s, time.Hour
		_, found := c.audit(t, x)
		require.ElementsMatch(t, whole, found, i)
	}
}
