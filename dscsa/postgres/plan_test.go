package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/query"
)

// Every query goes by an index, however many events there are.
func TestQueriesGoByIndexes(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for i := range 3 {
		k := c
		if i > 0 {
			k = c.another()
		}
		d := stocked(3000)
		for n := range 3000 {
			u := dscsatest.Unit(fmt.Sprintf("%06d", n))
			e := dscsatest.Step(began.Add(time.Duration(n)*time.Minute), epcis.Observe, fmt.Sprintf("urn:x:step:%d", n%50), "", dscsatest.Parties[n%4], u)
			e.BizTransactions = []epcis.Reference{{Type: "po", ID: fmt.Sprintf("urn:x:po:%d", n)}}
			e.Quantities = []epcis.Quantity{{Class: "urn:epc:class:lgtin:0369999.012345.L" + fmt.Sprint(n), Amount: "3"}}
			d.events = append(d.events, e)
		}
		k.record(t, d, dscsa.Accept)
	}
	super := c.db.Super()
	_, err := super.Exec(t.Context(), `analyze`)
	require.NoError(t, err)
	var chain int32
	require.NoError(t, super.QueryRow(t.Context(), `select id from custody.chain where tenant_id = $1`, c.tenant).Scan(&chain))
	u := dscsatest.Unit("000007")
	after := began.Add(time.Hour).UTC().Format(time.RFC3339)
	for _, given := range []string{
		"", "orderBy=eventTime", "orderBy=eventTime&orderDirection=ASC", "GE_eventTime=" + after + "&orderBy=eventTime",
		"GE_recordTime=" + after, "EQ_bizStep=urn:x:step:7", "EQ_bizStep=urn:x:step:7&orderBy=eventTime&GE_eventTime=" + after,
		"EQ_bizLocation=" + dscsatest.SGLN(pharmacy), "EQ_readPoint=" + dscsatest.SGLN(pharmacy), "EQ_eventID=x", "MATCH_epc=" + u,
		"MATCH_parentID=" + dscsatest.Case("000001"), "MATCH_anyEPC=" + u + "&EQ_bizStep=shipping",
		"MATCH_anyEPCClass=urn:epc:class:lgtin:0369999.012345.L7", "EQ_bizTransaction_po=urn:x:po:7",
		"EQ_destination_owning_party=" + dscsatest.SGLN(wholesaler), "EXISTS_errorDeclaration=true",
		"eventType=AggregationEvent&EQ_action=ADD", "EQ_disposition=stolen",
	} {
		values, err := url.ParseQuery(given)
		require.NoError(t, err)
		q, err := query.Parse(values)
		require.NoError(t, err, given)
		name := given
		sql, args := postgres.QuerySQL(chain, q)
		var plan strings.Builder
		require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, "explain "+sql, args...)
			if err != nil {
				return err
			}
			var line string
			_, err = pgx.ForEachRow(rows, []any{&line}, func() error { plan.WriteString(line + "\n"); return nil })
			return err
		}), name)
		require.NotContains(t, strings.ReplaceAll(plan.String(), "Seq Scan on chain", ""), "Seq Scan", "%s:\n%s", name, plan.String()) // of three tenants
	}
}

// What is asked of many things is looked up thing by thing: each scan goes by
// the thing's own key, though the planner may never have been told how large
// the tables are, and reads nothing else of the tenant.
func TestLookupsReadNothingElse(t *testing.T) {
	t.Parallel()
	c := setup(t)
	super := c.db.Super()
	c.record(t, stocked(3000), dscsa.Accept)
	var chain int32
	require.NoError(t, super.QueryRow(t.Context(), `select id from custody.chain where tenant_id = $1`, c.tenant).Scan(&chain))
	keys, ids, hashes := make([]string, 500), make([]int64, 500), make([][]byte, 500)
	for i := range keys {
		keys[i], ids[i], hashes[i] = fmt.Sprintf("01/00369999123453/21/new%d", i), int64(100_000+i), make([]byte, 32)
		hashes[i][0], hashes[i][1] = byte(i), byte(i>>8)
	}
	for name, sql := range postgres.Lookups() {
		args := []any{chain, ids}
		switch name {
		case "items_by_key", "things_known", "facts_declaring":
			args[1] = keys
		case "events_known":
			args = []any{chain, hashes, keys}
		}
		var plan strings.Builder
		require.NoError(t, c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select set_config('plan_cache_mode', 'force_custom_plan', true)`); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, "explain (analyze, timing off, summary off) "+sql, args...)
			if err != nil {
				return err
			}
			var line string
			_, err = pgx.ForEachRow(rows, []any{&line}, func() error { plan.WriteString(line + "\n"); return nil })
			return err
		}), name)
		require.NotContains(t, plan.String(), "Rows Removed by Filter", "%s:\n%s", name, plan.String())
		require.NotContains(t, strings.ReplaceAll(plan.String(), "Seq Scan on chain", ""), "Seq Scan", "%s:\n%s", name, plan.String())
	}
}
