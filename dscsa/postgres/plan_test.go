package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
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
	no := false
	for name, q := range map[string]postgres.EventQuery{
		"all":               {},
		"all, ascending":    {Ascending: true},
		"by record time":    {ByRecordTime: true},
		"a page on":         {After: "MTc3MjM2NjQwMDAwMDAwMC41"},
		"event time":        {EventTimeFrom: began.Add(time.Hour), EventTimeBefore: began.Add(2 * time.Hour)},
		"step":              {BizSteps: []string{"urn:x:step:7"}},
		"step and time":     {BizSteps: []string{"urn:x:step:7"}, EventTimeFrom: began.Add(time.Hour)},
		"location":          {BizLocations: []string{dscsatest.SGLN(pharmacy)}},
		"read point":        {ReadPoints: []string{dscsatest.SGLN(pharmacy)}},
		"id":                {EventIDs: []string{"x"}},
		"epc":               {EPCs: []string{u}},
		"parent":            {Parents: []string{dscsatest.Case("000001")}},
		"any epc and step":  {AnyEPCs: []string{u}, BizSteps: []string{"shipping"}},
		"class":             {AnyClasses: []string{"urn:epc:class:lgtin:0369999.012345.L7"}},
		"transaction":       {Transactions: map[string][]string{"po": {"urn:x:po:7"}}},
		"destination":       {Destinations: map[string][]string{"owning_party": {dscsatest.SGLN(wholesaler)}}},
		"no declaration":    {Declared: &no},
		"type and action":   {Types: []epcis.EventType{epcis.AggregationEvent}, Actions: []epcis.Action{epcis.Add}},
		"what is not there": {Dispositions: []string{"stolen"}},
	} {
		sql, args, err := q.SQL(chain)
		require.NoError(t, err)
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
