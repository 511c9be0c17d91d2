package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
)

func TestFirst(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, d := range chain(t) {
		out := c.record(t, d, dscsa.Accept)
		t.Logf("%s %+v", d.name, out)
		require.Equal(t, len(d.events), out.Stored)
	}
	rows, err := c.db.Super().Query(t.Context(), `select concat_ws(' | ', id, key, lot, expiry, state, blocked, owner, holder, location, parent, hops, conflict_why) from custody.item order by id`)
	require.NoError(t, err)
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		t.Log(s)
	}
	docs := chain(t)
	c2 := c.another()
	for i := len(docs) - 1; i >= 0; i-- {
		out := c2.record(t, docs[i], dscsa.Accept)
		t.Logf("%s %+v", docs[i].name, out)
		out = c2.record(t, docs[i], dscsa.Accept)
		require.True(t, out.Known)
	}
	rows, err = c.db.Super().Query(t.Context(), `select concat_ws(' | ', id, key, lot, expiry, state, blocked, owner, holder, location, parent, hops, conflict_why) from custody.item where chain_id = 2 order by key`)
	require.NoError(t, err)
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		t.Log(s)
	}
}
