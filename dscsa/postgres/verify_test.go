package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
)

func (c *custody) verify(tb testing.TB) postgres.Verified {
	tb.Helper()
	v, err := c.store.Verify(tb.Context(), c.tenant)
	require.NoError(tb, err)
	return v
}

// Generated chains, cut into documents that come in any order, some twice,
// with holds between them: what is projected event by event is what all facts
// come to.
func TestGeneratedChainsStandTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	c := setup(t)
	stand := func(k *custody) map[string]string {
		rows, err := c.db.Super().Query(t.Context(), `
			select i.key, concat_ws('|', i.state, i.blocked, i.owner, i.owner_sure, i.holder, i.location, i.lot, i.expiry, p.key, i.hops, i.conflict_why, i.last_time)
			  from custody.item i join custody.chain n on n.id = i.chain_id left join custody.item p on p.chain_id = i.chain_id and p.id = i.parent
			 where n.tenant_id = $1`, k.tenant)
		require.NoError(t, err)
		out := map[string]string{}
		var key, v string
		_, err = pgx.ForEachRow(rows, []any{&key, &v}, func() error { out[key] = v; return nil })
		require.NoError(t, err)
		return out
	}
	chains := 6
	if os.Getenv("RECOURSE_LONG") != "" {
		chains = 300
	}
	const seed = 20261125
	rng := rand.New(rand.NewPCG(seed, 2))
	for n := range chains {
		events := dscsatest.Chain(10+rng.IntN(30), rng.IntN)
		var docs []document
		for len(events) > 0 {
			n := 1 + rng.IntN(min(4, len(events)))
			docs = append(docs, doc("part", events[:n]...))
			events = events[n:]
		}
		first, second := c.another(), c.another()
		for _, d := range docs {
			first.record(t, d, dscsa.Accept)
		}
		for k, i := range rng.Perm(len(docs)) {
			second.record(t, docs[i], dscsa.Accept)
			if k%3 == 0 {
				second.record(t, doc("again", docs[i].events...), dscsa.Accept)
			}
		}
		require.Empty(t, cmp.Diff(stand(first), stand(second)), "seed %d, chain %d", seed, n)
		first.verify(t)
		second.hold(t, dscsa.HoldOrder{Class: dscsa.Suspect, Things: []string{dscsatest.Pallet(0), dscsatest.Unit("U1")}, Actor: "Ada", Reason: "seal"})
		second.record(t, doc("late", dscsatest.Receive(began.Add(time.Second), maker, dscsatest.Pallet(0))), dscsa.Accept)
		second.verify(t)
	}
}

// What happened to a container while something was in it is known only after
// that has left it, in each way there is to leave.
func TestWhatWasInAContainerIsConcernedAlsoWhenItHasLeft(t *testing.T) {
	t.Parallel()
	c := setup(t)
	unit, box, other := dscsatest.Unit("1"), dscsatest.Case("1"), dscsatest.Case("2")
	packed := doc("packed",
		dscsatest.Commission(began, maker, unit, dscsatest.Unit("2"), box, other), dscsatest.Pack(began.Add(time.Minute), maker, box, unit, dscsatest.Unit("2")))
	moved := doc("moved", dscsatest.Ship(began.Add(time.Hour), maker, wholesaler, box))
	later := began.Add(2 * time.Hour)
	for name, left := range map[string]epcis.Event{
		"sold alone":          dscsatest.Ship(later, wholesaler, pharmacy, unit),
		"put into another":    dscsatest.Pack(later, wholesaler, other, unit),
		"taken out":           dscsatest.Unpack(later, wholesaler, "", unit),
		"its number given up": dscsatest.Step(later, epcis.Delete, "decommissioning", "inactive", wholesaler, unit),
		"dispensed":           dscsatest.Step(later, epcis.Observe, "dispensing", "dispensed", wholesaler, unit),
	} {
		inOrder, late := c.another(), c.another()
		for _, d := range []document{packed, moved, doc("left", left)} {
			inOrder.record(t, d, dscsa.Accept)
		}
		for _, d := range []document{packed, doc("left", left), moved} {
			late.record(t, d, dscsa.Accept)
		}
		for _, thing := range []string{unit, box, other} {
			want, _, wantHops, err := inOrder.store.History(t.Context(), inOrder.tenant, thing)
			require.NoError(t, err, name)
			got, _, gotHops, err := late.store.History(t.Context(), late.tenant, thing)
			require.NoError(t, err, name)
			want.ID, want.ParentID, want.LastEvent, want.Version, want.Commissioned = got.ID, got.ParentID, got.LastEvent, got.Version, got.Commissioned
			for i := range gotHops {
				gotHops[i].Event = wantHops[i].Event
			}
			require.Empty(t, cmp.Diff(want, got), name)
			require.Empty(t, cmp.Diff(wantHops, gotHops), name)
		}
		inOrder.verify(t)
		late.verify(t)
	}
}

func TestVerifyNamesTheFirstThingThatIsWrong(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(20), dscsa.Accept)
	h := c.hold(t, dscsa.HoldOrder{Class: dscsa.Recall, GTIN: dscsatest.GTIN, Lot: dscsatest.Lot, Actor: "Ada", Reason: "class II"})
	c.record(t, doc("more", dscsatest.Receive(began.Add(time.Hour), wholesaler, dscsatest.Pallet(1))), dscsa.Accept)
	v := c.verify(t)
	require.Equal(t, int64(24), v.Items-int64(0)+1, "20 packages, 2 cases, a pallet, and one to count")
	require.Equal(t, v.Entries, int64(h.ID)+2)

	super := c.db.Super()
	// A superuser who takes the guards away leaves no trace but this.
	for _, x := range []struct {
		name, sql string
		seq       int64
		item      string
	}{
		{"an event's content", `update custody.event set body = convert_to(replace(convert_from(body, 'UTF8'), 'packing', 'burning'), 'UTF8') where seq = 3`, 3, ""},
		{"what stands beside an event", `update custody.event set biz_step = 'shipping' where seq = 3`, 3, ""},
		{"its time beside it", `update custody.event set event_time = event_time + interval '1 day' where seq = 4`, 4, ""},
		{"what it names", `update custody.event set members = substring(members from 9) where seq = 3`, 3, ""},
		{"a document's sender", `update custody.document set sender = 'x' where seq = 1`, 1, ""},
		{"a document's bytes", `update custody.document_part set bytes = bytes || 'x' where document = 1`, 1, ""},
		{"a document's bytes gone", `delete from custody.document_part where document = 1`, 1, ""},
		{"an entry that covers nothing", `update custody.entry set content = '' where seq = 2`, 2, ""},
		{"who decided", fmt.Sprintf(`update custody.decision set actor = 'Bo' where seq = %d`, h.ID), h.ID, ""},
		{"an event gone", `delete from custody.event where seq = 4`, 4, ""},
		{"an entry gone", `delete from custody.entry where seq = 5`, 5, ""},
		{"the tail gone", fmt.Sprintf(`delete from custody.entry where seq = %d`, v.Entries), v.Entries, ""},
		{"a hash", `update custody.entry set hash = sha256('x') where seq = 2`, 2, ""},
		{"an owner", `update custody.item set owner = '` + pharmacy + `' where serial = '000003'`, 0, dscsatest.Key(dscsatest.Unit("000003"))},
		{"a state", `update custody.item set state = 'destroyed' where serial = '000004'`, 0, dscsatest.Key(dscsatest.Unit("000004"))},
		{"a hop", `update custody.hop set to_owner = '` + pharmacy + `' where item in (select id from custody.item where serial = '000005')`, 0, dscsatest.Key(dscsatest.Unit("000005"))},
	} {
		_, err := super.Exec(t.Context(), `do $$ declare t record; begin
			perform guard.open_maintenance('an attack');
			for t in select c.relname from pg_class c where c.relnamespace = 'custody'::regnamespace and c.relkind = 'r' loop
				execute format('alter table custody.%I disable trigger all', t.relname);
			end loop; end $$`)
		require.NoError(t, err)
		_, err = super.Exec(t.Context(), x.sql)
		require.NoError(t, err, x.name)

		_, err = c.store.Verify(t.Context(), c.tenant)
		var fault *postgres.Fault
		require.ErrorAs(t, err, &fault, x.name)
		require.Equal(t, x.seq, fault.Seq, "%s: %v", x.name, err)
		require.Equal(t, x.item, fault.Item, x.name)

		// Put back by what the test knows of a clean copy: start again.
		c = c.another()
		c.record(t, stocked(20), dscsa.Accept)
		c.hold(t, dscsa.HoldOrder{Class: dscsa.Recall, GTIN: dscsatest.GTIN, Lot: dscsatest.Lot, Actor: "Ada", Reason: "class II"})
		c.record(t, doc("more", dscsatest.Receive(began.Add(time.Hour), wholesaler, dscsatest.Pallet(1))), dscsa.Accept)
	}
}
