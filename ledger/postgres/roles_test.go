package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/internal/pgtenant"
)

// The model: what people may do to approvals, in a few lines that share nothing
// with the database's functions.
type modelKey struct {
	role string
	dead bool
}

type modelApproval struct {
	id, maker, decision string
	said                map[string]string
	transaction         uuid.UUID
	amount              int64
	needed              int
	expired, tampered   bool
	used                bool
}

type model struct {
	*office

	rt        *rapid.T
	keys      map[string]*modelKey
	approvals []*modelApproval
}

var (
	makers   = []string{"finance_preparer", "finance_reviewer"}
	checkers = []string{"finance_reviewer"}
	people   = []string{"personone0", "persontwo0", "personthree0", "personfour0"}
	anyRole  = []string{"finance_preparer", "finance_reviewer", "finance_reviewer", "operator", "marketplace"}
)

const tier = 1000

func (m *model) key() string { return rapid.SampledFrom(people).Draw(m.rt, "key") }

func (m *model) one() *modelApproval {
	if len(m.approvals) == 0 {
		m.rt.Skip("there is none yet")
	}
	return rapid.SampledFrom(m.approvals).Draw(m.rt, "approval")
}

func (m *model) may(key string, roles []string) bool {
	return !m.keys[key].dead && slices.Contains(roles, m.keys[key].role)
}

// word runs a function of the database that answers with a word.
func (m *model) word(sql string, args ...any) (word string, err error) {
	err = m.tx(func(ctx context.Context, tx pgx.Tx) error { return tx.QueryRow(ctx, sql, args...).Scan(&word) })
	return word, err
}

func (m *model) propose(*rapid.T) {
	key, amount := m.key(), rapid.SampledFrom([]int64{1, tier - 1, tier, tier + 1}).Draw(m.rt, "amount")
	a := &modelApproval{
		id: "apr_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26], maker: key, said: map[string]string{},
		transaction: uuid.New(), amount: amount, needed: 1,
	}
	if amount >= tier {
		a.needed = 2
	}
	word, err := m.word(`select app.propose($1, $2, $3, $4, 'ledger.journal', $5, $6, 'bank fee', null)`,
		m.tenant, key, proof(key), a.id, a.transaction.String(), payload(a.transaction, amount, today()))
	require.NoError(m.rt, err)
	if !m.may(key, makers) {
		require.Equal(m.rt, "not_allowed", word)
		return
	}
	require.Equal(m.rt, "proposed", word)
	m.approvals = append(m.approvals, a)
}

func (m *model) say(*rapid.T) {
	a, key := m.one(), m.key()
	what := rapid.SampledFrom([]string{"approved", "approved", "approved", "rejected"}).Draw(m.rt, "what")
	word, err := m.decide(key, a.id, what)
	switch {
	case a.decision != "" || a.expired:
		require.NoError(m.rt, err)
		require.Equal(m.rt, "already_decided", word)
	case !m.may(key, checkers):
		require.NoError(m.rt, err)
		require.Equal(m.rt, "not_allowed", word)
	case key == a.maker:
		var pg *pgconn.PgError
		require.ErrorAs(m.rt, err, &pg)
		require.Equal(m.rt, "approval_decision_two_people", pg.ConstraintName)
	case a.said[key] != "":
		require.NoError(m.rt, err)
		require.Equal(m.rt, "decided_before", word)
	default:
		require.NoError(m.rt, err)
		a.said[key] = what
		want := "counted"
		if what == "rejected" || len(a.said) >= a.needed {
			a.decision, want = what, what
		}
		require.Equal(m.rt, want, word)
	}
}

func (m *model) execute(*rapid.T) {
	a := m.one()
	t := manual(a.transaction, a.amount, today(), a.id)
	t.Actor = a.maker
	if a.tampered {
		t.Entries[0].Amount, t.Entries[1].Amount = 7_000_000, 7_000_000
	}
	err := m.tx(func(ctx context.Context, tx pgx.Tx) error {
		if err := consume(ctx, tx, m.tenant, a.id, "ledger.journal"); err != nil {
			return err
		}
		return m.postIn(ctx, tx, t)
	})
	want := ""
	switch {
	case a.used:
		want = "already_used"
	case a.decision != "approved":
		want = "not_approved"
	case a.expired:
		want = "expired"
	case a.tampered:
		want = "changed"
	default:
		for key := range a.said {
			if !m.may(key, checkers) {
				want = "approver_lost_role"
			}
		}
	}
	if want == "" {
		require.NoError(m.rt, err)
		a.used = true
		return
	}
	require.EqualError(m.rt, err, want)
}

// without consuming it, nothing can be posted whatever was decided.
func (m *model) skipTheApproval(*rapid.T) {
	a := m.one()
	t := manual(a.transaction, a.amount, today(), a.id)
	t.Actor = a.maker
	err := m.post(t)
	if a.used {
		require.NoError(m.rt, err, "the same again is there already")
		return
	}
	require.ErrorContains(m.rt, err, "is not what approval")
}

func (m *model) changeKey(*rapid.T) {
	key := m.key()
	k := m.keys[key]
	switch rapid.IntRange(0, 3).Draw(m.rt, "how") {
	case 0:
		k.dead = true
		m.super(`update app.api_key set revoked_at = clock_timestamp() where id = $1`, key)
	case 1:
		k.dead = true
		m.super(`update app.api_key set expires_at = clock_timestamp() where id = $1`, key)
	case 2:
		k.dead = false
		m.super(`update app.api_key set revoked_at = null, expires_at = null where id = $1`, key)
	default:
		k.role = rapid.SampledFrom(anyRole).Draw(m.rt, "role")
		m.super(`update app.api_key set role = $2 where id = $1`, key, k.role)
	}
}

func (m *model) outside(sql string, a *modelApproval) {
	tx, err := m.sup.Begin(m.Context())
	require.NoError(m.rt, err)
	defer func() { _ = tx.Rollback(m.Context()) }()
	_, err = tx.Exec(m.Context(), `select guard.open_maintenance('a test'); alter table app.approval disable trigger approval_guard`)
	require.NoError(m.rt, err)
	_, err = tx.Exec(m.Context(), sql, a.id)
	require.NoError(m.rt, err)
	_, err = tx.Exec(m.Context(), `alter table app.approval enable always trigger approval_guard`)
	require.NoError(m.rt, err)
	require.NoError(m.rt, tx.Commit(m.Context()))
}

func (m *model) tamper(*rapid.T) {
	if a := m.one(); !a.used {
		a.tampered = true
		m.outside(`update app.approval set payload = jsonb_set(jsonb_set(payload, '{entries,0,amount}', '7000000'), '{entries,1,amount}', '7000000') where id = $1`, a)
	}
}

func (m *model) expire(*rapid.T) {
	if a := m.one(); !a.used && len(a.said) == 0 {
		a.expired = true
		m.outside(`update app.approval set expires_at = clock_timestamp() where id = $1`, a)
	}
}

// Over any history of making, deciding, revoking keys, changing roles,
// expiring, tampering, executing and replaying, the database says what the
// model says, and the books hold what was executed, once each.
func TestApprovalsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	rapid.Check(t, func(rt *rapid.T) {
		tenant := o.db.Tenant()
		run := &office{T: t, db: o.db, sup: o.sup, pool: o.pool, store: o.store, tenant: tenant}
		m := &model{office: run, rt: rt, keys: map[string]*modelKey{}}
		run.super(`delete from app.api_key where id = any ($1)`, people)
		run.super(`insert into app.approval_tier (tenant_id, action, currency, from_amount) values ($1, 'ledger.journal', 'usd', $2)`, tenant, tier)
		for i, key := range people {
			m.keys[key] = &modelKey{role: []string{"finance_preparer", "finance_reviewer", "finance_reviewer", "finance_reviewer"}[i]}
			run.super(`insert into app.api_key (id, tenant_id, role, name, secret_sha256) values ($1, $2, $3, $1, $4)`, key, tenant, m.keys[key].role, proof(key))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"propose": m.propose, "decide": m.say, "decide again": m.say, "execute": m.execute, "execute again": m.execute,
			"skip the approval": m.skipTheApproval, "change a key": m.changeKey, "tamper": m.tamper, "expire": m.expire,
		})
		var posted, want int64
		for _, a := range m.approvals {
			if a.used {
				want += a.amount
			}
		}
		err := pgtenant.ReadTx(t.Context(), o.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
			return tx.QueryRow(ctx, `select coalesce(sum(debits_posted), 0) from ledger.trial_balance where code = '5010'`).Scan(&posted)
		})
		require.NoError(rt, err)
		require.Equal(rt, want, posted)
	})
	requireSound(t, o.db)
}
