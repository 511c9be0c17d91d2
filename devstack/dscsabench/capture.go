package dscsabench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/devstack/benchdb"
	"github.com/recourse/recourse/devstack/ledgerbench"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
)

// stock is one tenant's custody on the server of the measurement.
type stock struct {
	db     *benchdb.Server
	tenant uuid.UUID
	pool   *pgxpool.Pool // one connection, as app_worker
	store  *postgres.Store
}

// custody measures what is done with documents in Postgres.
func custody(ctx context.Context, talk io.Writer, print func(ledgerbench.Line)) error {
	db, err := benchdb.Start(ctx)
	if err != nil {
		return err
	}
	defer db.Stop()
	if err := db.Do(ctx, func(conn *pgx.Conn) error { _, err := conn.Exec(ctx, bareSchema()); return err }); err != nil {
		return fmt.Errorf("make the tables of the baseline: %w", err)
	}
	pool, err := db.Pool(ctx, "app_worker", 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	open := func() (*stock, error) {
		tenant, err := db.Tenant(ctx)
		return &stock{db: db, tenant: tenant, pool: pool, store: postgres.New(pool)}, err
	}
	for _, x := range []struct {
		units, documents int
		whole            bool
	}{{504, 40, false}, {20_000, 3, false}, {504, 40, true}, {20_000, 3, true}} {
		fmt.Fprintf(talk, "recourse: capture of %d documents of %d packages\n", x.documents, x.units)
		s, err := open()
		if err == nil {
			err = s.captures(ctx, x.units, x.documents, x.whole, print)
		}
		if err != nil {
			return fmt.Errorf("capture: %w", err)
		}
	}
	fmt.Fprintln(talk, "recourse: transfers")
	s, err := open()
	if err == nil {
		err = s.transfers(ctx, print)
	}
	if err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	return nil
}

// filled are the tables that a capture fills, each with the column that tells
// the rows of one capture from those of the next: that counts entries, or
// items.
var filled = []struct{ table, by, counts string }{
	{"document", "seq", "entries"},
	{"document_part", "document", "entries"},
	{"entry", "seq", "entries"},
	{"event", "seq", "entries"},
	{"event_item", "event", "entries"},
	{"event_ref", "event", "entries"},
	{"item", "id", "items"},
	{"hop", "item", "items"},
}

// bareSchema makes the baselines' tables: in bare the same columns and storage,
// no index, no constraint, no trigger; in indexed with the indexes of custody,
// which is the least that Postgres can do to find the rows again.
func bareSchema() string {
	var s strings.Builder
	s.WriteString("create schema bare;\ncreate schema indexed;\n")
	for _, f := range filled {
		fmt.Fprintf(&s, "create table bare.%s (like custody.%s including storage);\n", f.table, f.table)
		fmt.Fprintf(&s, "create table indexed.%s (like custody.%s including storage including indexes);\n", f.table, f.table)
	}
	return s.String()
}

// took is what something took in all its repetitions.
type took struct {
	wall, cpu time.Duration
	rows      int64
}

// captures records documents, which have been read before or (whole) are read
// and checked as well, and copies the rows of each into the bare tables right
// after, so that both meet the same machine.
func (s *stock) captures(ctx context.Context, units, documents int, whole bool, print func(ledgerbench.Line)) error {
	super, err := pgx.Connect(ctx, s.db.Super)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = super.Close(context.WithoutCancel(ctx)) }()
	var ours, theirs, indexed took
	before, err := s.head(ctx, super)
	if err != nil {
		return err
	}
	for n := range documents {
		g := dscsatest.Goods{Units: units, First: n * 1000 * dscsatest.PerPallet}
		if whole {
			err = s.take(ctx, g, &ours)
		} else {
			var d postgres.Batch
			if d, err = batchOf(g); err == nil {
				err = s.record(ctx, d, &ours)
			}
		}
		if err != nil {
			return err
		}
		after, err := s.head(ctx, super)
		if err != nil {
			return err
		}
		if err := copied(ctx, super, before, after, &theirs, &indexed); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		before = after
	}
	shape := fmt.Sprintf("%d documents one after another, each %s: %d rows", documents, dscsatest.Goods{Units: units}.Shape(), theirs.rows/int64(documents))
	line := func(bench, unit string, n float64, baseline string, ours, theirs time.Duration) {
		print(ledgerbench.Line{
			Bench: bench, Shape: shape, Clients: 1, Value: n / ours.Seconds(), Unit: unit, Baseline: baseline, BaselineValue: n / theirs.Seconds(),
		})
	}
	const bare, withIndexes = "COPY of the same rows into tables without index, constraint or trigger", "COPY of the same rows into tables with the same indexes"
	packages := float64(units * documents)
	if whole {
		line("dscsa.capture.whole", "packages/s, read, checked and recorded", packages, bare, ours.wall, theirs.wall)
		return nil
	}
	line("dscsa.capture", "packages/s", packages, bare, ours.wall, theirs.wall)
	line("dscsa.capture", "rows/s", float64(theirs.rows), bare, ours.wall, theirs.wall)
	line("dscsa.capture", "packages/s", packages, withIndexes, ours.wall, indexed.wall)
	const processor = "packages/s of processor time, server and client"
	line("dscsa.capture.processor", processor, packages, bare, ours.cpu, theirs.cpu)
	line("dscsa.capture.processor", processor, packages, withIndexes, ours.cpu, indexed.cpu)
	return nil
}

// head is how many entries and items there are.
type head struct {
	chain          int32
	entries, items int64
}

func (s *stock) head(ctx context.Context, super *pgx.Conn) (h head, err error) {
	err = super.QueryRow(ctx, `select id, seq, items from custody.chain where tenant_id = $1`, s.tenant).Scan(&h.chain, &h.entries, &h.items)
	if errors.Is(err, pgx.ErrNoRows) {
		return head{}, nil
	}
	return h, err
}

// batch is a document with its events, read and ready.
func batchOf(g dscsatest.Goods) (postgres.Batch, error) {
	raw, n := g.Text()
	b := postgres.Batch{
		Document: &dscsa.Document{Direction: dscsa.Received, Format: epcis.XML12, Sender: dscsatest.Maker, Credential: "bench", Verdict: dscsa.Accept},
		Body:     bytes.NewReader(raw), Events: make([]epcis.Event, 0, n),
	}
	in, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
	for err == nil {
		var e *epcis.Event
		if e, err = in.Next(); err == nil {
			b.Events = append(b.Events, *e)
		}
	}
	if errors.Is(err, io.EOF) {
		return b, nil
	}
	return b, err
}

func (s *stock) record(ctx context.Context, b postgres.Batch, t *took) error {
	var out postgres.Appended
	err := s.timed(ctx, t, func(ctx context.Context, tx pgx.Tx) (err error) {
		out, err = s.store.AppendTx(ctx, tx, s.tenant, b)
		return err
	})
	if err == nil && (out.Stored != len(b.Events) || len(out.Conflicts) > 0) {
		err = fmt.Errorf("%d of %d events were recorded, with %d conflicts", out.Stored, len(b.Events), len(out.Conflicts))
	}
	return err
}

// take captures a document as it comes in.
func (s *stock) take(ctx context.Context, g dscsatest.Goods, t *took) error {
	raw, events := g.Text()
	pid, err := s.server(ctx)
	if err != nil {
		return err
	}
	return t.measure(pid, func() error {
		out, err := s.store.Capture(ctx, s.tenant, postgres.Capture{
			Body: bytes.NewReader(raw), Credential: "bench", Now: func() time.Time { return dscsatest.GoodsSeen },
		})
		if err == nil && (out.Stored != events || out.Verdict != dscsa.Accept) {
			err = fmt.Errorf("%d of %d events were recorded: %s, %+v", out.Stored, events, out.Verdict, out.Report.Findings)
		}
		return err
	})
}

// server is the process that serves the pool's one connection.
func (s *stock) server(ctx context.Context) (uint32, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	return conn.Conn().PgConn().PID(), nil
}

// timed measures one transaction with its commit.
func (s *stock) timed(ctx context.Context, t *took, fn func(ctx context.Context, tx pgx.Tx) error) error {
	pid, err := s.server(ctx)
	if err != nil {
		return err
	}
	return t.measure(pid, func() error { return pgtenant.Tx(ctx, s.pool, s.tenant, fn) })
}

// measure adds what fn takes: by the clock, and of processor time here and in
// the server's process.
func (t *took) measure(pid uint32, fn func() error) error {
	server, here, start := processorOf(pid), processor(), time.Now()
	err := fn()
	t.wall += time.Since(start)
	t.cpu += processorOf(pid) - server + processor() - here
	return err
}

// copied copies the rows of one capture, into the bare tables and into those
// with indexes.
func copied(ctx context.Context, super *pgx.Conn, before, after head, bare, indexed *took) error {
	data := make([][]byte, len(filled))
	for i, f := range filled {
		from, to := before.entries, after.entries
		if f.counts == "items" {
			from, to = before.items, after.items
		}
		var rows bytes.Buffer
		tag, err := super.PgConn().CopyTo(ctx, &rows, fmt.Sprintf("copy (select * from custody.%s where chain_id = %d and %s > %d and %s <= %d order by %s) to stdout (format binary)",
			f.table, after.chain, f.by, from, f.by, to, f.by))
		if err != nil {
			return err
		}
		data[i] = rows.Bytes()
		bare.rows += tag.RowsAffected()
	}
	for _, x := range []struct {
		schema string
		took   *took
	}{{"bare", bare}, {"indexed", indexed}} {
		err := x.took.measure(super.PgConn().PID(), func() error {
			return pgx.BeginFunc(ctx, super, func(tx pgx.Tx) error {
				for i, f := range filled {
					if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(data[i]), "copy "+x.schema+"."+f.table+" from stdin (format binary)"); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// processorOf is the processor time of a process of this machine, in its ticks
// of 10 ms; 0 where the kernel does not tell.
func processorOf(pid uint32) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // from the third on
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
