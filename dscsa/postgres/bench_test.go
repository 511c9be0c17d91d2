package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
)

// shipmentOf is a document of n packages, in cases of 24 on one pallet, with
// bytes of the size they have in XML.
func shipmentOf(prefix string, n int) document {
	var units, cases []string
	var packs []epcis.Event
	for i := range n {
		units = append(units, dscsatest.Unit(fmt.Sprintf("%s%08d", prefix, i)))
	}
	for i := 0; i < n; i += 24 {
		c := dscsatest.Case(fmt.Sprintf("%s%08d", prefix, i/24))
		cases = append(cases, c)
		packs = append(packs, dscsatest.Pack(began.Add(time.Minute), maker, c, units[i:min(i+24, n)]...))
	}
	pallet := "urn:epc:id:sscc:0369999." + prefix + "00000000"
	events := []epcis.Event{dscsatest.Commission(began, maker, units...), dscsatest.Commission(began, maker, cases...), dscsatest.Commission(began, maker, pallet)}
	events = append(events, packs...)
	events = append(events, dscsatest.Pack(began.Add(2*time.Minute), maker, pallet, cases...), dscsatest.Ship(began.Add(3*time.Minute), maker, wholesaler, pallet))
	var raw bytes.Buffer
	for range 2 {
		for _, u := range units {
			fmt.Fprintf(&raw, "          <epc>%s</epc>\n", u)
		}
	}
	raw.WriteString(strings.Repeat("<!-- header, cases, events -->\n", 40*len(events)))
	raw.WriteString(uuid.NewString())
	return document{name: "shipment", raw: raw.Bytes(), events: events}
}

// The tables a capture fills, without what custody needs of them: the same
// columns, no index, no constraint, no trigger.
var bare = []string{"document", "document_part", "entry", "event", "event_item", "event_ref", "item", "hop", "retention"}

// copyBack is the bare COPY of the rows that a capture has written, as any
// program does it: pgx, from values in memory, in one transaction, into tables
// without anything.
func copyBack(b *testing.B, c *custody, chain int32) time.Duration {
	b.Helper()
	ctx := b.Context()
	conn, err := pgx.Connect(ctx, c.db.SuperURL())
	require.NoError(b, err)
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	data, columns := map[string][][]any{}, map[string][]string{}
	for _, t := range bare {
		rows, err := conn.Query(ctx, fmt.Sprintf("select * from custody.%s where chain_id = %d", t, chain))
		require.NoError(b, err)
		for _, f := range rows.FieldDescriptions() {
			columns[t] = append(columns[t], f.Name)
		}
		data[t], err = pgx.CollectRows(rows, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
		require.NoError(b, err)
		_, err = conn.Exec(ctx, fmt.Sprintf("create table public.bare_%s as select * from custody.%s where false", t, t))
		require.NoError(b, err)
	}
	start := time.Now()
	tx, err := conn.Begin(ctx)
	require.NoError(b, err)
	for _, t := range bare {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"public", "bare_" + t}, columns[t], pgx.CopyFromRows(data[t]))
		require.NoError(b, err)
	}
	require.NoError(b, tx.Commit(ctx))
	took := time.Since(start)
	for _, t := range bare {
		_, err := conn.Exec(ctx, "drop table public.bare_"+t)
		require.NoError(b, err)
	}
	return took
}

// Capture of a document of 20,000 packages against a bare COPY of the rows it
// comes to.
func BenchmarkCapture(b *testing.B) {
	const n = 20000
	c := setup(b)
	super := c.db.Super()
	var ours, theirs time.Duration
	for i := range b.N {
		k := c.another()
		d := shipmentOf(fmt.Sprintf("%02d", i%100), n)
		start := time.Now()
		out := k.record(b, d, dscsa.Accept)
		ours += time.Since(start)
		require.Equal(b, len(d.events), out.Stored)
		var chain int32
		require.NoError(b, super.QueryRow(b.Context(), `select id from custody.chain where tenant_id = $1`, k.tenant).Scan(&chain))
		theirs += copyBack(b, k, chain)
	}
	b.ReportMetric(float64(n*b.N)/ours.Seconds(), "units/s")
	b.ReportMetric(float64(n*b.N)/theirs.Seconds(), "copy-units/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// The custody part of a transfer of 10,000 packages.
func BenchmarkTransfer(b *testing.B) {
	const n = 10000
	c := setup(b)
	var reserving, shipping time.Duration
	for i := range b.N {
		k := c.another()
		d := shipmentOf(fmt.Sprintf("%02d", i%100), n)
		pallet := d.events[len(d.events)-1].EPCs[0]
		k.record(b, d, dscsa.Accept)
		k.record(b, doc("in", dscsatest.Receive(began.Add(time.Hour), wholesaler, pallet)), dscsa.Accept)
		start := time.Now()
		r, err := k.reserve(b, "sg_1", pallet)
		reserving += time.Since(start)
		require.NoError(b, err)
		require.Len(b, r.Units, n)
		start = time.Now()
		_, err = k.ship(b, "sg_1", pallet)
		shipping += time.Since(start)
		require.NoError(b, err)
	}
	b.ReportMetric(reserving.Seconds()/float64(b.N), "reserve-s")
	b.ReportMetric(shipping.Seconds()/float64(b.N), "ship-s")
}
