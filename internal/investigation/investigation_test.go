package investigation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sandbox"
	"github.com/recourse/recourse/internal/tradebook"
)

// office is a tenant of the sandbox with people in it.
type office struct {
	*testing.T
	db     *pgtest.DB
	super  *pgxpool.Pool
	pool   *pgxpool.Pool
	tenant uuid.UUID
	book   *investigation.Book
	n      int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db := pgtest.New(t)
	o := &office{T: t, db: db, super: db.Super(), pool: db.Pool("app_api"), tenant: db.Tenant()}
	o.book = investigation.New(o.pool)
	require.NoError(t, sandbox.Seed(t.Context(), o.super, o.tenant, ""))
	return o
}

func (o *office) id(prefix string) string {
	o.n++
	return fmt.Sprintf("%s%026d", prefix, o.n)
}

func (o *office) at(fn func(ctx context.Context, d *investigation.Desk) error) error {
	return pgtenant.Tx(o.Context(), o.pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error { return fn(ctx, investigation.At(tx, o.tenant)) })
}

func (o *office) open(company string, units ...string) string {
	o.Helper()
	id := o.id("inv_")
	require.NoError(o, o.at(func(ctx context.Context, d *investigation.Desk) error {
		return d.Open(ctx, investigation.Opening{ID: id, Company: company, Suspicion: investigation.Stolen, Summary: "s", Units: units, By: "anna"})
	}))
	return id
}

func (o *office) read(id string) *investigation.Investigation {
	o.Helper()
	v, err := o.book.Investigation(o.Context(), o.tenant, id)
	require.NoError(o, err)
	return v
}

func (o *office) verify(id, result string, units ...string) error {
	var all []investigation.Verification
	for _, u := range units {
		v := investigation.Verification{Unit: u, Result: result, Source: "the manufacturer"}
		if result == "not_verified" {
			v.Failure = "No_reason_provided"
		}
		all = append(all, v)
	}
	return o.at(func(ctx context.Context, d *investigation.Desk) error { return d.Verify(ctx, id, "ben", all) })
}

var word = investigation.Conclusion{By: "anna", Person: "Anna A.", Position: "Responsible person", Summary: "so it is"}

func (o *office) clear(id string) error {
	return o.at(func(ctx context.Context, d *investigation.Desk) error { return d.Clear(ctx, id, word) })
}

func (o *office) determine(id string) (string, error) {
	ntf := o.id("ntf_")
	return ntf, o.at(func(ctx context.Context, d *investigation.Desk) error { return d.Determine(ctx, id, ntf, word) })
}

func code(err error) string {
	var no *investigation.Refused
	if errors.As(err, &no) {
		return no.Code
	}
	return fmt.Sprint(err)
}

func constraint(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if pg.ConstraintName == "" {
			return pg.Code
		}
		return pg.ConstraintName
	}
	return fmt.Sprint(err)
}

func units(from, to int) []string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, sandbox.Unit(sandbox.Drug, n))
	}
	return out
}

// The number of the law, against the words of the law.
func TestHowManyPackagesAreToBeVerified(t *testing.T) {
	t.Parallel()
	super := pgtest.New(t).Super()
	rapid.Check(t, func(rt *rapid.T) {
		packages := rapid.OneOf(rapid.Int64Range(0, 120), rapid.Int64Range(0, 2_000_000)).Draw(rt, "packages")
		for _, role := range []string{"manufacturer", "repackager", "wholesaler", "dispenser"} {
			want := packages
			if role == "dispenser" && packages >= 3 {
				for want = 3; want*10 < packages; {
					want += max(1, (packages-want*10)/10)
				}
			}
			var got int64
			if err := super.QueryRow(t.Context(), `select custody.packages_to_verify($1, $2)`, role, packages).Scan(&got); err != nil {
				rt.Fatal(err)
			}
			if got != want {
				rt.Fatalf("a %s with %d packages verifies %d, not %d", role, packages, got, want)
			}
		}
	})
}

func TestADispenserVerifiesATenth(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.open(sandbox.Pharmacy, units(1, 41)...)
	require.Equal(t, investigation.Progress{Packages: 41, Required: 5}, o.read(id).Progress)
	require.NoError(t, o.verify(id, "verified", units(1, 4)...))
	require.Equal(t, investigation.CodeNotEnough, code(o.clear(id)))
	require.NoError(t, o.verify(id, "verified", units(4, 4)...), "again")
	require.Equal(t, investigation.CodeNotEnough, code(o.clear(id)), "one package twice is one")
	require.NoError(t, o.verify(id, "verified", units(41, 41)...))
	require.NoError(t, o.clear(id))
	require.Equal(t, investigation.Progress{Packages: 41, Required: 5, Verified: 5}, o.read(id).Progress)

	two := o.open(sandbox.Pharmacy, units(50, 51)...)
	require.Equal(t, int64(2), o.read(two).Progress.Required)
	three := o.open(sandbox.Pharmacy, units(52, 54)...)
	require.Equal(t, int64(3), o.read(three).Progress.Required)
}

// What is in a container is under investigation with it, also what is taken out
// of it meanwhile, and also when it is found illegitimate.
func TestAContainerIsWhatIsInIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.open(sandbox.Wholesaler, sandbox.Case(1))
	require.Equal(t, int64(10), o.read(id).Progress.Packages)
	_, err := o.determine(id)
	require.NoError(t, err)
	var held int
	require.NoError(t, o.super.QueryRow(t.Context(), `select count(*) from custody.hold_item x join custody.hold h on h.id = x.hold
		where h.class = 'illegitimate' and h.released is null`).Scan(&held))
	require.Equal(t, 11, held, "the case and its ten packages")
}

// Looking into a lot costs what is in it, also when the tables have grown and
// nobody has counted them since.
func TestALotCostsWhatIsInIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const n = 2000
	var made []string
	for i := range n {
		made = append(made, dscsatest.Unit(strconv.Itoa(i)))
	}
	at := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	require.NoError(t, pgtenant.Tx(t.Context(), o.pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := custodypg.New(nil).AppendTx(ctx, tx, o.tenant, custodypg.Batch{Events: []epcis.Event{
			dscsatest.Commission(at, dscsatest.Parties[0], made...), dscsatest.Ship(at.Add(time.Hour), dscsatest.Parties[0], sandbox.Wholesaler, made...),
		}})
		return err
	}))
	id := o.id("inv_")
	require.NoError(t, o.at(func(ctx context.Context, d *investigation.Desk) error {
		return d.Open(ctx, investigation.Opening{
			ID: id, Company: sandbox.Wholesaler, Suspicion: investigation.Stolen, Summary: "s", GTIN: dscsatest.GTIN, Lot: dscsatest.Lot, By: "anna",
		})
	}))
	v := o.read(id)
	require.Equal(t, investigation.Progress{Packages: n, Required: n}, v.Progress)
	var plan strings.Builder
	require.NoError(t, pgtenant.Tx(t.Context(), o.pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `explain (analyze, buffers, costs off, timing off) select * from custody.packages_under($1, $2, $3)`, o.tenant, id, v.Hold)
		if err != nil {
			return err
		}
		var line string
		_, err = pgx.ForEachRow(rows, []any{&line}, func() error { plan.WriteString(line + "\n"); return nil })
		return err
	}))
	m := regexp.MustCompile(`Buffers: shared hit=(\d+)`).FindStringSubmatch(plan.String())
	require.NotNil(t, m, plan.String())
	blocks, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	t.Logf("%d blocks for a lot of %d", blocks, n)
	require.Less(t, blocks, 30*n, plan.String())
	ntf, err := o.determine(id)
	require.NoError(t, err)
	f := o.state(ntf).Form
	require.Equal(t, int64(n), f.Quantity)
	require.Len(t, f.Serials, 1000)
	require.Equal(t, int64(n-1000), f.MoreSerials)
	require.Equal(t, []string{dscsatest.Lot}, f.Lots)
	require.Equal(t, []string{dscsatest.Expiry}, f.Expiries)
}

// Fifty people end one investigation at the same moment, half each way: it ends
// once, and the goods agree.
func TestAnInvestigationEndsOnceWhoeverIsFaster(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.open(sandbox.Wholesaler, units(1, 3)...)
	require.NoError(t, o.verify(id, "verified", units(1, 3)...))
	var all sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[string]int{}
	for n := range 50 {
		ntf := o.id("ntf_")
		all.Go(func() {
			err := o.at(func(ctx context.Context, d *investigation.Desk) error {
				if n%2 == 0 {
					return d.Clear(ctx, id, word)
				}
				return d.Determine(ctx, id, ntf, word)
			})
			mu.Lock()
			defer mu.Unlock()
			outcomes[code(err)]++
		})
	}
	all.Wait()
	require.Equal(t, map[string]int{"<nil>": 1, investigation.CodeEnded: 49}, outcomes)
	v := o.read(id)
	var inForce, notifications int
	require.NoError(t, o.super.QueryRow(t.Context(), `select (select count(*) from custody.hold where released is null), (select count(*) from custody.notification)`).Scan(&inForce, &notifications))
	want := 0
	if v.State == investigation.Illegitimate {
		want = 1
	}
	require.Equal(t, want, inForce)
	require.Equal(t, want, notifications)
	_, err := custodypg.New(o.pool).Verify(t.Context(), o.tenant)
	require.NoError(t, err, "and custody is sound")
}

// What the program does not do, the database refuses to somebody with the API's
// own rights.
func TestTheDatabaseHoldsTheRules(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.open(sandbox.Wholesaler, units(1, 2)...)
	exec := func(sql string, args ...any) string {
		o.Helper()
		err := pgtenant.Tx(o.Context(), o.pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		})
		require.Error(o, err, sql)
		return constraint(err)
	}
	const end = `insert into custody.investigation_end (tenant_id, investigation_id, outcome, concluded_by, person, position, summary, chain_id, hold, packages, required, verified)
		values ($1, $2, $3, 'anna', 'p', 'q', 's', 1, $4, 2, 2, 2)`
	require.Equal(t, "investigation_end_verified_enough", exec(end, o.tenant, id, "cleared", nil), "what the caller counted does not count")
	require.Equal(t, "investigation_end_hold_covers", exec(end, o.tenant, id, "illegitimate", o.read(id).Hold))
	require.Equal(t, "investigation_end_held", exec(end, o.tenant, id, "illegitimate", nil))
	require.Equal(t, "notification_determined", exec(`insert into custody.notification (tenant_id, id, investigation_id, type, determined_at, due_at, opened_by)
		values ($1, $2, $3, 'initial', now(), now() + interval '24 hours', 'anna')`, o.tenant, o.id("ntf_"), id))
	release := pgtenant.Tx(t.Context(), o.pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
		return custodypg.New(nil).ReleaseHoldTx(ctx, tx, o.tenant, o.read(id).Hold, "ben", "r")
	})
	require.ErrorIs(t, release, custodypg.ErrUnderInvestigation)

	ntf, err := o.determine(id)
	require.NoError(t, err)
	v := o.read(id)
	require.Equal(t, "notification_due_in_a_day", exec(`insert into custody.notification (tenant_id, id, investigation_id, type, determined_at, due_at, opened_by)
		values ($1, $2, $3, 'initial', $4::timestamptz, $4::timestamptz + interval '48 hours', 'anna')`, o.tenant, o.id("ntf_"), id, v.End.At))
	require.Equal(t, "notification_initial_once", exec(`insert into custody.notification (tenant_id, id, investigation_id, type, determined_at, due_at, opened_by)
		values ($1, $2, $3, 'initial', $4::timestamptz, $4::timestamptz + interval '24 hours', 'anna')`, o.tenant, o.id("ntf_"), id, v.End.At))
	require.Equal(t, "notification_form_follows", exec(`insert into custody.notification_form (tenant_id, notification_id, n, form, written_by) values ($1, $2, 7, '{}', 'a')`, o.tenant, ntf))
	require.Equal(t, "notification_submission_not_ahead", exec(`insert into custody.notification_submission (tenant_id, notification_id, form, submitted_at, person, channel, recorded_by)
		values ($1, $2, 1, now() + interval '1 hour', 'p', 'email', 'a')`, o.tenant, ntf))
	for _, table := range []string{"investigation", "investigation_end", "investigation_verification", "notification", "notification_form"} {
		require.Equal(t, "42501", exec(`update custody.`+table+` set tenant_id = tenant_id`), table)
		require.Equal(t, "42501", exec(`delete from custody.`+table), table)
	}
	require.Equal(t, "42501", exec(`insert into custody.notification_alert (tenant_id, notification_id, hours) values ($1, $2, 12)`, o.tenant, ntf), "nobody says that he was reminded")
	for _, sql := range []string{`delete from custody.investigation_end`, `update custody.notification set due_at = due_at + interval '1 day'`} {
		_, err := o.super.Exec(t.Context(), sql)
		require.Error(t, err, "nor a superuser, without a window: %s", sql)
	}
	other := o.db.Tenant()
	_, err = o.book.Investigation(t.Context(), other, id)
	require.ErrorIs(t, err, investigation.ErrNotFound)
	_, err = o.book.Notification(t.Context(), other, ntf)
	require.ErrorIs(t, err, investigation.ErrNotFound)
	list, err := o.book.Notifications(t.Context(), other, "", false, tradebook.After{}, 10)
	require.NoError(t, err)
	require.Empty(t, list)
}

// age moves a determination into the past, as time would.
func (o *office) age(notification string, by time.Duration) {
	o.Helper()
	conn, err := pgx.Connect(o.Context(), o.db.SuperURL())
	require.NoError(o, err)
	defer func() { _ = conn.Close(context.WithoutCancel(o.Context())) }()
	for _, sql := range []string{
		`select guard.open_maintenance('a test moves the clock')`,
		`alter table custody.notification disable trigger notification_append_only`,
		fmt.Sprintf(`update custody.notification set determined_at = determined_at - interval '%d seconds', due_at = due_at - interval '%d seconds' where id = '%s'`,
			int(by.Seconds()), int(by.Seconds()), notification),
		`alter table custody.notification enable always trigger notification_append_only`,
	} {
		_, err := conn.Exec(o.Context(), sql)
		require.NoError(o, err)
	}
}

func (o *office) state(id string) *investigation.Notification {
	o.Helper()
	n, err := o.book.Notification(o.Context(), o.tenant, id)
	require.NoError(o, err)
	return n
}

func hours(n *investigation.Notification) (out []int) {
	for _, a := range n.Alerts {
		out = append(out, a.Hours)
	}
	return out
}

func TestPeopleAreRemindedOnceForEachHour(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.open(sandbox.Wholesaler, units(1, 1)...)
	ntf, err := o.determine(id)
	require.NoError(t, err)
	var mu sync.Mutex
	var log bytes.Buffer
	out := slog.New(slog.NewJSONHandler(lockedWriter{&mu, &log}, nil))
	// Four processes, all of which believe that they lead.
	var chasers []*investigation.Chaser
	for range 4 {
		chasers = append(chasers, &investigation.Chaser{Pool: o.db.Pool("app_worker"), Log: out, Pace: investigation.Usual})
	}
	rounds := func() {
		var all sync.WaitGroup
		for _, c := range chasers {
			all.Go(func() {
				if err := c.Round(t.Context()); err != nil {
					t.Errorf("round: %v", err)
				}
			})
		}
		all.Wait()
	}
	for _, step := range []struct {
		by    time.Duration
		state investigation.NotificationState
		want  []int
	}{
		{0, investigation.Due, nil},
		{11*time.Hour + 50*time.Minute, investigation.Due, nil},
		{20 * time.Minute, investigation.DueSoon, []int{12}},
		{8 * time.Hour, investigation.DueSoon, []int{12, 20}},
		{4 * time.Hour, investigation.Overdue, []int{12, 20, 24}},
		{400 * time.Hour, investigation.Overdue, []int{12, 20, 24}},
	} {
		o.age(ntf, step.by)
		rounds()
		rounds()
		n := o.state(ntf)
		require.Equal(t, step.state, n.State)
		require.Equal(t, step.want, hours(n))
		require.Equal(t, n.State == investigation.Overdue, n.SecondsLeft <= 0)
	}
	raised := int64(0)
	for _, c := range chasers {
		raised += c.Raised.Load()
	}
	require.Equal(t, int64(3), raised)
	require.Equal(t, 3, strings.Count(log.String(), ntf), log.String())
	require.Equal(t, 1, strings.Count(log.String(), `"level":"ERROR"`), log.String())

	// Submitted late: on record as that, and nobody is reminded any more.
	require.NoError(t, o.at(func(ctx context.Context, d *investigation.Desk) error {
		err := d.Amend(ctx, ntf, []byte(`{"drug_description":"d","other_reports":["none"],"contact":{"name":"n","phone":"1","email":"a@b"}}`), "anna")
		if err != nil {
			return err
		}
		return d.Submit(ctx, ntf, nil, "Anna A.", "email", "anna")
	}))
	n := o.state(ntf)
	require.Equal(t, investigation.Submitted, n.State)
	require.True(t, n.Late)
	require.Empty(t, n.Missing)

	// Down for a day: all reminders that are due come at once; what was submitted
	// in time has none.
	first, err := o.determine(o.open(sandbox.Wholesaler, units(2, 2)...))
	require.NoError(t, err)
	second, err := o.determine(o.open(sandbox.Wholesaler, units(3, 3)...))
	require.NoError(t, err)
	require.NoError(t, o.at(func(ctx context.Context, d *investigation.Desk) error {
		err := d.Amend(ctx, second, []byte(`{"drug_description":"d","other_reports":["none"],"contact":{"name":"n","phone":"1","email":"a@b"}}`), "anna")
		if err != nil {
			return err
		}
		return d.Submit(ctx, second, nil, "Anna A.", "email", "anna")
	}))
	o.age(first, 21*time.Hour)
	o.age(second, 30*time.Hour)
	rounds()
	require.Equal(t, []int{12, 20}, hours(o.state(first)))
	require.Empty(t, hours(o.state(second)))
	list, err := o.book.Notifications(t.Context(), o.tenant, "", true, tradebook.After{}, 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, first, list[0].ID)
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// A process that dies after the line and before the commit has said it; the next
// one says it again, and the row is there once.
func TestAReminderThatWasNotCommittedComesAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ntf, err := o.determine(o.open(sandbox.Wholesaler, units(1, 1)...))
	require.NoError(t, err)
	o.age(ntf, 13*time.Hour)
	ctx, die := context.WithCancel(t.Context())
	dying := &investigation.Chaser{Pool: o.db.Pool("app_worker"), Pace: investigation.Usual, Log: slog.New(handler{func() { die() }})}
	require.Error(t, dying.Round(ctx))
	require.Empty(t, hours(o.state(ntf)))
	said := 0
	next := &investigation.Chaser{Pool: o.db.Pool("app_worker"), Pace: investigation.Usual, Log: slog.New(handler{func() { said++ }})}
	require.NoError(t, next.Round(t.Context()))
	require.Equal(t, []int{12}, hours(o.state(ntf)))
	require.Equal(t, 1, said)
}

// handler does something at every line.
type handler struct{ do func() }

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(context.Context, slog.Record) error {
	h.do()
	return nil
}

func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h handler) WithGroup(string) slog.Handler      { return h }

func TestOneWorkerRemindsAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	pace := investigation.Pace{Renew: time.Second, Look: time.Millisecond}
	chaser := func() *investigation.Chaser {
		return &investigation.Chaser{Pool: o.db.Pool("app_worker"), Log: slog.New(slog.DiscardHandler), Pace: pace}
	}
	a, b := chaser(), chaser()
	first, stop := context.WithCancel(t.Context())
	second, end := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { a.Run(first) })
	ntf, err := o.determine(o.open(sandbox.Wholesaler, units(1, 1)...))
	require.NoError(t, err)
	o.age(ntf, 13*time.Hour)
	require.Eventually(t, func() bool { return a.Raised.Load() == 1 }, 30*time.Second, time.Millisecond)
	all.Go(func() { b.Run(second) })
	stop()
	o.age(ntf, 8*time.Hour)
	require.Eventually(t, func() bool { return a.Raised.Load()+b.Raised.Load() == 2 }, 30*time.Second, time.Millisecond)
	end()
	all.Wait()
	require.Equal(t, []int{12, 20}, hours(o.state(ntf)))
}
