package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
)

const (
	maker      = "0369999000010"
	wholesaler = "0860001234107"
	warehouse  = "0860001234114"
	pharmacy   = "0860005678204"
	unitGTIN   = "00369999123450"
	caseGTIN   = "50369999123455"
	pallet     = "00/003699990000000171"
)

func unitOf(n int) string { return fmt.Sprintf("01/%s/21/1000000000%02d", unitGTIN, n) }
func caseOf(n int) string { return fmt.Sprintf("01/%s/21/9000000%d", caseGTIN, n) }

// stands is what the story says of a unit: state, owner, what it is in.
func stands(u dscsa.Unit) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", u.Shown(), u.Owner, u.Parent))
}

// story is where the units of the authored chain stand after each document.
var story = []map[string]string{
	{"1-4": "in_transit " + wholesaler + " " + caseOf(1), "5-8": "in_transit " + wholesaler + " " + caseOf(2), "9-12": "in_transit " + wholesaler + " " + caseOf(3)},
	{"1-4": "in_stock " + wholesaler + " " + caseOf(1), "5-8": "in_stock " + wholesaler + " " + caseOf(2), "9-12": "in_stock " + wholesaler + " " + caseOf(3)},
	{"1-2": "in_transit " + pharmacy + " 00/008600012340000428", "3-4": "in_stock " + wholesaler + " " + caseOf(1), "9-12": "in_stock " + wholesaler + " " + caseOf(3)},
	{"1-1": "dispensed " + pharmacy, "2-2": "in_stock " + pharmacy, "3-4": "in_stock " + wholesaler + " " + caseOf(1)},
	{"1-1": "dispensed " + pharmacy, "2-2": "in_transit " + wholesaler, "3-4": "in_stock " + wholesaler + " " + caseOf(1)},
	{"2-2": "quarantined " + wholesaler, "3-4": "in_stock " + wholesaler + " " + caseOf(1), "5-8": "quarantined " + wholesaler + " " + caseOf(2), "9-12": "quarantined " + wholesaler + " " + caseOf(3)},
	{
		"1-1": "dispensed " + pharmacy, "2-2": "quarantined " + wholesaler, "3-4": "in_stock " + wholesaler + " " + caseOf(1),
		"5-8": "destroyed " + wholesaler + " " + caseOf(2), "9-12": "quarantined " + wholesaler + " " + caseOf(3),
	},
}

func (c *custody) lot(tb testing.TB, at time.Time) map[string]dscsa.Unit {
	tb.Helper()
	list, err := c.store.LotAt(tb.Context(), c.tenant, unitGTIN, "AB1234", at)
	require.NoError(tb, err)
	out := map[string]dscsa.Unit{}
	for _, u := range list {
		u.ID, u.ParentID, u.LastEvent, u.Version, u.Commissioned = 0, 0, 0, 0, 0 // numbers depend on the order of arrival
		out[u.Key] = u
	}
	return out
}

func requireStory(tb testing.TB, units map[string]dscsa.Unit, want map[string]string, after string) {
	tb.Helper()
	require.Len(tb, units, 12)
	for which, w := range want {
		var from, to int
		_, err := fmt.Sscanf(which, "%d-%d", &from, &to)
		require.NoError(tb, err)
		for n := from; n <= to; n++ {
			require.Equal(tb, w, stands(units[unitOf(n)]), "unit %d after %s", n, after)
		}
	}
}

func TestTheAuthoredChainStandsAsItsStorySays(t *testing.T) {
	t.Parallel()
	c := setup(t)
	docs := chain(t)
	for i, d := range docs {
		out := c.record(t, d, dscsa.Accept)
		require.Equal(t, len(d.events), out.Stored)
		require.Empty(t, out.Conflicts)
		requireStory(t, c.lot(t, time.Time{}), story[i], d.name)

		again := c.record(t, d, dscsa.Accept)
		require.True(t, again.Known, "the same bytes again change nothing")
		require.Equal(t, out.Document, again.Document)
	}
	// And as it stood at any moment before.
	for i, d := range docs {
		last := d.events[len(d.events)-1].EventTime
		requireStory(t, c.lot(t, last), story[i], "the moment of "+d.name)
	}
	require.Empty(t, c.lot(t, docs[0].events[0].EventTime.Add(-time.Second)))

	u, events, hops, err := c.store.History(t.Context(), c.tenant, "urn:epc:id:sgtin:0369999.012345.100000000002")
	require.NoError(t, err)
	require.Equal(t, "AB1234", u.Lot)
	var steps []string
	for _, e := range events {
		steps = append(steps, e.BizStep)
	}
	require.Equal(t, []string{"commissioning", "packing", "shipping", "receiving", "unpacking", "packing", "shipping", "receiving", "unpacking", "shipping", "holding"}, steps)
	var owners []string
	for _, h := range hops {
		owners = append(owners, h.From+">"+h.To)
	}
	require.Equal(t, []string{maker + ">" + wholesaler, wholesaler + ">" + pharmacy, pharmacy + ">" + wholesaler}, owners)
}

// Documents in any order, some twice, lead to the same place.
func TestTheAuthoredChainStandsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	first := setup(t)
	docs := chain(t)
	for _, d := range docs {
		first.record(t, d, dscsa.Accept)
	}
	want := first.lot(t, time.Time{})
	const seed = 20261125
	rng := rand.New(rand.NewPCG(seed, 1))
	for n := range 40 {
		c := first.another()
		order := rng.Perm(len(docs))
		if n == 0 {
			order = []int{6, 5, 4, 3, 2, 1, 0}
		}
		for _, i := range order {
			c.record(t, docs[i], dscsa.Accept)
			if rng.IntN(3) == 0 {
				require.True(t, c.record(t, docs[i], dscsa.Accept).Known)
			}
		}
		// The same events again in other bytes: nothing new.
		again := docs[rng.IntN(len(docs))]
		again.raw = append([]byte(nil), append(again.raw, '\n')...)
		out := c.record(t, again, dscsa.Accept)
		require.Equal(t, 0, out.Stored)
		require.Equal(t, len(again.events), out.Resent)
		require.Empty(t, cmp.Diff(want, c.lot(t, time.Time{})), "seed %d, order %v", seed, order)
	}
}
