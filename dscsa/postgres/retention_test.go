package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/seal"
)

var longAgo = time.Date(2015, 3, 1, 0, 0, 0, 0, time.UTC)

// archive is custody with two people who may let records go.
type archive struct {
	*custody
	maker, checker auth.Key
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{custody: setup(t)}
	conn, err := pgx.Connect(t.Context(), a.db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for role, k := range map[string]*auth.Key{"operator": &a.maker, "recall_operator": &a.checker} {
		*k, err = auth.NewKey("test")
		require.NoError(t, err)
		require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: k.ID, Tenant: a.tenant, Role: role, Name: role, SecretSHA256: k.Digest}))
	}
	return a
}

// api runs fn as the API's role.
func (a *archive) api(t *testing.T, fn func(ctx context.Context, tx pgx.Tx) error) error {
	t.Helper()
	return pgtenant.Tx(t.Context(), a.db.Pool("app_api"), a.tenant, fn)
}

// agreed has the two agree on something, and does it in the transaction that
// uses the approval up.
func (a *archive) agreed(t *testing.T, action string, payload map[string]any, do func(ctx context.Context, tx pgx.Tx, x postgres.Approved) error) error {
	t.Helper()
	payload["reason"] = "its time is over"
	raw, err := json.Marshal(payload)
	require.NoError(t, err)
	x := postgres.Approved{Approval: "apr_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26], Maker: a.maker.ID, Checkers: []string{a.checker.ID}, Reason: "its time is over"}
	return a.api(t, func(ctx context.Context, tx pgx.Tx) error {
		ask := func(want, sql string, args ...any) error {
			var said string
			err := tx.QueryRow(ctx, sql, args...).Scan(&said)
			if err == nil && said != want {
				err = fmt.Errorf("%s: %s", sql, said)
			}
			return err
		}
		err := ask("proposed", `select app.propose($1, $2, $3, $4, $5, $6, $7, 'r', null)`, a.tenant, a.maker.ID, a.maker.Digest[:], x.Approval, action, x.Approval, string(raw))
		if err == nil {
			err = ask("approved", `select app.decide($1, $2, $3, $4, 'approved')`, a.tenant, a.checker.ID, a.checker.Digest[:], x.Approval)
		}
		if err == nil {
			err = tx.QueryRow(ctx, `select payload from app.approval where id = $1`, x.Approval).Scan(&x.Payload)
		}
		digest := sha256.Sum256(x.Payload)
		if err == nil {
			err = ask("consumed", `select app.consume_approval($1, $2, $3, $4)`, a.tenant, x.Approval, action, digest[:])
		}
		if err != nil {
			return err
		}
		return do(ctx, tx, x)
	})
}

// order has a purge ordered of all that is over today.
func (a *archive) order(t *testing.T) (out postgres.Purge) {
	t.Helper()
	now, err := a.store.Retention(t.Context(), a.tenant, time.Time{})
	require.NoError(t, err)
	require.NoError(t, a.agreed(t, "custody.purge", map[string]any{"before": now.Before.Format(time.DateOnly), "up_to": now.UpTo, "documents": now.Documents, "bytes": now.Bytes},
		func(ctx context.Context, tx pgx.Tx, x postgres.Approved) error {
			out, err = a.store.OrderPurgeTx(ctx, tx, a.tenant, x)
			return err
		}))
	return out
}

func (a *archive) purge(t *testing.T, order int64) (out postgres.Purge, err error) {
	t.Helper()
	err = a.api(t, func(ctx context.Context, tx pgx.Tx) error {
		out, err = a.store.PurgeTx(ctx, tx, a.tenant, order, a.maker.ID)
		return err
	})
	return out, err
}

// keep says from when on a document is kept; the zero time: not known yet.
func (a *archive) keep(t *testing.T, document int64, class string, from time.Time) {
	t.Helper()
	var on *time.Time
	if !from.IsZero() {
		on = &from
	}
	require.NoError(t, a.tx(t, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select custody.retain($1, c.id, $2, $3, $4) from custody.chain c`, a.tenant, document, class, on)
		return err
	}))
}

// old is a document of an event that was long ago, kept from then on.
func (a *archive) old(t *testing.T, name string, more ...epcis.Event) int64 {
	t.Helper()
	e := dscsatest.Ship(longAgo, maker, wholesaler, dscsatest.Unit(name))
	d := doc(name, append([]epcis.Event{e}, more...)...)
	d.raw = []byte(name)
	seq := a.record(t, d, dscsa.Accept).Document
	a.keep(t, seq, "K1", longAgo)
	return seq
}

func (a *archive) parts(t *testing.T, document int64) (n int) {
	t.Helper()
	require.NoError(t, a.db.Super().QueryRow(t.Context(), `select count(*) from custody.document_part where document = $1`, document).Scan(&n))
	return n
}

func (a *archive) legalHoldOn(t *testing.T, document int64) (h postgres.LegalHold) {
	t.Helper()
	require.NoError(t, a.tx(t, func(ctx context.Context, tx pgx.Tx) (err error) {
		h, err = a.store.LegalHoldTx(ctx, tx, a.tenant, document, "Cy Counsel", "subpoena 12")
		return err
	}))
	return h
}

func (a *archive) lift(t *testing.T, hold int64) error {
	t.Helper()
	return a.agreed(t, "custody.lift_legal_hold", map[string]any{"hold": hold}, func(ctx context.Context, tx pgx.Tx, x postgres.Approved) error {
		_, err := a.store.LiftLegalHoldTx(ctx, tx, a.tenant, hold, x)
		return err
	})
}

func TestRecordsGoWhenTheirTimeIsOverAndAnEntrySaysSo(t *testing.T) {
	t.Parallel()
	a, key := newArchive(t), logKey(t)
	over := []int64{a.old(t, "1"), a.old(t, "2")}
	kept := map[string]int64{
		"a later event":    a.old(t, "3", dscsatest.Receive(time.Now().AddDate(-5, 0, 0), wholesaler, dscsatest.Unit("3"))),
		"under legal hold": a.old(t, "4"),
		"a later class":    a.old(t, "5"),
		"an open class":    a.old(t, "6"),
		"nothing is known": a.record(t, doc("7", dscsatest.Ship(longAgo, maker, wholesaler, dscsatest.Unit("7"))), dscsa.Accept).Document,
		"not looked at":    a.record(t, doc("8", dscsatest.Ship(longAgo, maker, wholesaler, dscsatest.Unit("8"))), dscsa.Flag).Document,
	}
	legal := a.legalHoldOn(t, kept["under legal hold"])
	require.Equal(t, kept["under legal hold"], legal.Document)
	a.keep(t, kept["a later class"], "K3", time.Now().AddDate(-6, 0, 0).Truncate(24*time.Hour))
	a.keep(t, kept["an open class"], "K3", time.Time{})
	a.keep(t, kept["not looked at"], "K1", longAgo)

	now, err := a.store.Retention(t.Context(), a.tenant, time.Time{})
	require.NoError(t, err)
	require.Equal(t, int64(3), now.Documents, "those two, and the one that an event keeps")
	require.Equal(t, int64(2), now.Held)
	require.Equal(t, postgres.RetentionClass{Class: "K1", Records: 7, Over: 7}, now.Classes[0])
	require.Equal(t, postgres.RetentionClass{Class: "K3", Records: 2, Open: 1}, now.Classes[2])
	_, err = a.store.Retention(t.Context(), a.tenant, time.Now().AddDate(0, 0, 2))
	require.ErrorIs(t, err, postgres.ErrFuture)
	early, err := a.store.Retention(t.Context(), a.tenant, time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Zero(t, early.Documents, "on the last day they are kept")
	due, err := a.store.DocumentsDue(t.Context(), a.tenant, time.Time{}, 0, 10)
	require.NoError(t, err)
	going := map[int64]bool{}
	for _, d := range due {
		going[d.Seq] = d.Goes
	}
	require.Equal(t, map[int64]bool{
		over[0]: true, over[1]: true, kept["a later event"]: false, kept["under legal hold"]: false, kept["a later class"]: false,
		kept["an open class"]: false, kept["not looked at"]: false,
	}, going)
	require.Equal(t, "2021-03-01", due[0].KeptUntil.Format(time.DateOnly))

	order := a.order(t)
	later := a.old(t, "9") // recorded after it was approved
	require.Equal(t, []string{a.checker.ID}, order.ApprovedBy)
	require.Equal(t, a.maker.ID, order.OrderedBy)
	require.Equal(t, 1, a.parts(t, over[0]), "an order removes nothing yet")
	done, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.True(t, done.Done)
	require.Equal(t, int64(2), done.Documents)
	again, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.Equal(t, done, again, "done twice, nothing changes")
	for _, seq := range over {
		require.Zero(t, a.parts(t, seq))
	}
	for why, seq := range kept {
		require.Equal(t, 1, a.parts(t, seq), why)
	}
	require.Equal(t, 1, a.parts(t, later))
	_, err = a.purge(t, order.ID+1)
	require.ErrorIs(t, err, postgres.ErrNoSuchPurge)

	// The same bytes again are known, and stay gone.
	require.Equal(t, over[0], a.old(t, "1"))
	require.Zero(t, a.parts(t, over[0]))

	// When the hold is lifted by two people, the next order takes what it kept.
	require.NoError(t, a.lift(t, legal.ID))
	require.ErrorIs(t, a.lift(t, legal.ID), postgres.ErrNoSuchHold)
	list, err := a.store.LegalHolds(t.Context(), a.tenant, true, 0, 10)
	require.NoError(t, err)
	require.Empty(t, list)
	list, err = a.store.LegalHolds(t.Context(), a.tenant, false, 0, 10)
	require.NoError(t, err)
	require.Equal(t, a.maker.ID, list[0].LiftedBy)
	require.NotEmpty(t, list[0].LiftedUnder)
	second := a.order(t)
	done, err = a.purge(t, second.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), done.Documents)
	require.Zero(t, a.parts(t, kept["under legal hold"]))
	purges, err := a.store.Purges(t.Context(), a.tenant, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []int64{second.ID, order.ID}, []int64{purges[0].ID, purges[1].ID})

	a.seal(t, key)
	reports, found := a.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}})
	require.Empty(t, found, "a gap that is told is none")
	require.Equal(t, int64(4), reports[0].Purged)

	// Who has the bundle needs nothing else: what went, when, by whom, and under
	// which order, which says under which approval.
	auditor := postgres.New(a.db.Pool("auditor_ro"))
	places, err := auditor.PurgePlaces(t.Context(), uuid.NullUUID{UUID: a.tenant, Valid: true}, over[0])
	require.NoError(t, err)
	require.Len(t, places, 1)
	prove := func(seq int64) proof.DecisionFacts {
		made, err := auditor.Prove(t.Context(), a.tenant, seq)
		require.NoError(t, err)
		raw, err := json.Marshal(made)
		require.NoError(t, err)
		bundle, err := proof.ParseBundle(raw)
		require.NoError(t, err)
		facts, err := bundle.VerifyDecision(key.PublicKey)
		require.NoError(t, err)
		for i := range bundle.Content {
			bundle.Content[i] ^= 1
			_, err := bundle.VerifyDecision(key.PublicKey)
			require.Error(t, err, "byte %d", i)
			bundle.Content[i] ^= 1
		}
		_, err = bundle.Verify(key.PublicKey)
		require.Error(t, err, "it is no event")
		bundle.Format = proof.BundleFormat
		_, err = bundle.Verify(key.PublicKey)
		require.Error(t, err, "and does not become one")
		return facts
	}
	went, ordered := prove(places[0].Seq), prove(order.ID)
	require.Equal(t, "purged", went.Kind)
	require.Equal(t, a.maker.ID, went.Actor)
	require.Contains(t, string(went.Body), fmt.Sprintf(`"order":%d`, order.ID))
	require.Contains(t, string(went.Body), fmt.Sprintf("%x", sha256.Sum256([]byte("1"))))
	require.Equal(t, "purge_ordered", ordered.Kind)
	require.Contains(t, string(ordered.Body), order.Approval)
	require.Contains(t, string(ordered.Body), a.checker.ID)
}

// A round takes so many; two who carry the same order out follow one another.
func TestAPurgeGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i := range 203 {
		a.old(t, fmt.Sprint(i))
	}
	order := a.order(t)
	first, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.False(t, first.Done)
	require.Equal(t, int64(200), first.Documents)
	a.verify(t)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			_, err := a.purge(t, order.ID)
			assertNoError(t, err)
		})
	}
	both.Wait()
	rest, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.True(t, rest.Done)
	require.Equal(t, int64(203), rest.Documents)
	a.verify(t)
}

// A hold and a purge at once: whichever was first, it holds.
func TestAHoldAndAPurgeAtOnceFollowOneAnother(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i := range 5 {
		document := a.old(t, fmt.Sprint(i))
		order := a.order(t)
		pool := a.db.Pool("app_worker")
		var both sync.WaitGroup
		both.Go(func() {
			_, err := a.purge(t, order.ID)
			assertNoError(t, err)
		})
		both.Go(func() {
			assertNoError(t, pgtenant.Tx(t.Context(), pool, a.tenant, func(ctx context.Context, tx pgx.Tx) error {
				_, err := a.store.LegalHoldTx(ctx, tx, a.tenant, document, "Cy Counsel", "subpoena 12")
				return err
			}))
		})
		both.Wait()
		held, err := a.store.LegalHolds(t.Context(), a.tenant, true, 0, 1)
		require.NoError(t, err)
		require.Equal(t, document, held[0].Document)
		var told *int64
		require.NoError(t, a.db.Super().QueryRow(t.Context(), `select max(decision) from custody.purged where document = $1`, document).Scan(&told))
		require.Equal(t, told == nil, a.parts(t, document) == 1)
		require.True(t, told == nil || *told < held[0].ID, "what was held before it was purged is there")
	}
	a.verify(t)
}

// A round ends with the document that fills it, and the next goes on after it.
func TestARoundIsNoLongerThanSoManyBytes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i := range 3 {
		d := doc(fmt.Sprint(i), dscsatest.Ship(longAgo, maker, wholesaler, dscsatest.Unit(fmt.Sprint(i))))
		d.raw = bytes.Repeat([]byte{byte('a' + i)}, 9<<20)
		a.keep(t, a.record(t, d, dscsa.Accept).Document, "K1", longAgo)
	}
	order := a.order(t)
	first, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), first.Documents)
	require.False(t, first.Done)
	rest, err := a.purge(t, order.ID)
	require.NoError(t, err)
	require.Equal(t, int64(3), rest.Documents)
	require.Equal(t, int64(27<<20), rest.Bytes)
	require.True(t, rest.Done)
	a.verify(t)
}

func assertNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// The database itself refuses, whatever the program that asks was made to say.
func TestTheDatabaseKeepsWhatIsToBeKept(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	held, free, recent := a.old(t, "1"), a.old(t, "2"), a.record(t, doc("3", dscsatest.Ship(began, maker, wholesaler, dscsatest.Unit("3"))), dscsa.Accept).Document
	a.keep(t, recent, "K1", longAgo) // a lie: its event says otherwise
	legal := a.legalHoldOn(t, held)
	order := a.order(t)
	late := a.old(t, "4")
	fact := func(seq int64) string {
		var sum, until string
		var size int64
		require.NoError(t, a.db.Super().QueryRow(t.Context(), `
			select encode(d.sha256, 'hex'), d.size, coalesce(custody.kept_until(d.chain_id, d.seq)::text, '2021-03-01') from custody.document d where d.seq = $1`, seq).Scan(&sum, &size, &until))
		return fmt.Sprintf(`{"seq":%d,"sha256":"%s","size":%d,"kept_until":"%s"}`, seq, sum, size, until)
	}
	purge := func(order int64, documents string) error {
		return a.api(t, func(ctx context.Context, tx pgx.Tx) error {
			id, err := a.store.DecideTx(ctx, tx, a.tenant, "purged", "mallory", "r", fmt.Sprintf(`{"order":%d,"documents":[%s]}`, order, documents))
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `select custody.purge($1, c.id, $2, $3, 0, false) from custody.chain c`, a.tenant, order, id)
			return err
		})
	}
	refused := func(name, constraint, code string, err error) {
		t.Helper()
		var no *pgconn.PgError
		require.ErrorAs(t, err, &no, name)
		require.Equal(t, constraint+" "+code, no.ConstraintName+" "+no.Code, "%s: %s", name, no.Message)
	}
	refused("under legal hold", "", "CU001", purge(order.ID, fact(held)))
	refused("inside six years", "retention_is_over", "CU003", purge(order.ID, fact(recent)))
	refused("recorded after the order", "retention_is_over", "CU003", purge(order.ID, fact(late)))
	refused("no order", "purge_order_is_there", "CU003", purge(free, fact(free)))
	refused("another's hash", "", "CU001", purge(order.ID, `{"seq":`+fmt.Sprint(free)+fact(recent)[8:]))
	refused("no document", "", "CU001", purge(order.ID, `{"seq":2,"sha256":"00","size":1,"kept_until":"2021-03-01"}`))
	refused("twice in one", "purged_once", "23505", purge(order.ID, fact(free)+","+fact(free)))

	// An order or a lifting takes an approval that is used up right here, for
	// just this, by just these.
	today := time.Now().UTC().Format(time.DateOnly)
	decide := func(kind, actor, reason, body, door string) func(ctx context.Context, tx pgx.Tx) error {
		return func(ctx context.Context, tx pgx.Tx) error {
			id, err := a.store.DecideTx(ctx, tx, a.tenant, kind, actor, reason, body)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, door, a.tenant, id)
			return err
		}
	}
	const ordering, lifting = `select custody.order_purge($1, c.id, $2) from custody.chain c`, `select custody.put_legal_hold($1, c.id, $2, null, (select min(id) from custody.legal_hold)) from custody.chain c`
	body := func(approval, by, rest string) string {
		return `{"approval_id":"` + approval + `","approved_by":["` + by + `"],` + rest + `}`
	}
	this := fmt.Sprintf(`"before":"%s","up_to":1`, today)
	that := fmt.Sprintf(`"hold":%d`, legal.ID)
	refused("an order by nobody", "decision_approval_holds", "42501",
		a.api(t, decide("purge_ordered", a.maker.ID, "r", body("apr_none", a.checker.ID, this), ordering)))
	refused("a lifting by nobody", "decision_approval_holds", "42501",
		a.api(t, decide("legal_hold_lifted", a.maker.ID, "r", body("apr_none", a.checker.ID, that), lifting)))
	var used postgres.Approved
	require.NoError(t, a.agreed(t, "custody.purge", map[string]any{"before": today, "up_to": 1}, func(_ context.Context, _ pgx.Tx, x postgres.Approved) error {
		used = x
		return nil
	}))
	refused("an approval of another transaction", "decision_approval_holds", "42501",
		a.api(t, decide("purge_ordered", used.Maker, used.Reason, body(used.Approval, a.checker.ID, this), ordering)))
	for name, x := range map[string]struct {
		action, kind, door string
		payload            map[string]any
		actor, by, rest    string
	}{
		"another day":         {"custody.purge", "purge_ordered", ordering, map[string]any{"before": "2021-01-01", "up_to": 1}, a.maker.ID, a.checker.ID, this},
		"more documents":      {"custody.purge", "purge_ordered", ordering, map[string]any{"before": today, "up_to": 0}, a.maker.ID, a.checker.ID, this},
		"another maker":       {"custody.purge", "purge_ordered", ordering, map[string]any{"before": today, "up_to": 1}, "mallory", a.checker.ID, this},
		"another checker":     {"custody.purge", "purge_ordered", ordering, map[string]any{"before": today, "up_to": 1}, a.maker.ID, "mallory", this},
		"another action":      {"custody.purge", "legal_hold_lifted", lifting, map[string]any{"hold": legal.ID}, a.maker.ID, a.checker.ID, that},
		"another legal hold":  {"custody.lift_legal_hold", "legal_hold_lifted", lifting, map[string]any{"hold": legal.ID + 1}, a.maker.ID, a.checker.ID, that},
		"another one's words": {"custody.lift_legal_hold", "purge_ordered", ordering, map[string]any{"hold": legal.ID}, a.maker.ID, a.checker.ID, this},
	} {
		err := a.agreed(t, x.action, x.payload, func(ctx context.Context, tx pgx.Tx, y postgres.Approved) error {
			return decide(x.kind, x.actor, y.Reason, body(y.Approval, x.by, x.rest), x.door)(ctx, tx)
		})
		refused(name, "decision_approval_holds", "42501", err)
	}
	err := a.agreed(t, "custody.purge", map[string]any{"before": time.Now().UTC().AddDate(0, 0, 2).Format(time.DateOnly), "up_to": 1}, func(ctx context.Context, tx pgx.Tx, x postgres.Approved) error {
		_, err := a.store.OrderPurgeTx(ctx, tx, a.tenant, x)
		return err
	})
	require.ErrorIs(t, err, postgres.ErrFuture)
	_, err = a.db.Pool("app_worker").Exec(t.Context(), `select custody.purge($1, 1, 1, 1, 1, false)`, a.tenant)
	refused("the worker", "", "42501", err)

	// Nor does the owner of the tables get round it, who can open the doors.
	owner := func(sql string) error {
		return pgtenant.Tx(t.Context(), a.db.Super(), a.tenant, func(ctx context.Context, tx pgx.Tx) error {
			for _, s := range []string{`set local role custody_owner`, `select set_config('custody.door', 'open', true), set_config('custody.purge', '` + fmt.Sprint(held) + `', true)`, sql} {
				if _, err := tx.Exec(ctx, s); err != nil {
					return err
				}
			}
			return errNothing
		})
	}
	refused("the bytes", "", "42501", owner(`delete from custody.document_part where document = `+fmt.Sprint(held)))
	refused("the list of what is gone", "retention_is_over", "CU003", owner(fmt.Sprintf(`insert into custody.purged select id, %d, %d, 1 from custody.chain`, held, order.ID)))
	refused("an order of its own", "retention_is_over", "CU003", owner(fmt.Sprintf(
		`with o as (insert into custody.purge_order (chain_id, id, before, up_to) select id, 99, 'infinity', 98 from custody.chain returning *) insert into custody.purged select chain_id, %d, id, 1 from o`, recent)))
	require.Equal(t, []int{1, 1, 1, 1}, []int{a.parts(t, held), a.parts(t, free), a.parts(t, recent), a.parts(t, late)})
	a.verify(t)
}

// Who takes the guards away and lets records go is found, also with what tells
// of it made up.
func TestWhatWentUnlawfullyIsFound(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		attack func(a *archive, held, order, told int64) string
		says   string
	}{
		"no entry": {func(_ *archive, held, _, _ int64) string {
			return fmt.Sprintf(`delete from custody.document_part where document = %d`, held)
		}, "no entry says so"},
		"an entry that does not name it": {func(_ *archive, held, order, told int64) string {
			return fmt.Sprintf(`delete from custody.document_part where document = %d; insert into custody.purged select id, %d, %d, %d from custody.chain`, held, held, order, told)
		}, "no entry says so"},
		"its dates edited, and no entry": {func(_ *archive, held, _, _ int64) string {
			return fmt.Sprintf(`update custody.retention set starts_on = '1990-01-01'; delete from custody.document_part where document = %d`, held)
		}, "no entry says so"},
		"the legal hold forgotten": {func(*archive, int64, int64, int64) string {
			return `delete from custody.legal_hold`
		}, "the legal hold does not stand"},
		"the legal hold lifted by nobody": {func(*archive, int64, int64, int64) string {
			return `update custody.legal_hold set lifted = 1`
		}, "the legal hold does not stand"},
		"the order widened": {func(*archive, int64, int64, int64) string {
			return `update custody.purge_order set before = before + 1`
		}, "the order to purge of entry"},
		"bytes put back": {func(*archive, int64, int64, int64) string {
			return `insert into custody.document_part select chain_id, document, 0, '3' from custody.purged`
		}, "the document's bytes are not those"},
		"the list of what is gone forgotten": {func(*archive, int64, int64, int64) string {
			return `delete from custody.purged`
		}, "no entry says so"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			gone, held := a.old(t, "1"), a.old(t, "2")
			a.legalHoldOn(t, held)
			order := a.order(t)
			_, err := a.purge(t, order.ID)
			require.NoError(t, err)
			require.Zero(t, a.parts(t, gone))
			a.verify(t)
			a.attack(t, x.attack(a, held, order.ID, order.ID+1))
			_, err = a.store.Verify(t.Context(), a.tenant)
			require.ErrorContains(t, err, x.says)
		})
	}
}

// What was let go by the doors alone while the guards were away makes a chain
// that agrees with itself, and is refused for what it says.
func TestAnUnlawfulPurgeIsProvedByTheChainItself(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{"a legal hold": "kept it", "inside six years": "six years were not over"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			victim := a.old(t, "1")
			recent := a.record(t, doc("3", dscsatest.Ship(began, maker, wholesaler, dscsatest.Unit("3"))), dscsa.Accept).Document
			a.legalHoldOn(t, victim)
			order := a.order(t)
			if name == "inside six years" {
				victim = recent
			}
			a.attack(t, `select 1`) // takes the triggers away
			require.NoError(t, a.api(t, func(ctx context.Context, tx pgx.Tx) error {
				var sum string
				err := tx.QueryRow(ctx, `select encode(sha256, 'hex') from custody.document where seq = $1`, victim).Scan(&sum)
				if err != nil {
					return err
				}
				_, err = a.store.DecideTx(ctx, tx, a.tenant, "purged", "mallory", "r",
					fmt.Sprintf(`{"order":%d,"documents":[{"seq":%d,"sha256":"%s","size":1,"kept_until":"2021-03-01"}]}`, order.ID, victim, sum))
				return err
			}))
			a.attack(t, fmt.Sprintf(`insert into custody.purged select id, %d, %d, seq from custody.chain; delete from custody.document_part where document = %d`, victim, order.ID, victim))
			_, err := a.store.Verify(t.Context(), a.tenant)
			require.ErrorContains(t, err, says)
		})
	}
}
