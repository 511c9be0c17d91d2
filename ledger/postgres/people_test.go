package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// An office is a tenant with people: a preparer and two reviewers, each with a
// key whose proof is the hash of its id.
type office struct {
	*testing.T
	db     *pgtest.DB
	sup    *pgxpool.Pool // as the superuser
	pool   *pgxpool.Pool // as the API
	store  *postgres.Store
	tenant uuid.UUID
	n      int
}

const (
	preparer = "preparer0"
	reviewer = "reviewer0"
	second   = "reviewer1"
)

func newOffice(t *testing.T) *office {
	t.Helper()
	db := pgtest.New(t)
	o := &office{T: t, db: db, sup: db.Super(), pool: db.Pool("app_api"), tenant: db.Tenant()}
	o.store = postgres.New(o.pool)
	for id, role := range map[string]string{preparer: "finance_preparer", reviewer: "finance_reviewer", second: "finance_reviewer"} {
		o.super(`insert into app.api_key (id, tenant_id, role, name, secret_sha256) values ($1, $2, $3, $1, $4)`, id, o.tenant, role, proof(id))
	}
	return o
}

func proof(key string) []byte { sum := sha256.Sum256([]byte(key)); return sum[:] }

func (o *office) super(sql string, args ...any) {
	o.Helper()
	_, err := o.sup.Exec(o.Context(), sql, args...)
	require.NoError(o, err)
}

func (o *office) tx(fn func(ctx context.Context, tx pgx.Tx) error) error {
	return pgtenant.Tx(o.Context(), o.pool, o.tenant, fn)
}

// a payload of a journal that moves amount from cash to fees.
func payload(id uuid.UUID, amount int64, day string) map[string]any {
	return map[string]any{
		"entity": "main", "transaction_id": id, "effective_on": day, "reason": "bank fee", "document": "statement 7",
		"entries": []map[string]any{
			{"account": "5010", "side": "D", "amount": amount, "currency": "usd"},
			{"account": "1010", "side": "C", "amount": amount, "currency": "usd"},
		},
	}
}

// manual is the transaction of such a payload.
func manual(id uuid.UUID, amount int64, day, approval string) ledger.Transaction {
	t := ledgertest.Transfer(id, "5010", "1010", amount)
	t.Purpose, t.Actor, t.Reason, t.Document, t.Approval = "manual.journal", preparer, "bank fee", "statement 7", approval
	t.EffectiveOn, _ = time.Parse(time.DateOnly, day)
	return t
}

// propose records a proposal of the preparer and returns the approval.
func (o *office) propose(action, subject string, what any) string {
	o.Helper()
	o.n++
	id := fmt.Sprintf("apr_%026d", o.n)
	raw, err := json.Marshal(what)
	require.NoError(o, err)
	require.NoError(o, o.tx(func(ctx context.Context, tx pgx.Tx) error {
		var word string
		err := tx.QueryRow(ctx, `select app.propose($1, $2, $3, $4, $5, $6, $7, 'bank fee', null)`,
			o.tenant, preparer, proof(preparer), id, action, subject, raw).Scan(&word)
		if err == nil && word != "proposed" {
			err = errors.New(word)
		}
		return err
	}))
	return id
}

func (o *office) decide(key, id, decision string) (word string, err error) {
	err = o.tx(func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select app.decide($1, $2, $3, $4, $5)`, o.tenant, key, proof(key), id, decision).Scan(&word)
	})
	return word, err
}

func (o *office) approved(action, subject string, what any) string {
	o.Helper()
	id := o.propose(action, subject, what)
	word, err := o.decide(reviewer, id, "approved")
	require.NoError(o, err)
	require.Equal(o, "approved", word)
	return id
}

func consume(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, id, action string) error {
	var word string
	err := tx.QueryRow(ctx, `select app.consume_approval($1, $2, $3, (select payload_sha256 from app.approval where id = $2))`, tenant, id, action).Scan(&word)
	if err == nil && word != "consumed" {
		err = errors.New(word)
	}
	return err
}

// move carries out a move of a period in one transaction, as the API does.
func (o *office) move(action, period string) error {
	o.Helper()
	id := o.approved("period."+action, period, map[string]any{"entity": "main", "period": period})
	return o.apply("period."+action, id)
}

func (o *office) apply(action, id string) error {
	return o.tx(func(ctx context.Context, tx pgx.Tx) error {
		if err := consume(ctx, tx, o.tenant, id, action); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select ledger.apply_approved($1, $2)`, o.tenant, id)
		return err
	})
}

func (o *office) post(t ledger.Transaction) error {
	return o.tx(func(ctx context.Context, tx pgx.Tx) error { return o.postIn(ctx, tx, t) })
}

func (o *office) postIn(ctx context.Context, tx pgx.Tx, t ledger.Transaction) error {
	results, err := o.store.PostTx(ctx, tx, ledger.Main(o.tenant), []ledger.Transaction{t})
	if err != nil {
		return err
	}
	return results[0].Err()
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// What somebody could try who has the API's session but not two people. Every
// attempt leaves the books as they were.
func TestNobodyPostsWithoutTwoPeople(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	requirePosted(t, o.store, o.tenant, ledgertest.Transfer(uuid.New(), ledger.CashBank, ledger.CustomerDeposits, 700))
	id, day := uuid.New(), today()
	approval := o.approved("ledger.journal", "one", payload(id, 465, day))
	spare := o.approved("ledger.journal", "two", payload(uuid.New(), 465, day))
	with := func(change func(*ledger.Transaction)) ledger.Transaction {
		x := manual(id, 465, day, approval)
		change(&x)
		return x
	}
	// usedFor uses the approval up properly and then posts something else.
	usedFor := func(posts ...ledger.Transaction) func(ctx context.Context, tx pgx.Tx) error {
		return func(ctx context.Context, tx pgx.Tx) error {
			if err := consume(ctx, tx, o.tenant, approval, "ledger.journal"); err != nil {
				return err
			}
			for _, p := range posts {
				if err := o.postIn(ctx, tx, p); err != nil {
					return err
				}
			}
			return nil
		}
	}
	attempts := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"an approval that does not exist": func(ctx context.Context, tx pgx.Tx) error {
			return o.postIn(ctx, tx, manual(id, 465, day, "apr_none"))
		},
		"an approval that was not used": func(ctx context.Context, tx pgx.Tx) error {
			return o.postIn(ctx, tx, manual(id, 465, day, approval))
		},
		"another approval than was used": usedFor(manual(id, 465, day, spare)),
		"another amount":                 usedFor(manual(id, 466, day, approval)),
		"another day":                    usedFor(manual(id, 465, "2020-02-29", approval)),
		"another id":                     usedFor(manual(uuid.New(), 465, day, approval)),
		"twice":                          usedFor(manual(id, 465, day, approval), manual(uuid.New(), 465, day, approval)),
		"another account":                usedFor(with(func(x *ledger.Transaction) { x.Entries[1].Account = ledger.StripeClearing })),
		"the other way round": usedFor(with(func(x *ledger.Transaction) {
			x.Entries[0].Side, x.Entries[1].Side = ledger.Credit, ledger.Debit
		})),
		"another actor":    usedFor(with(func(x *ledger.Transaction) { x.Actor = reviewer })),
		"another reason":   usedFor(with(func(x *ledger.Transaction) { x.Reason = "bonus" })),
		"another document": usedFor(with(func(x *ledger.Transaction) { x.Document = "" })),
		"another purpose":  usedFor(with(func(x *ledger.Transaction) { x.Purpose = "manual.write_off" })),
		"not manual":       usedFor(with(func(x *ledger.Transaction) { x.Purpose = "booking.capture" })),
		"pending":          usedFor(with(func(x *ledger.Transaction) { x.Kind = ledger.Pending })),
		"of an order":      usedFor(with(func(x *ledger.Transaction) { x.OrderRef = "A-1" })),
		"of a saga":        usedFor(with(func(x *ledger.Transaction) { x.SagaID = "sg_1" })),
		"a reversal of something": usedFor(with(func(x *ledger.Transaction) {
			x.Reverses = uuid.New()
		})),
		"as another tenant when it is checked": func(ctx context.Context, tx pgx.Tx) error {
			if err := o.postIn(ctx, tx, manual(id, 465, day, approval)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, uuid.NewString())
			return err
		},
		"checked at once": func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set constraints all immediate`); err != nil {
				return err
			}
			return o.postIn(ctx, tx, manual(id, 465, day, approval))
		},
		"a journal as an account": func(ctx context.Context, tx pgx.Tx) error {
			if err := consume(ctx, tx, o.tenant, approval, "ledger.journal"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `select ledger.apply_approved($1, $2)`, o.tenant, approval)
			return err
		},
		"used as another action": func(ctx context.Context, tx pgx.Tx) error {
			return consume(ctx, tx, o.tenant, approval, "ledger.write_off")
		},
	}
	for name, sql := range map[string]string{
		"its own approval":           `insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, expires_at) values ('` + o.tenant.String() + `', 'apr_00000000000000000000000009', 'ledger.journal', 's', '{}', sha256(''), 'r', 'm', now())`,
		"its own decision":           `update app.approval set decision = 'approved', checker = 'x', decided_at = now()`,
		"its own use":                `update app.approval set consumed_xid = pg_current_xact_id(), consumed_at = now()`,
		"its own word":               `insert into app.approval_decision (tenant_id, approval_id, maker, expires_at, checker, role, decision, payload_sha256) select tenant_id, id, maker, expires_at, 'x', 'finance_reviewer', 'approved', payload_sha256 from app.approval`,
		"its own rule":               `update app.approval_rule set checkers = array['marketplace']`,
		"its own tier":               `delete from app.approval_tier`,
		"what was said":              `update app.approval_decision set decision = 'rejected'`,
		"forgetting":                 `delete from app.approval`,
		"a period without approval":  `select ledger.move_period('` + o.tenant.String() + `', 'main', '2026-10-01', 'closed', 'x', 'x')`,
		"an account without":         `select ledger.change_account('` + o.tenant.String() + `', 'main', '1010', 'usd', true, null, null)`,
		"an approval not used here":  `select ledger.apply_approved('` + o.tenant.String() + `', '` + approval + `')`,
		"reading what is used":       `select app.approval_used_here('` + o.tenant.String() + `', '` + approval + `')`,
		"its own period event":       `insert into ledger.period_event (book_id, period, version, event, approval_id, actor, seq, hash) values (1, '2026-10-01', 1, 'closed', 'x', 'x', 1, '')`,
		"its own totals":             `insert into ledger.period_total values (1, '2026-10-01', 1, 1, 1, 1)`,
		"another tenant's proposal":  `select app.propose('` + uuid.NewString() + `', 'x', '', 'apr_00000000000000000000000008', 'ledger.journal', 's', '{}', 'r', null)`,
		"another tenant's decision":  `select app.decide('` + uuid.NewString() + `', 'x', '', '` + approval + `', 'approved')`,
		"another tenant's execution": `select app.consume_approval('` + uuid.NewString() + `', '` + approval + `', 'ledger.journal', '')`,
	} {
		attempts[name] = func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, sql); return err }
	}
	for name, attempt := range attempts {
		err := o.tx(attempt)
		require.Error(t, err, name)
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			require.Equal(t, "42501", pg.Code, "%s: %v", name, err)
			continue
		}
		require.Contains(t, map[string]string{
			"a reversal of something": "ledger refused transaction " + id.String() + ": not_reversible", "used as another action": "not_found",
		}, name, "%v", err)
	}
	for key, digest := range map[string][]byte{reviewer: proof("guess"), "unknown00": proof("unknown00"), preparer: proof(preparer)} {
		other := o.fresh("ledger.journal", key)
		require.NoError(t, o.tx(func(ctx context.Context, tx pgx.Tx) error {
			var word string
			require.NoError(t, tx.QueryRow(ctx, `select app.decide($1, $2, $3, $4, 'approved')`, o.tenant, key, digest, other).Scan(&word))
			require.Equal(t, "not_allowed", word)
			return nil
		}))
	}
	var n int
	require.NoError(t, o.sup.QueryRow(t.Context(), `select count(*) from ledger.journal where approval_id is not null`).Scan(&n))
	require.Zero(t, n)
	requireSound(t, o.db)
}

// fresh is a proposal put by somebody's program, not counted by the office.
func (o *office) fresh(action, subject string) string {
	id := "apr_z" + fmt.Sprintf("%025d", time.Now().UnixNano())
	_, err := o.sup.Exec(o.Context(), `insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, expires_at)
		values ($1, $2, $3, $4, '{}', sha256('{}'), 'r', 'somebody', now() + interval '1 hour')`, o.tenant, id, action, subject)
	require.NoError(o, err)
	return id
}

// The worker posts for programs; it can use no approval.
func TestTheWorkerCannotPostForPeople(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := uuid.New()
	approval := o.approved("ledger.journal", "one", payload(id, 465, today()))
	_, err := postgres.New(o.db.Pool("app_worker")).Post(t.Context(), ledger.Main(o.tenant), []ledger.Transaction{manual(id, 465, today(), approval)})
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "journal_approval_holds", pg.ConstraintName)
	err = pgtenant.Tx(t.Context(), o.db.Pool("app_worker"), o.tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update app.approval set consumed_at = clock_timestamp() where id = $1`, approval)
		return err
	})
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "approval_money_used_by_the_ledger", pg.ConstraintName)

	// The same, properly.
	require.NoError(t, o.tx(func(ctx context.Context, tx pgx.Tx) error {
		if err := consume(ctx, tx, o.tenant, approval, "ledger.journal"); err != nil {
			return err
		}
		return o.postIn(ctx, tx, manual(id, 465, today(), approval))
	}))
	again := manual(id, 465, today(), approval)
	again.ID = uuid.New()
	require.Error(t, o.post(again), "in a later transaction it allows nothing")
	require.ErrorContains(t, o.tx(func(ctx context.Context, tx pgx.Tx) error {
		return consume(ctx, tx, o.tenant, approval, "ledger.journal")
	}), "already_used")
	requireSound(t, o.db)
}

// postApproved uses an approval up and posts, as the API does.
func (o *office) postApproved(t ledger.Transaction) error {
	return o.tx(func(ctx context.Context, tx pgx.Tx) error {
		if err := consume(ctx, tx, o.tenant, t.Approval, "ledger.journal"); err != nil {
			return err
		}
		return o.postIn(ctx, tx, t)
	})
}
