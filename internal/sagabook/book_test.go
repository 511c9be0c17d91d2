package sagabook_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sagabook"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

type bundle struct {
	*sagabook.Book
	t      *testing.T
	db     *pgtest.DB
	super  *pgx.Conn
	tenant uuid.UUID
	saga   string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.New(t)
	pool := db.Pool("app_worker")
	conn, err := pgx.Connect(t.Context(), db.SuperURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	b := &bundle{Book: sagabook.New(pool, postgres.New(pool), nil), t: t, db: db, super: conn, tenant: db.Tenant()}
	b.saga = b.accept("A-1")
	return b
}

// accept puts a saga on record as the API does.
func (b *bundle) accept(orderRef string) string {
	b.t.Helper()
	id := "sg_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26]
	_, err := b.super.Exec(b.t.Context(), `insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, created_by)
		values ($1, $2, 'booking', $3, 150000, 'usd', '{"a":1}', '{}', 'key')`, b.tenant, id, orderRef)
	require.NoError(b.t, err)
	_, err = b.super.Exec(b.t.Context(), `insert into app.saga_event (tenant_id, saga_id, version, type, data) values ($1, $2, 1, 'saga.created', '{}')`, b.tenant, id)
	require.NoError(b.t, err)
	return id
}

func (b *bundle) call(name string, class step.Class) step.Call {
	return step.Call{Tenant: b.tenant, Saga: b.saga, Step: name, Ordinal: 1, Class: class}
}

func (b *bundle) intend(c step.Call, op step.Op) step.Intent {
	b.t.Helper()
	i, err := b.Intend(b.t.Context(), c, op)
	require.NoError(b.t, err)
	return i
}

func (b *bundle) status() string {
	b.t.Helper()
	var s string
	require.NoError(b.t, b.super.QueryRow(b.t.Context(), `select status from app.saga where id = $1`, b.saga).Scan(&s))
	return s
}

// requireOneEventAVersion holds the outbox against the saga.
func (b *bundle) requireOneEventAVersion() {
	b.t.Helper()
	var version, events, last int
	require.NoError(b.t, b.super.QueryRow(b.t.Context(), `select s.version, count(e.*), max(e.version)
		from app.saga s join app.saga_event e on e.saga_id = s.id where s.id = $1 group by 1`, b.saga).Scan(&version, &events, &last))
	require.Equal(b.t, version, events)
	require.Equal(b.t, version, last)
}

func TestADoIsIntendedNotedAndSettledOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("authorize", step.Compensatable)
	first := b.intend(c, step.Do)
	require.Equal(t, step.Proceed, first.Verdict)
	require.Equal(t, 1, first.Record.Attempt)
	require.Equal(t, int64(150000), first.Order.Amount)
	require.Equal(t, 1, first.Done["authorize"].Attempt)
	require.NoError(t, b.Note(t.Context(), c, step.Do, map[string]string{"intent_id": "pi_1"}))

	again := b.intend(c, step.Do)
	require.Equal(t, step.Proceed, again.Verdict)
	require.Equal(t, 2, again.Record.Attempt)
	require.JSONEq(t, `{"intent_id":"pi_1"}`, string(again.Record.Result))
	epoch, err := b.NextEpoch(t.Context(), c, step.Do)
	require.NoError(t, err)
	require.Equal(t, 1, epoch)

	hold := ledgertest.Transfer(ledger.TransactionID(b.saga, "authorize", "hold"), ledger.StripeClearing, ledger.CustomerDeposits, 150000)
	s := step.Settlement{Status: step.Succeeded, Result: map[string]string{"charge": "ch_1"}, Postings: []ledger.Transaction{hold}}
	require.NoError(t, b.Settle(t.Context(), c, step.Do, s))
	require.NoError(t, b.Settle(t.Context(), c, step.Do, s), "settling again is a no-op")
	s.Status = step.RefusedAs
	require.ErrorIs(t, b.Settle(t.Context(), c, step.Do, s), sagabook.ErrSettledOtherwise)

	done := b.intend(c, step.Do)
	require.Equal(t, step.Settled, done.Verdict)
	require.JSONEq(t, `{"intent_id":"pi_1","charge":"ch_1"}`, string(done.Record.Result))
	var n int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(*) from ledger.journal`).Scan(&n))
	require.Equal(t, 1, n)
	b.requireOneEventAVersion()
}

func TestARefusedPostingLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("authorize", step.Compensatable)
	b.intend(c, step.Do)
	bad := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5)
	bad.Entries[0].Amount++
	good := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5)
	err := b.Settle(t.Context(), c, step.Do, step.Settlement{Status: step.Succeeded, Postings: []ledger.Transaction{good, bad}})
	var refused *sagabook.PostingError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "unbalanced", refused.Outcome)
	require.Equal(t, step.Proceed, b.intend(c, step.Do).Verdict, "the step is not settled")
	var n int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(*) from ledger.journal`).Scan(&n))
	require.Zero(t, n)
	b.requireOneEventAVersion()
}

func TestAnUndoThatComesFirstRefusesALateDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("flight", step.Compensatable)
	require.Equal(t, step.NothingToUndo, b.intend(c, step.Undo).Verdict)
	require.Equal(t, step.Settled, b.intend(c, step.Undo).Verdict)
	require.Equal(t, step.Dangling, b.intend(c, step.Do).Verdict)
	b.requireOneEventAVersion()
}

func TestAnUndoOvertakesADoWhoseOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("flight", step.Compensatable)
	b.intend(c, step.Do)
	require.NoError(t, b.Note(t.Context(), c, step.Do, map[string]string{"ref": "r1"}))
	undo := b.intend(c, step.Undo)
	require.Equal(t, step.Proceed, undo.Verdict)
	require.JSONEq(t, `{"ref":"r1"}`, string(undo.Done["flight"].Result), "the undo reads what the do noted")
	require.ErrorIs(t, b.Settle(t.Context(), c, step.Do, step.Settlement{Status: step.Succeeded}), step.ErrAbandoned)
	require.ErrorIs(t, b.Note(t.Context(), c, step.Do, 1), step.ErrAbandoned)
	require.Equal(t, 2, b.intend(c, step.Undo).Record.Attempt)
	require.NoError(t, b.Settle(t.Context(), c, step.Undo, step.Settlement{Status: step.Succeeded}))
	require.Equal(t, step.Dangling, b.intend(c, step.Do).Verdict)
	b.requireOneEventAVersion()
}

func TestARefusedDoHasNothingToUndo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("hotel", step.Compensatable)
	b.intend(c, step.Do)
	refused := &step.Refused{Code: "sold_out", Message: "No room is left."}
	require.NoError(t, b.Settle(t.Context(), c, step.Do, step.Settlement{Status: step.RefusedAs, Failure: refused}))
	require.Equal(t, refused, b.intend(c, step.Do).Record.Failure)
	require.Equal(t, step.NothingToUndo, b.intend(c, step.Undo).Verdict)
}

func TestMistakesOfTheCallerAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.call("hotel", step.Compensatable)
	require.ErrorIs(t, b.Note(t.Context(), c, step.Do, 1), sagabook.ErrNoIntent)
	require.ErrorIs(t, b.Settle(t.Context(), c, step.Do, step.Settlement{Status: step.Succeeded}), sagabook.ErrNoIntent)
	require.ErrorIs(t, b.Settle(t.Context(), c, step.Do, step.Settlement{Status: step.Skipped}), sagabook.ErrSettlement)
	c.Tenant = b.db.Tenant()
	_, err := b.Intend(t.Context(), c, step.Do)
	require.ErrorIs(t, err, sagabook.ErrNoSaga, "another tenant's saga is not there")
}

// The cancel route's update and the pivot's intent: one of them wins, whatever
// the timing.
func TestCancelAndPivotExcludeEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	api := b.db.Pool("app_api")
	for i := range 25 {
		b.saga = b.accept("race-" + string(rune('a'+i)))
		saga := b.saga
		var cancelled, passed atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Add(2)
			go func() {
				defer wg.Done()
				err := pgx.BeginFunc(t.Context(), api, func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), `select set_config('app.tenant', $1, true)`, b.tenant.String()); err != nil {
						return err
					}
					tag, err := tx.Exec(t.Context(), `update app.saga set cancel_requested_at = clock_timestamp() where id = $1 and pivot_at is null`, saga)
					if tag.RowsAffected() > 0 {
						cancelled.Store(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}()
			go func() {
				defer wg.Done()
				intent, err := b.Intend(t.Context(), step.Call{Tenant: b.tenant, Saga: saga, Step: "capture", Ordinal: 5, Class: step.Pivot}, step.Do)
				if err != nil {
					t.Error(err)
				}
				if intent.Verdict == step.Proceed {
					passed.Store(1)
				}
			}()
		}
		wg.Wait()
		require.Equal(t, int64(1), cancelled.Load()+passed.Load(), "exactly one wins")
	}
}

func TestACancelStopsWhatCanStillBeStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	running := b.call("authorize", step.Compensatable)
	b.intend(running, step.Do)
	_, err := b.super.Exec(t.Context(), `update app.saga set cancel_requested_at = now() where id = $1`, b.saga)
	require.NoError(t, err)
	require.Equal(t, step.Cancelled, b.intend(running, step.Do).Verdict)
	require.Equal(t, step.Cancelled, b.intend(b.call("flight", step.Compensatable), step.Do).Verdict)
	require.Equal(t, step.Cancelled, b.intend(b.call("capture", step.Pivot), step.Do).Verdict)
	require.Equal(t, step.Proceed, b.intend(running, step.Undo).Verdict)
}

func TestASagaEndsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	resume, err := b.Begin(ctx, b.tenant, b.saga, "run-1")
	require.NoError(t, err)
	require.Equal(t, activities.Resume{Mode: activities.ModeForward}, resume)
	require.Equal(t, "running", b.status())
	c := b.call("authorize", step.Compensatable)
	b.intend(c, step.Do)
	end := activities.End{Status: activities.Completed}
	require.ErrorIs(t, b.Finish(ctx, b.tenant, b.saga, end), activities.ErrUnsettled)
	require.NoError(t, b.Settle(ctx, c, step.Do, step.Settlement{Status: step.Succeeded}))
	end.Postings = []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.BookingRevenue, 150000)}
	require.NoError(t, b.Finish(ctx, b.tenant, b.saga, end))
	require.NoError(t, b.Finish(ctx, b.tenant, b.saga, end), "finishing again is a no-op")
	require.ErrorIs(t, b.Finish(ctx, b.tenant, b.saga, activities.End{Status: activities.Rejected}), activities.ErrEndedOtherwise)
	_, err = b.Intend(ctx, c, step.Undo)
	require.ErrorIs(t, err, sagabook.ErrFinished)
	resume, err = b.Begin(ctx, b.tenant, b.saga, "run-2")
	require.NoError(t, err)
	require.Equal(t, activities.ModeFinished, resume.Mode)
	b.requireOneEventAVersion()
}

func TestALostWorkflowCompensatesBeforeThePivotAndGoesOnAfterIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	_, err := b.Begin(ctx, b.tenant, b.saga, "run-1")
	require.NoError(t, err)
	lost := b.saga
	passed := b.accept("A-2")
	b.saga = passed
	_, err = b.Begin(ctx, b.tenant, passed, "run-1")
	require.NoError(t, err)
	b.intend(b.call("capture", step.Pivot), step.Do)

	for range 2 { // a run that asks again gets the same answer
		resume, err := b.Begin(ctx, b.tenant, lost, "run-2")
		require.NoError(t, err)
		require.Equal(t, activities.Resume{Mode: activities.ModeCompensate, Recovery: true}, resume)
		resume, err = b.Begin(ctx, b.tenant, passed, "run-2")
		require.NoError(t, err)
		require.Equal(t, activities.Resume{Mode: activities.ModeForward, Recovery: true, PivotPassed: true}, resume)
	}
}

func TestAttentionIsResolvedByTwoPeopleOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	c := b.call("hotel", step.Compensatable)
	b.intend(c, step.Do)
	require.NoError(t, b.Settle(ctx, c, step.Do, step.Settlement{Status: step.Succeeded}))
	require.NoError(t, b.Compensating(ctx, b.tenant, b.saga, &activities.Failure{Code: "sold_out", Message: "m", Step: "car"}))
	require.NoError(t, b.Compensating(ctx, b.tenant, b.saga, &activities.Failure{Code: "other", Message: "m"}))
	b.intend(c, step.Undo)
	require.NoError(t, b.Attention(ctx, c, step.Undo, "the hotel does not answer"))
	require.NoError(t, b.Attention(ctx, c, step.Undo, "the hotel does not answer"))
	require.Equal(t, "attention", b.status())

	approve := func(id, action, name, decision string) {
		payload, err := json.Marshal(map[string]string{"action": action, "step": name})
		require.NoError(t, err)
		var checker, at any
		var decided any
		if decision != "" {
			checker, at, decided = "checker0"+id[4:5], "now", decision
		}
		_, err = b.super.Exec(ctx, `insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, checker, decision, decided_at, expires_at)
			values ($1, $2, 'saga.resolve', $3, $4, '\x00', 'r', 'maker', $5, $6, $7::text::timestamptz, now() + interval '1 day')`,
			b.tenant, id, b.saga, payload, checker, decided, at)
		require.NoError(t, err)
		_, err = b.super.Exec(ctx, `insert into app.api_key (id, tenant_id, role, name, secret_sha256) values ($1, $2, 'operator', $1, sha256(''))`, "checker0"+id[4:5], b.tenant)
		require.NoError(t, err)
		_, err = b.super.Exec(ctx, `insert into app.approval_decision (tenant_id, approval_id, maker, expires_at, checker, role, decision, payload_sha256)
			select tenant_id, id, maker, expires_at, checker, 'operator', decision, payload_sha256 from app.approval where id = $1 and checker is not null`, id)
		require.NoError(t, err)
	}
	id := func(n byte) string { return "apr_" + strings.Repeat(string(n), 26) }
	approve(id('1'), "done_by_hand", "hotel", "rejected")
	approve(id('2'), "done_by_hand", "car", "approved")
	approve(id('3'), "retry", "hotel", "approved")
	approve(id('4'), "done_by_hand", "hotel", "")
	approve(id('5'), "done_by_hand", "hotel", "approved")
	approve(id('7'), "done_by_hand", "hotel", "approved")
	_, err := b.super.Exec(ctx, `update app.api_key set revoked_at = clock_timestamp() where id = 'checker07'`)
	require.NoError(t, err)
	for _, n := range []byte("123467") {
		require.ErrorIs(t, b.ResolveByHand(ctx, c, step.Undo, id(n)), activities.ErrApproval, "%c", n)
	}
	require.NoError(t, b.ResolveByHand(ctx, c, step.Undo, id('5')))
	require.NoError(t, b.ResolveByHand(ctx, c, step.Undo, id('5')), "again is a no-op")
	require.NoError(t, b.Resumed(ctx, b.tenant, b.saga))
	require.Equal(t, "compensating", b.status())
	require.NoError(t, b.Finish(ctx, b.tenant, b.saga, activities.End{Status: activities.Compensated}))
	var code string
	require.NoError(t, b.super.QueryRow(ctx, `select failure ->> 'code' from app.saga where id = $1`, b.saga).Scan(&code))
	require.Equal(t, "sold_out", code, "the first failure stands")
	b.requireOneEventAVersion()
}

func BenchmarkIntendSettle(b *testing.B) {
	db := pgtest.New(b)
	pool := db.Pool("app_worker")
	book, tenant := sagabook.New(pool, postgres.New(pool), nil), db.Tenant()
	ctx := b.Context()
	super := db.Super()
	for b.Loop() {
		id := "sg_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26]
		_, err := super.Exec(ctx, `insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, created_by)
			values ($1, $2, 'booking', $2, 150000, 'usd', '{}', '{}', 'key')`, tenant, id)
		require.NoError(b, err)
		c := step.Call{Tenant: tenant, Saga: id, Step: "flight", Ordinal: 1, Class: step.Compensatable}
		_, err = book.Intend(ctx, c, step.Do)
		require.NoError(b, err)
		require.NoError(b, book.Settle(ctx, c, step.Do, step.Settlement{Status: step.Succeeded}))
	}
}
