package db_test

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// firstForm is the last version with the ledger's first form.
const firstForm = 20261123100001

// oldBooks are one tenant's books of the first form as its programs made them.
type oldBooks struct {
	tenant uuid.UUID
	rng    *rand.Rand
	holds  []ledger.Transaction // not resolved
	posted []ledger.Transaction // not reversed
	all    []ledger.Transaction
}

// next is one more transaction the first form takes.
func (o *oldBooks) next() ledger.Transaction {
	amount := 10 + o.rng.Int64N(1000)
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, amount)
	x.SagaID, x.EffectiveOn = "sg_old", time.Date(2026, time.Month(9+o.rng.IntN(3)), 1+o.rng.IntN(20), 0, 0, 0, 0, time.UTC)
	if o.rng.IntN(2) == 0 {
		x.OrderRef, x.Document = "A-"+x.ID.String()[:8], "pi_1"
	}
	take := func(from *[]ledger.Transaction) ledger.Transaction {
		i := o.rng.IntN(len(*from))
		t := (*from)[i]
		*from = append((*from)[:i:i], (*from)[i+1:]...)
		return t
	}
	switch kind := o.rng.IntN(10); {
	case kind < 3:
		x.Kind = ledger.Pending
		o.holds = append(o.holds, x)
	case kind < 6 && len(o.holds) > 0:
		hold := take(&o.holds)
		x.Kind, x.Resolves, x.Entries = ledger.PostPending, hold.ID, nil
		if o.rng.IntN(3) == 0 {
			x.Kind = ledger.VoidPending
			break
		}
		part := int64(o.rng.IntN(2)) // all of it, or a little less
		for _, e := range hold.Entries {
			e.Amount -= part
			x.Entries = append(x.Entries, e)
		}
		o.posted = append(o.posted, x)
	case kind == 6 && len(o.posted) > 0:
		back := take(&o.posted)
		x.Reverses, x.Entries = back.ID, nil
		for _, e := range back.Entries {
			e.Side = map[ledger.Side]ledger.Side{ledger.Debit: ledger.Credit, ledger.Credit: ledger.Debit}[e.Side]
			x.Entries = append(x.Entries, e)
		}
	case kind == 7: // two currencies, an account twice
		x.Entries = append(x.Entries,
			ledger.Entry{Account: ledger.CashBank, Side: ledger.Debit, Amount: 7, Currency: "eur"},
			ledger.Entry{Account: ledger.CashBank, Side: ledger.Credit, Amount: 3, Currency: "eur"},
			ledger.Entry{Account: ledger.Suspense, Side: ledger.Credit, Amount: 4, Currency: "eur"})
		o.posted = append(o.posted, x)
	default:
		o.posted = append(o.posted, x)
	}
	o.all = append(o.all, x)
	return x
}

// post posts through the door of the first form.
func (o *oldBooks) post(t *testing.T, pool *pgxpool.Pool, batch ...ledger.Transaction) {
	t.Helper()
	var ids, resolves, reverses []pgtype.UUID
	var kinds, purposes, actors, reasons, codes, currencies, sides []string
	var sagas, orders, documents []pgtype.Text
	var effective []time.Time
	var digests [][]byte
	var of []int32
	var amounts []int64
	text := func(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }
	id := func(u uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: u, Valid: u != uuid.Nil} }
	for i, x := range batch {
		digest := sha256.Sum256(x.ID[:])
		ids, resolves, reverses = append(ids, id(x.ID)), append(resolves, id(x.Resolves)), append(reverses, id(x.Reverses))
		kinds, purposes, actors, reasons = append(kinds, string(x.Kind)), append(purposes, x.Purpose), append(actors, x.Actor), append(reasons, x.Reason)
		sagas, orders, documents = append(sagas, text(x.SagaID)), append(orders, text(x.OrderRef)), append(documents, text(x.Document))
		effective, digests = append(effective, x.EffectiveOn), append(digests, digest[:])
		for _, e := range x.Entries {
			of, codes, currencies, sides, amounts = append(of, int32(i+1)), append(codes, e.Account), append(currencies, e.Currency), append(sides, string(e.Side)), append(amounts, e.Amount)
		}
	}
	require.NoError(t, pgtenant.Tx(t.Context(), pool, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select outcome from ledger.post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
			o.tenant, ids, kinds, resolves, reverses, purposes, effective, actors, reasons, sagas, orders, documents, digests, of, codes, currencies, sides, amounts)
		if err != nil {
			return err
		}
		outcomes, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, outcome := range outcomes {
			require.Equal(t, "created", outcome)
		}
		return err
	}))
}

// Books of the first form, of two tenants whose transactions alternate, are
// carried over: nothing of them changes but the form.
func TestTheFirstFormsBooksAreCarriedOver(t *testing.T) {
	t.Parallel()
	d := pgtest.NewEmpty(t)
	ctx := t.Context()
	require.NoError(t, db.MigrateTo(ctx, d.URL("migrator"), firstForm))
	super, worker := d.Super(), d.Pool("app_worker")
	books := []*oldBooks{{tenant: d.Tenant()}, {tenant: d.Tenant()}, {tenant: d.Tenant()}}
	for i, o := range books {
		o.rng = rand.New(rand.NewPCG(8, uint64(i)))
		require.NoError(t, pgtenant.Tx(ctx, worker, o.tenant, func(ctx context.Context, tx pgx.Tx) error {
			for _, currency := range []string{"usd", "eur"} {
				var codes, names, types, sides []string
				for _, a := range ledger.Chart() {
					codes, names, types, sides = append(codes, a.Code), append(names, a.Name), append(types, string(a.Type)), append(sides, string(a.Normal))
				}
				if _, err := tx.Exec(ctx, `select ledger.open_accounts($1, $2, $3, $4, $5, $6)`, o.tenant, currency, codes, names, types, sides); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for range 60 { // the third tenant has accounts and nothing in them
		for _, o := range books[:2] {
			batch := []ledger.Transaction{o.next()}
			for range o.rng.IntN(3) {
				batch = append(batch, o.next())
			}
			o.post(t, worker, batch...)
		}
	}
	_, err := super.Exec(ctx, `create table public.before as select * from ledger.balance`)
	require.NoError(t, err)
	var seqs []int64
	for _, o := range books {
		var seq int64
		require.NoError(t, super.QueryRow(ctx, `select coalesce((select seq from ledger.head where tenant_id = $1), 0)`, o.tenant).Scan(&seq))
		seqs = append(seqs, seq)
	}

	require.NoError(t, db.Migrate(ctx, d.URL("migrator")))
	require.NoError(t, db.Migrate(ctx, d.URL("migrator")), "again is nothing")
	worker.Reset()

	for what, sql := range map[string]string{
		"balances": `with now as (select tenant_id, account_id, debits_pending, credits_pending, debits_posted, credits_posted from ledger.balance)
			select account_id::text from ((table public.before except table now) union all (table now except table public.before)) x`,
		"names": `select a.id::text from ledger.account a join ledger.balance b on b.account_id = a.id
			where (b.book_id, b.name, b.closed, b.bounded) is distinct from (a.book_id, a.code || a.currency, a.closed_at is not null, a.floor is not null)`,
		"transactions": `select x::text from (
			(select t.tenant_id, t.seq, t.id, t.kind, t.resolves, t.reverses, t.purpose, t.effective_on, t.recorded_at, t.actor, t.reason, t.saga_id, t.order_ref, t.document from ledger.transaction t
			 except
			 select b.tenant_id, j.seq, j.id, j.kind, j.resolves, j.reverses, j.purpose, j.effective_on, j.recorded_at, j.actor, j.reason, j.saga_id, j.order_ref, j.document
			   from ledger.journal j join ledger.book b on b.id = j.book_id)) x`,
		"entries": `select x::text from (
			(select e.tenant_id, e.seq, e.account_id, e.side, e.amount, count(*) from ledger.entry e group by 1, 2, 3, 4, 5
			 except
			 select b.tenant_id, p.seq, p.account_id, p.side, p.amount, count(*) from ledger.posting p join ledger.book b on b.id = p.book_id where p.layer <> 'R' group by 1, 2, 3, 4, 5)) x`,
		"releases": `select x::text from (
			(select e.tenant_id, r.seq, e.account_id, e.side, e.amount, count(*) from ledger.transaction r join ledger.transaction h on h.tenant_id = r.tenant_id and h.id = r.resolves
			   join ledger.entry e on e.tenant_id = h.tenant_id and e.seq = h.seq group by 1, 2, 3, 4, 5
			 except
			 select b.tenant_id, p.seq, p.account_id, p.side, p.amount, count(*) from ledger.posting p join ledger.book b on b.id = p.book_id where p.layer = 'R' group by 1, 2, 3, 4, 5)) x`,
		"nothing more": `select 'postings ' || n from (select
			(select count(*) from ledger.posting) - (select count(*) from ledger.entry)
			- (select count(*) from ledger.transaction r join ledger.transaction h on h.tenant_id = r.tenant_id and h.id = r.resolves join ledger.entry e on e.tenant_id = h.tenant_id and e.seq = h.seq) as n) x where n <> 0
			union all select 'transactions' where (select count(*) from ledger.journal) <> (select count(*) from ledger.transaction)`,
		"links": `select t.id::text from ledger.transaction t join ledger.book b on b.tenant_id = t.tenant_id
			where (t.resolves is not null or t.reverses is not null) and not exists (select from ledger.journal_link l where l.book_id = b.id and l.seq = t.seq
			  and l.target = coalesce(t.resolves, t.reverses) and l.relation = case when t.resolves is null then 'reverses' else 'resolves' end)
			union all select 'too many' where (select count(*) from ledger.journal_link) <> (select count(*) from ledger.transaction where coalesce(resolves, reverses) is not null)`,
		"keys": `select j.id::text from ledger.journal j where not exists (select from ledger.journal_key k where (k.book_id, k.id, k.seq, k.recorded_at) = (j.book_id, j.id, j.seq, j.recorded_at))`,
		"hashes, by the database's own functions": `select j.seq::text from (select j, lag(j.hash, 1, b.genesis) over (partition by j.book_id order by j.seq) as prev
			  from ledger.journal j join ledger.book b on b.id = j.book_id) x, lateral (select (x.j).*) j
			where j.hash is distinct from ledger.journal_hash(x.prev, x.j, (select string_agg(ledger.line_bytes(p.line, a.code, a.currency, p.side, p.layer, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after), '' order by p.line)
			  from ledger.posting p join ledger.account a on a.id = p.account_id where p.book_id = j.book_id and p.recorded_at = j.recorded_at))`,
		"row-level security is forced again": `select relname::text from pg_class where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)`,
	} {
		rows, err := super.Query(ctx, sql)
		require.NoError(t, err, what)
		wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err, what)
		require.Empty(t, wrong, what)
	}
	conn, err := pgx.Connect(ctx, d.URL("auditor_ro"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	violations, err := postgres.Verify(ctx, conn, 10)
	require.NoError(t, err)
	require.Empty(t, violations)

	store := postgres.New(worker)
	for i, o := range books {
		book := ledger.Main(o.tenant)
		recorded, err := store.TransactionsOfSaga(ctx, book, "sg_old")
		require.NoError(t, err)
		require.Len(t, recorded, len(o.all))
		require.Equal(t, int64(len(o.all)), seqs[i])
		prev := book.Genesis()
		for k, r := range recorded {
			require.Equal(t, int64(k+1), r.Seq)
			require.True(t, r.Asks(o.all[k]), "transaction %d is another than was posted: %+v, %+v", k+1, r.Transaction, o.all[k])
			hash, _ := r.ChainHash(prev, nil)
			require.Equal(t, r.Hash, hash, "the chain breaks at %d", k+1)
			prev = hash
		}
		// What was there answers, what was held can be resolved, and so on.
		if len(o.all) == 0 {
			continue
		}
		more := []ledger.Transaction{o.all[3], ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)}
		for range 20 {
			more = append(more, o.next())
		}
		results, err := store.Post(ctx, book, more)
		require.NoError(t, err)
		require.Equal(t, ledger.Exists, results[0].Outcome)
		for k, r := range results[1:] {
			require.Equal(t, ledger.Created, r.Outcome, "%v", more[k+1])
			require.Equal(t, seqs[i]+int64(k)+1, r.Seq)
		}
	}
	violations, err = postgres.Verify(ctx, conn, 10)
	require.NoError(t, err)
	require.Empty(t, violations)
	_, err = worker.Exec(ctx, `select count(*) from ledger.transaction`)
	require.ErrorContains(t, err, "permission denied")
}

// Holds from before the list of holds are on it: those that are pending still.
func TestHoldsFromBeforeAreListed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := pgtest.NewEmpty(t)
	require.NoError(t, db.MigrateTo(ctx, d.URL("migrator"), 20261125020000))
	super := d.Super()
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	var want []uuid.UUID
	for range 2 {
		tenant, ended, endless, held := d.Tenant(), uuid.New(), uuid.New(), uuid.New()
		want = append(want, held)
		// As the ledger's owner: the program of then is gone, and today's needs today's door.
		err := pgx.BeginFunc(ctx, super, func(tx pgx.Tx) error {
			q := &pgx.Batch{}
			q.Queue(`select set_config('app.tenant', $1, true), set_config('ledger.door', 'open', true)`, tenant.String())
			q.Queue(`set local role ledger_owner`)
			q.Queue(`select set_config('ledger.book', l.id::text, true) from ledger.lock_book($1, 'main', false) l`, tenant)
			q.Queue(`select set_config('ledger.door', 'open', true)`)
			q.Queue(`insert into ledger.journal (seq, recorded_at, id, resolves, expires_at, book_id, effective_on, period, kind, purpose, actor, reason, hash)
				select u.seq, now() + u.seq * interval '1 microsecond', u.id, u.resolves, u.expires_at, b.id, '2026-11-24', '2026-11-01', u.kind, 'test', 'test', '', sha256('')
				  from ledger.book b, (values (1, $2::uuid, null::uuid, $1::timestamptz, 'pending'), (2, $3, null, null, 'pending'), (3, $4, null, $1, 'pending'),
				                              (4, gen_random_uuid(), $2, null, 'void_pending')) u (seq, id, resolves, expires_at, kind)`, at, ended, endless, held)
			q.Queue(`insert into ledger.journal_link (seq, target, book_id, relation) select 4, $1, b.id, 'resolves' from ledger.book b`, ended)
			return tx.SendBatch(ctx, q).Close()
		})
		require.NoError(t, err)
	}
	require.NoError(t, db.Migrate(ctx, d.URL("migrator")))
	rows, err := super.Query(ctx, `select h.id from ledger.hold h join ledger.book b on b.id = h.book_id and b.tenant_id = h.tenant_id and b.entity = h.entity where h.expires_at = $1`, at)
	require.NoError(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}
