package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/ledgertest/rewrite"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// F82: whoever has all rights on the database can switch every guard off, edit
// and switch them on again, and nothing in the rows says so. The audit does.

// sealedBook is a book of 620 transactions of every kind, sealed at 230, within
// the first tile, at 300 and at 600, so that two tiles are full and twenty
// transactions are not sealed. The
// first 300 count in last month, which is closed at the end.
type sealedBook struct {
	db   *pgtest.DB
	book ledger.Book
	key  *seal.Key
	kept []byte // the checkpoint at 600, which somebody has copied
}

const edited = 200 // the sequence most edits are made at

func newSealedBook(t *testing.T) sealedBook {
	t.Helper()
	db := pgtest.New(t)
	b := sealedBook{db: db, book: ledger.Main(db.Tenant()), key: newLogKey(t)}
	store := postgres.New(db.Pool("app_worker"))
	seals := postgres.NewSeals(db.Pool("sealer"))
	var batch []ledger.Transaction
	var first, hold ledger.Transaction
	for n := 1; n <= 620; n++ {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, int64(n))
		x.Document = fmt.Sprintf("pi_%d", n)
		switch n {
		case 1:
			first = x
		case 100, 500:
			x.Kind, hold = ledger.Pending, x
		case 130, 530:
			x = ledger.Transaction{ID: uuid.New(), Kind: ledger.PostPending, Resolves: hold.ID, Purpose: "test", Actor: "test", Entries: hold.Entries}
		case 150:
			x = ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 1)
			x.Reverses = first.ID
		}
		if n <= 300 {
			x.EffectiveOn = lastMonth()
		}
		batch = append(batch, x)
		if n == 230 || n == 300 || n == 600 || n == 620 {
			requirePosted(t, store, b.book.Tenant, batch...)
			batch = nil
			if n != 620 {
				b.kept = b.seal(t, seals)
			}
		}
	}
	asOwner(t, db.Super(), b.book.Tenant, fmt.Sprintf(`select ledger.move_period('%s', 'main', '%s', 'closed', 'apr_1', 'key_1')`,
		b.book.Tenant, lastMonth().Format(time.DateOnly)))
	return b
}

// lastMonth is the first day of the month before this one.
func lastMonth() time.Time { return ledger.PeriodOf(ledger.PeriodOf(time.Now()).AddDate(0, 0, -1)) }

func newLogKey(t *testing.T) *seal.Key {
	t.Helper()
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	return key
}

func (b sealedBook) seal(t *testing.T, seals *sealpg.Seals) []byte {
	t.Helper()
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, due, 1)
	_, signed, put, err := seals.Seal(t.Context(), due[0], b.key)
	require.NoError(t, err)
	require.True(t, put)
	return signed
}

// tables of the ledger in an order in which they can be filled.
var tables = []string{"book", "account", "balance", "journal", "posting", "journal_key", "journal_link", "tile", "checkpoint", "cosignature", "period_event", "period_total"}

// save keeps the book as it is for restore, so that many edits can be tried on
// one database.
func (b sealedBook) save(t *testing.T) {
	t.Helper()
	edits := []string{`create schema saved`}
	for _, table := range tables {
		edits = append(edits, `create table saved.`+table+` as table ledger.`+table)
	}
	b.tamper(t, edits...)
}

func (b sealedBook) restore(t *testing.T) {
	t.Helper()
	edits := []string{`set session_replication_role = replica`}
	for _, table := range slices.Backward(tables) {
		edits = append(edits, `delete from ledger.`+table)
	}
	for _, table := range tables {
		edits = append(edits, `insert into ledger.`+table+` overriding system value table saved.`+table)
	}
	b.tamper(t, append(edits, `set session_replication_role = default`)...)
}

// audit runs the audit with the sealer's key and the checkpoints given.
func (b sealedBook) audit(t *testing.T, kept ...[]byte) postgres.Report {
	t.Helper()
	return audit(t, b.db, postgres.Audit{Keys: []seal.PublicKey{b.key.PublicKey}, Kept: kept})
}

func audit(t *testing.T, db *pgtest.DB, a postgres.Audit) postgres.Report {
	t.Helper()
	cfg, err := pgx.ParseConfig(db.URL("auditor_ro"))
	require.NoError(t, err)
	report, err := a.Run(context.WithoutCancel(t.Context()), cfg)
	require.NoError(t, err)
	return report
}

// tamper edits as a superuser who first switches every guard off, and on
// again afterwards.
func (b sealedBook) tamper(t *testing.T, edits ...string) {
	t.Helper()
	var off, on []string
	for _, e := range []string{"guard_ddl", "guard_drop"} {
		off, on = append(off, "alter event trigger "+e+" disable"), append(on, "alter event trigger "+e+" enable always")
	}
	for _, table := range append([]string{partition("journal"), partition("posting")}, tables...) {
		off, on = append(off, "alter table ledger."+table+" disable trigger user"), append([]string{"alter table ledger." + table + " enable trigger user"}, on...)
	}
	conn, err := pgx.Connect(t.Context(), b.db.SuperURL())
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, sql := range append(append(off, edits...), on...) {
		_, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
		require.NoError(t, err, sql)
	}
}

const (
	raiseBoth     = `update ledger.posting set amount = amount + 100 where seq = 200`
	cutAfter590   = `delete from ledger.posting where seq > 590; delete from ledger.journal where seq > 590; delete from ledger.journal_key where seq > 590; delete from ledger.journal_link where seq > 590`
	forgetClosing = `delete from ledger.period_total; delete from ledger.period_event`
	forgetSealing = `delete from ledger.cosignature; delete from ledger.checkpoint; delete from ledger.tile`
)

func TestTenEditsByASuperuserAreTenDetections(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	b.save(t)
	require.Empty(t, b.audit(t, b.kept).Violations)
	for _, c := range []struct {
		name  string
		edits []string
		first int64
	}{
		{"an amount", []string{`update ledger.posting set amount = amount + 1 where seq = 200 and line = 1`}, edited},
		{"both sides of it", []string{raiseBoth}, edited},
		{"both sides and every balance", []string{raiseBoth, rewrite.Balances}, edited},
		{"both sides, every balance and the whole chain", []string{raiseBoth, rewrite.Balances, rewrite.Chain}, edited},
		{"one gone from the middle", []string{
			`delete from ledger.posting where seq = 200; delete from ledger.journal where seq = 200; delete from ledger.journal_key where seq = 200`, rewrite.Balances,
		}, edited},
		{"the end cut off, balances and head set back", []string{cutAfter590, rewrite.Balances, rewrite.Chain}, 591},
		{"one put in at an earlier date", []string{`
			insert into ledger.journal select seq, recorded_at - interval '1 second', '00000000-0000-4000-8000-000000000001', null, null, null, book_id, effective_on, period, kind,
			       purpose, actor, 'back-dated', null, null, null, null, hash from ledger.journal where seq = 1;
			insert into ledger.posting select recorded_at - interval '1 second', seq, account_id, amount, posted_after, 0, 0, book_id, period, line, side, layer from ledger.posting where seq = 1;
			insert into ledger.journal_key select seq, recorded_at, id, book_id from ledger.journal where reason = 'back-dated'`, rewrite.Balances}, 1},
		{"two in each other's place", []string{
			`update ledger.journal set seq = 401 - seq where seq in (200, 201); update ledger.posting set seq = 401 - seq where seq in (200, 201); update ledger.journal_key set seq = 401 - seq where seq in (200, 201)`,
		}, edited},
		{"an account's code", []string{`update ledger.account set code = '2011' where code = '2010'`}, 1},
		{"a reason", []string{`update ledger.journal set reason = 'another' where seq = 200`}, edited},

		{"a document", []string{`update ledger.journal set document = 'pi_x' where seq = 200`}, edited},
		{"who did it", []string{`update ledger.journal set actor = 'somebody else' where seq = 200`}, edited},
		{"a line's side", []string{`update ledger.posting set side = 'C' where seq = 200 and line = 1`}, edited},
		{"an account", []string{`update ledger.posting set account_id = (select id from ledger.account where code = '1900') where seq = 200 and line = 1`}, edited},
		{"a period", []string{`update ledger.journal set period = '2020-01-01' where seq = 200; update ledger.posting set period = '2020-01-01' where seq = 200`}, edited},
		{"only a balance", []string{`update ledger.balance set debits_posted = debits_posted + 1, credits_posted = credits_posted + 1`}, 0},
		{"an id pointed elsewhere", []string{`update ledger.journal_key set seq = 201 where seq = 200`}, edited},
		{"what was reversed made reversible again", []string{`delete from ledger.journal_link where seq = 150`}, 150},
		{"what was resolved made resolvable again", []string{`update ledger.journal_link set target = gen_random_uuid() where seq = 130`}, 130},
		{"a tile", []string{`update ledger.tile set hashes = set_byte(hashes, 32 * 199, get_byte(hashes, 32 * 199) # 1) where level = 0 and index = 0`}, edited},
		{"a tile gone", []string{`delete from ledger.tile where index = 1`}, 0},
		{"a checkpoint's root", []string{`update ledger.checkpoint set root = sha256('x') where size = 300`}, 0},
		{"a checkpoint signed by another", []string{`update ledger.checkpoint set signed = '` + string(forged(t, b)) + `' where size = 300`}, 0},
		{"the head", []string{`update ledger.book set hash = sha256('x')`}, 620},
		{"the start", []string{`update ledger.book set genesis = sha256('x')`}, 1},
		{"a frozen total", []string{`update ledger.period_total set debits = debits + 1 where account_id = (select id from ledger.account where code = '1020')`}, 0},
		{"a frozen total gone", []string{`delete from ledger.period_total where account_id = (select id from ledger.account where code = '1020')`}, 0},
		{"a frozen total more", []string{`insert into ledger.period_total select book_id, period, version, (select id from ledger.account where code = '5010'), 5, 5 from ledger.period_total limit 1`}, 0},
		{"frozen totals of another version", []string{`insert into ledger.period_total select book_id, period, 2, account_id, debits, credits from ledger.period_total`}, 0},
		{"where the chain stood at a closing", []string{`update ledger.period_event set hash = sha256('x')`}, 0},
		{"when it was closed", []string{`update ledger.period_event set seq = 610`}, 0},
		{"a closing to come", []string{`update ledger.period_event set seq = 630`}, 621},
		{"a closing gone", []string{`delete from ledger.period_event`}, 0},
		{"one more in a closed period, the rest recomputed", []string{
			`update ledger.period_event set seq = 610, hash = (select hash from ledger.journal where seq = 610)`,
			`update ledger.journal set period = (select period from ledger.period_event) where seq = 615; update ledger.posting set period = (select period from ledger.period_event) where seq = 615`,
			rewrite.Chain,
		}, 615},
	} {
		b.tamper(t, c.edits...)
		report := b.audit(t)
		require.NotEmpty(t, report.Violations, c.name)
		require.Equal(t, c.first, report.Books[0].FirstBad, "%s: %v", c.name, report.Violations)
		for _, v := range report.Violations {
			require.Equal(t, b.book.Tenant.String(), v.Tenant)
			if strings.Contains(c.name, "frozen") {
				require.Equal(t, "period "+lastMonth().Format("2006-01"), v.Where, c.name)
			}
		}
		b.restore(t)
	}
	require.Empty(t, b.audit(t, b.kept).Violations, "all is as it was")
}

func forged(t *testing.T, b sealedBook) []byte {
	t.Helper()
	c, err := seal.Peek(b.kept)
	require.NoError(t, err)
	c.Size = 300
	signed, err := seal.Sign(c, newLogKey(t))
	require.NoError(t, err)
	return signed
}

// Whoever rewrites everything and forgets all that was sealed leaves books
// that agree with themselves. A checkpoint somebody has kept does not.
func TestAKeptCheckpointAloneFindsAFullRewriteAndACutTail(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	b.save(t)
	for name, c := range map[string]struct {
		edits []string
		first int64
		says  string
	}{
		"full rewrite": {[]string{raiseBoth, rewrite.Balances, rewrite.Chain, forgetSealing, forgetClosing}, 1, "another root"},
		"cut tail":     {[]string{cutAfter590, rewrite.Balances, rewrite.Chain, forgetSealing, forgetClosing}, 591, "cut off"},
		"no book at all": {[]string{
			forgetClosing, forgetSealing + `; delete from ledger.posting; delete from ledger.journal_link; delete from ledger.journal_key; delete from ledger.journal; delete from ledger.balance; delete from ledger.account; delete from ledger.book`,
		}, 1, "not there"},
	} {
		b.tamper(t, c.edits...)
		require.Empty(t, b.audit(t).Violations, "%s: the books agree with themselves", name)
		report := b.audit(t, b.kept)
		require.Len(t, report.Violations, 1, name)
		require.Equal(t, c.first, report.Violations[0].Seq, name)
		require.Contains(t, report.Violations[0].Detail, c.says, name)
		b.restore(t)
	}
}

// The sealer finds it too, and does not sign.
func TestASealerNeverSignsWhatDoesNotContinueWhatItSigned(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	b.save(t)
	seals := postgres.NewSeals(b.db.Pool("sealer"))
	for name, edits := range map[string][]string{
		"rewritten right of the tiles": {`update ledger.posting set amount = amount + 100 where seq = 550`, rewrite.Balances, rewrite.Chain},
		"cut":                          {cutAfter590, rewrite.Balances, rewrite.Chain},
		"one missing":                  {`delete from ledger.journal where seq = 610`},
		"its checkpoint replaced":      {`update ledger.checkpoint set signed = translate(signed, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'BCDEFGHIJKLMNOPQRSTUVWXYZA') where size = 600`},
	} {
		b.tamper(t, edits...)
		due, err := seals.Due(t.Context(), []string{"w"}) // a book that was cut is not due to move
		require.NoError(t, err)
		require.Len(t, due, 1)
		_, signed, _, err := seals.Seal(t.Context(), due[0], b.key)
		require.ErrorIs(t, err, seal.ErrInconsistent, name)
		require.Empty(t, signed)
		b.restore(t)
	}
	// All of it forgotten, but for what the sealer kept.
	b.tamper(t, raiseBoth, rewrite.Balances, rewrite.Chain, forgetSealing)
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	kept, err := seal.Open(b.kept, b.key.PublicKey)
	require.NoError(t, err)
	_, _, _, err = seals.Seal(t.Context(), due[0], b.key, kept.Checkpoint)
	require.ErrorIs(t, err, seal.ErrInconsistent)
}

// A run that was interrupted goes on, and finds what lies behind.
func TestAnInterruptedAuditGoesOn(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	full := b.audit(t, b.kept)
	require.Equal(t, int64(620), full.Books[0].Transactions)
	require.Equal(t, int64(3), full.Books[0].Checkpoints)
	var states []postgres.AuditState
	audit(t, b.db, postgres.Audit{Keys: []seal.PublicKey{b.key.PublicKey}, Every: 1, Save: func(s postgres.AuditState) error {
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		again, err := postgres.UnmarshalState(raw)
		require.NoError(t, err)
		states = append(states, *again)
		return nil
	}})
	require.Greater(t, len(states), 2)
	middle := states[0]
	require.NotNil(t, middle.Book)
	rest := audit(t, b.db, postgres.Audit{Keys: []seal.PublicKey{b.key.PublicKey}, Resume: &middle})
	require.Empty(t, rest.Violations)
	require.Equal(t, full.Books, rest.Books)
	require.Positive(t, rest.ResumedAt)

	cfg, err := pgx.ParseConfig(b.db.URL("auditor_ro"))
	require.NoError(t, err)
	_, err = postgres.Audit{Keys: []seal.PublicKey{b.key.PublicKey}, Kept: [][]byte{b.kept}, Resume: &middle}.Run(t.Context(), cfg)
	require.ErrorIs(t, err, postgres.ErrGivenOther, "what lies behind was not held against this checkpoint")
	b.tamper(t, strings.ReplaceAll(raiseBoth, "200", "610"))
	rest = audit(t, b.db, postgres.Audit{Keys: []seal.PublicKey{b.key.PublicKey}, Resume: &middle})
	require.Equal(t, int64(610), rest.Books[0].FirstBad)
}

func TestATransactionIsProvedFromTheDatabase(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	store := postgres.New(b.db.Pool("app_api"))
	var first, last, unsealed uuid.UUID
	super := b.db.Super()
	for seq, into := range map[int]*uuid.UUID{1: &first, 600: &last, 610: &unsealed} {
		require.NoError(t, super.QueryRow(t.Context(), `select id from ledger.journal where seq = $1`, seq).Scan(into))
	}
	for _, id := range []uuid.UUID{first, last} {
		bundle, err := store.Prove(t.Context(), b.book, id)
		require.NoError(t, err)
		proven, err := bundle.Verify(b.key.PublicKey)
		require.NoError(t, err)
		require.Equal(t, id, proven.Record.ID)
		require.Equal(t, int64(600), proven.Checkpoint.Size)
	}
	_, err := store.Prove(t.Context(), b.book, unsealed)
	require.ErrorIs(t, err, sealpg.ErrNotSealed)
	_, err = store.Prove(t.Context(), b.book, uuid.New())
	require.ErrorIs(t, err, postgres.ErrNoTransaction)
	_, err = store.Prove(t.Context(), ledger.Main(b.db.Tenant()), first)
	require.ErrorIs(t, err, postgres.ErrNoTransaction, "another tenant's")
	book, err := postgres.New(b.db.Pool("auditor_ro")).BookOf(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, b.book, book)
	last600, err := store.LastCheckpoint(t.Context(), b.book)
	require.NoError(t, err)
	require.Equal(t, b.kept, last600.Signed)

	b.tamper(t, `update ledger.journal set reason = 'another' where seq = 1`)
	_, err = store.Prove(t.Context(), b.book, first)
	require.ErrorIs(t, err, seal.ErrInconsistent)
}

// Only the sealer's door writes what was sealed.
func TestNobodyChangesWhatWasSealed(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	tenant := b.book.Tenant
	writes := map[string]string{
		"insert checkpoint":   `insert into ledger.checkpoint select book_id, 9999, root, signed from ledger.checkpoint limit 1`,
		"update checkpoint":   `update ledger.checkpoint set signed = 'x'`,
		"delete checkpoint":   `delete from ledger.checkpoint`,
		"truncate checkpoint": `truncate ledger.checkpoint cascade`,
		"update tile":         `update ledger.tile set root = sha256('x')`,
		"delete tile":         `delete from ledger.tile`,
		"insert cosignature":  `insert into ledger.cosignature select book_id, size, 'w', E'— w x\n' from ledger.checkpoint`,
	}
	for _, role := range []string{"app_api", "app_worker", "finance_ro", "auditor_ro", "sealer"} {
		for name, sql := range writes {
			t.Run(role+": "+name, func(t *testing.T) {
				t.Parallel()
				refused(t, b.db.URL(role), tenant, sql)
			})
		}
		if role == "sealer" {
			continue
		}
		t.Run(role+": the sealer's door", func(t *testing.T) {
			t.Parallel()
			refused(t, b.db.URL(role), tenant, `select ledger.put_checkpoint('`+tenant.String()+`', 1, 600, 610, sha256('x'), 'x', '{}', '{}', '{}', '{}')`)
		})
	}
	for name, sql := range writes {
		t.Run("superuser as replica: "+name, func(t *testing.T) {
			t.Parallel()
			refused(t, b.db.SuperURL(), tenant, `set local session_replication_role = replica; `+sql)
		})
	}
	for table, rows := range map[string]int{"ledger.checkpoint": 3, "ledger.tile": 2} {
		for _, role := range []string{"app_api", "app_worker", "finance_ro"} {
			require.Zero(t, count(t, b.db.URL(role), "", table), "%s sees %s without a tenant", role, table)
			require.Zero(t, count(t, b.db.URL(role), uuid.NewString(), table), "%s sees %s of another", role, table)
			require.Equal(t, rows, count(t, b.db.URL(role), tenant.String(), table), "%s sees its own %s", role, table)
		}
	}
	for name, sql := range map[string]string{
		"amounts":          `select amount from ledger.posting`,
		"reasons":          `select reason from ledger.journal`,
		"another lease":    `insert into app.lease (name, holder, expires_at) values ('dispatch', 'x', now())`,
		"another tenant's": `select ledger.put_checkpoint('` + uuid.NewString() + `', 1, 600, 610, sha256('x'), 'x', '{}', '{}', '{}', '{}')`,
	} {
		t.Run("sealer: "+name, func(t *testing.T) {
			t.Parallel()
			refused(t, b.db.URL("sealer"), tenant, sql)
		})
	}
	t.Cleanup(func() { require.Empty(t, b.audit(t, b.kept).Violations) })
}

// unsealed are the columns that say what may be posted next, or when something
// was noted: no hash covers them, and docs/ledger-format.md says so.
var unsealed = map[string]bool{
	"account.name": true, "account.type": true, "account.normal_side": true, "account.floor": true, "account.ceiling": true, "account.closed_at": true,
	"account.opened_at": true, "period_event.id": true, "period_event.approval_id": true, "period_event.actor": true, "period_event.at": true, "account.tenant_id": true, "balance.tenant_id": true, "book.version": true, "book.closed_through": true,
	"book.soft_closed_through": true, "book.opened_at": true, "checkpoint.sealed_at": true, "cosignature.cosigned_at": true,
}

// Every column of every table of the books: another value in one row is found.
func TestAnotherValueInAnyColumnIsFound(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("an audit for each of some fifty columns")
	}
	b := newSealedBook(t)
	rows, err := b.db.Super().Query(t.Context(), `
		select table_name::text, column_name::text, data_type::text from information_schema.columns
		 where table_schema = 'ledger' and table_name = any($1) order by 1, 2`, tables)
	require.NoError(t, err)
	type column struct{ Table, Name, Type string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	b.save(t)
	b.tamper(t, `alter table ledger.account alter column id drop identity; alter table ledger.book alter column id drop identity; alter table ledger.period_event alter column id drop identity`)
	tried := 0
	for _, c := range columns {
		if unsealed[c.Table+"."+c.Name] || c.Table == "cosignature" {
			continue
		}
		other, ok := map[string]string{
			"bigint": c.Name + ` + 1000`, "boolean": `not ` + c.Name, "integer": c.Name + ` + 1000`, "smallint": c.Name + ` + 1000`, "uuid": `gen_random_uuid()`, "bytea": `sha256('x')`,
			"text": `coalesce(` + c.Name + `, '') || 'x'`, "date": c.Name + ` + 1`, "timestamp with time zone": `coalesce(` + c.Name + `, now()) + interval '1 minute'`,
		}[c.Type]
		require.True(t, ok, "%s.%s is of type %s", c.Table, c.Name, c.Type)
		if c.Type == "bytea" && c.Table == "tile" && c.Name == "hashes" {
			other = `set_byte(hashes, 100, get_byte(hashes, 100) # 1)`
		}
		b.tamper(t, `set session_replication_role = replica`,
			`do $$ declare c record; begin
			   for c in select conrelid::regclass as of, conname from pg_constraint where conrelid = 'ledger.`+c.Table+`'::regclass and contype = 'c' loop
			     execute format('alter table %s drop constraint %I', c.of, c.conname); end loop; end $$`,
			`update ledger.`+c.Table+` set `+c.Name+` = `+other+` where `+onlyOne(c.Table), `set session_replication_role = default`)
		require.NotEmpty(t, b.audit(t).Violations, "%s.%s", c.Table, c.Name)
		b.restore(t)
		tried++
	}
	require.Empty(t, b.audit(t, b.kept).Violations, "all is as it was")
	require.Greater(t, tried, 40)
}

// onlyOne names one row of a table.
func onlyOne(table string) string {
	switch table {
	case "journal", "posting", "journal_key":
		return `seq = 200`
	case "journal_link":
		return `seq = 150`
	case "account":
		return `code = '2010'`
	case "balance":
		return `account_id = (select id from ledger.account where code = '2010')`
	case "period_total":
		return `account_id = (select id from ledger.account where code = '2010')`
	case "checkpoint":
		return `size = 300`
	case "tile":
		return `level = 0 and index = 1`
	default:
		return `true`
	}
}
