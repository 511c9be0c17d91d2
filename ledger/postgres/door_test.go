package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// The places of the door's arguments.
const (
	argTenant = iota
	argBook
	argVersion
	argSeq
	argHash
	argAt
	argID
	argKind
	argResolves
	argReverses
	argExpires
	argEffective
	argPeriod
	argPurpose
	argActor
	argReason
	argSaga
	argOrder
	argDocument
	argApproval
	argHashes
	argOf
	argLine
	argAccount
	argName
	argPrev
	argLayer
	argAmount
	argPosted
	argHeldDebits
	argHeldCredits
)

// A hostile is a ledger with something of everything in it, and a caller who
// may execute the door and means harm.
type hostile struct {
	db       *pgtest.DB
	super    *pgxpool.Pool
	pool     *pgxpool.Pool
	store    *postgres.Store
	book     ledger.Book
	theirs   int32 // another tenant's book
	accounts map[string]int64
	turn     sync.Mutex // of those who would lock each other out

	hold, small, ended, expired, posted, reversed uuid.UUID
}

const (
	wallet  = "wallet:1" // floor 0, stands at 500
	pot     = "pot:1"    // ceiling 1000, stands at 500
	shut    = "shut:1"   // closed
	foreign = "foreign"  // of the tenant's other book
	alien   = "alien"    // of another tenant
)

func newHostile(t *testing.T) *hostile {
	t.Helper()
	ctx := t.Context()
	db := pgtest.New(t)
	h := &hostile{db: db, super: db.Super(), pool: db.Pool("app_worker"), book: ledger.Main(db.Tenant()), accounts: map[string]int64{}}
	other := db.Tenant()
	earlier := postgres.NewAt(h.pool, func() time.Time { return time.Now().Add(-3 * time.Minute) })
	h.store = postgres.New(h.pool)
	transfer := func(amount int64) ledger.Transaction {
		return ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, amount)
	}
	expired := transfer(9)
	expired.Kind, expired.ExpiresAt = ledger.Pending, time.Now().Add(-2*time.Minute)
	requirePosted(t, earlier, h.book.Tenant, transfer(1000), expired)
	for _, sql := range []string{
		`select ledger.add_accounts('` + h.book.Tenant.String() + `', 'main', '{wallet:1,pot:1,shut:1}', '{w,p,s}', '{liability,asset,asset}', '{C,D,D}', '{usd,usd,usd}', '{0,null,null}', '{null,1000,null}')`,
		`select ledger.open_book('` + h.book.Tenant.String() + `', 'second'); select ledger.add_accounts('` + h.book.Tenant.String() + `', 'second', '{foreign}', '{f}', '{asset}', '{D}', '{usd}', '{}', '{}')`,
		`select ledger.change_account('` + h.book.Tenant.String() + `', 'main', 'shut:1', 'usd', true, null, null)`,
		`select set_config('ledger.door', 'open', true); update ledger.book set closed_through = '2026-08-01', soft_closed_through = '2026-09-01', version = version + 1 where entity = 'main'`,
	} {
		asOwner(t, h.super, h.book.Tenant, sql)
	}
	asOwner(t, h.super, other, `select ledger.add_accounts('`+other.String()+`', 'main', '{alien}', '{a}', '{asset}', '{D}', '{usd}', '{}', '{}')`)
	eur := transfer(1)
	eur.Entries[0].Currency, eur.Entries[1].Currency = "eur", "eur"
	hold, small, ended, posted, reversed := transfer(100), transfer(40), transfer(7), transfer(60), transfer(5)
	hold.Kind, small.Kind, ended.Kind = ledger.Pending, ledger.Pending, ledger.Pending
	small.Entries[0].Account = ledger.CashBank
	void := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: ended.ID, Purpose: "test", Actor: "test"}
	back := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 5)
	back.Reverses = reversed.ID
	requirePosted(t, h.store, h.book.Tenant, eur, hold, small, ended, void, posted, reversed, back,
		ledgertest.Transfer(uuid.New(), ledger.CashBank, wallet, 500), ledgertest.Transfer(uuid.New(), pot, ledger.CustomerDeposits, 500))
	h.hold, h.small, h.ended, h.expired, h.posted, h.reversed = hold.ID, small.ID, ended.ID, expired.ID, posted.ID, reversed.ID
	rows, err := h.super.Query(ctx, `select code || ' ' || currency, id from ledger.account`)
	require.NoError(t, err)
	var key string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&key, &id}, func() error { h.accounts[key] = id; return nil })
	require.NoError(t, err)
	require.NoError(t, h.super.QueryRow(ctx, `select id from ledger.book where tenant_id = $1`, other).Scan(&h.theirs))
	return h
}

// asOwner runs sql as the ledger's owner within a tenant.
func asOwner(t *testing.T, super *pgxpool.Pool, tenant uuid.UUID, sql string) {
	t.Helper()
	conn, err := super.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Conn().PgConn().Exec(t.Context(), `begin; select set_config('app.tenant', '`+tenant.String()+`', true); set local role ledger_owner; `+sql+`; commit`).ReadAll()
	require.NoError(t, err)
}

// fingerprint is everything the door can write, in a few figures.
func (h *hostile) fingerprint(ctx context.Context, t *testing.T) string {
	t.Helper()
	var got string
	require.NoError(t, h.super.QueryRow(ctx, `select concat_ws(' ',
		(select string_agg(concat_ws(',', id, seq, hash, recorded_at, version), ' ' order by id) from ledger.book),
		(select count(*) from ledger.journal), (select count(*) from ledger.journal_key), (select count(*) from ledger.journal_link),
		(select concat_ws(',', count(*), sum(amount), sum(posted_after)) from ledger.posting),
		(select md5(string_agg(b::text, ' ' order by account_id)) from ledger.balance b))`).Scan(&got))
	return got
}

// A forgery is a batch that the rules accept, which a test then spoils.
type forgery struct {
	*hostile

	head     ledger.Head
	recorded []*ledger.Recorded
}

func (f *forgery) line(of, line int) *ledger.Line { return &f.recorded[of].Lines[line] }

// move puts a line on another account.
func (f *forgery) move(of, line int, code, currency string) {
	l := f.line(of, line)
	l.Account, l.Currency, l.AccountID = code, currency, f.accounts[code+" "+currency]
}

// settle makes the balances after each line follow from those that are stored,
// so that a spoiled batch is refused for what it does and not for its sums.
func (f *forgery) settle(ctx context.Context, t *testing.T, tx pgx.Tx) {
	t.Helper()
	now := map[int64]*ledger.Sums{}
	for _, r := range f.recorded {
		for i := range r.Lines {
			l := &r.Lines[i]
			s := now[l.AccountID]
			if s == nil {
				s = &ledger.Sums{}
				now[l.AccountID] = s
				err := tx.QueryRow(ctx, `select debits_posted, credits_posted, debits_pending, credits_pending from ledger.balance where account_id = $1`, l.AccountID).
					Scan(&s.DebitsPosted, &s.CreditsPosted, &s.DebitsPending, &s.CreditsPending)
				if !errors.Is(err, pgx.ErrNoRows) {
					require.NoError(t, err)
				}
			}
			at, amount := &s.DebitsPosted, l.Amount
			switch {
			case l.Layer == ledger.LayerPosted && l.Side == ledger.Credit:
				at = &s.CreditsPosted
			case l.Layer != ledger.LayerPosted && l.Side == ledger.Debit:
				at = &s.DebitsPending
			case l.Layer != ledger.LayerPosted:
				at = &s.CreditsPending
			}
			if l.Layer == ledger.LayerReleased {
				amount = -amount
			}
			*at += amount
			l.PostedAfter, l.HeldDebitsAfter, l.HeldCreditsAfter = s.DebitsPosted-s.CreditsPosted, s.DebitsPending, s.CreditsPending
		}
	}
}

// chain makes the hashes follow.
func (f *forgery) chain() {
	prev := f.head.Hash
	for _, r := range f.recorded {
		r.Hash, _ = r.ChainHash(prev, nil)
		prev = r.Hash
	}
}

// An attack spoils a batch the rules would take: what it does first (settled
// and chained after), its chain after that, then the door's arguments.
type attack struct {
	name  string
	batch []ledger.Transaction
	does  func(f *forgery)
	lies  func(f *forgery) // after the sums were made to follow, before the chain is
	after func(f *forgery) // after the chain was
	args  func(f *forgery, a []any)
	want  string // in the error or, for "stale", the answer
}

func (h *hostile) attacks() []attack {
	one := func() []ledger.Transaction {
		return []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)}
	}
	two := func() []ledger.Transaction {
		return append(one(), ledgertest.Transfer(uuid.New(), ledger.CashBank, ledger.CustomerDeposits, 30))
	}
	single := func(x ledger.Transaction) []ledger.Transaction { return []ledger.Transaction{x} }
	move := func(debit, credit string, amount int64) []ledger.Transaction {
		return single(ledgertest.Transfer(uuid.New(), debit, credit, amount))
	}
	pending := func() []ledger.Transaction {
		x := one()
		x[0].Kind = ledger.Pending
		return x
	}
	resolve := func(of uuid.UUID, kind ledger.Kind, amount int64) []ledger.Transaction {
		x := ledger.Transaction{ID: uuid.New(), Kind: kind, Resolves: of, Purpose: "test", Actor: "test"}
		if amount > 0 {
			x.Entries = ledgertest.Transfer(uuid.Nil, ledger.StripeClearing, ledger.CustomerDeposits, amount).Entries
		}
		return single(x)
	}
	back := func() []ledger.Transaction {
		x := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 60)
		x.Reverses = h.posted
		return single(x)
	}
	on := func(year int, month time.Month) time.Time { return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC) }
	dated := func(year int, month time.Month) []ledger.Transaction {
		x := one()
		x[0].EffectiveOn = on(year, month).AddDate(0, 0, 14)
		return x
	}
	arg := func(i int, v any) func(*forgery, []any) { return func(_ *forgery, a []any) { a[i] = v } }

	all := []attack{
		// The head.
		{name: "a gap in the sequence", batch: one(), does: func(f *forgery) { f.head.Seq++; f.recorded[0].Seq++ }, want: "stale"},
		{name: "a sequence number again", batch: one(), does: func(f *forgery) { f.head.Seq--; f.recorded[0].Seq-- }, want: "stale"},
		{name: "another head's hash", batch: one(), does: func(f *forgery) { f.head.Hash[0] ^= 1 }, want: "stale"},
		{name: "an older version", batch: one(), does: func(f *forgery) { f.head.Version-- }, want: "stale"},
		{name: "no version", batch: one(), args: arg(argVersion, nil), want: "stale"},
		{name: "no sequence", batch: one(), args: arg(argSeq, nil)},
		{name: "no hash of the head", batch: one(), args: arg(argHash, nil), want: "chain"},
		{name: "another tenant's book", batch: one(), args: func(f *forgery, a []any) { a[argBook] = f.theirs }, want: "no such book"},
		{name: "no book", batch: one(), args: arg(argBook, nil)},
		{name: "another tenant", batch: one(), args: arg(argTenant, uuid.New()), want: "tenant"},
		{name: "no tenant", batch: one(), args: arg(argTenant, nil), want: "tenant"},
		// The time.
		{name: "the future", batch: one(), does: func(f *forgery) { f.shift(6 * time.Minute) }, want: "not now"},
		{name: "the past", batch: one(), does: func(f *forgery) { f.shift(-6 * time.Minute) }, want: "not now"},
		{name: "the head's own time", batch: one(), does: func(f *forgery) { f.recorded[0].RecordedAt = f.head.RecordedAt }},
		{name: "before the head", batch: one(), does: func(f *forgery) { f.recorded[0].RecordedAt = f.head.RecordedAt.Add(-time.Second) }, want: "not now"},
		{name: "no time", batch: one(), args: arg(argAt, nil)},
		{name: "never", batch: one(), args: arg(argAt, pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true})},
		{name: "ever", batch: one(), args: arg(argAt, pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true})},
		// The chain.
		{name: "a wrong hash", batch: one(), after: func(f *forgery) { f.recorded[0].Hash[31] ^= 1 }, want: "chain"},
		{name: "a wrong hash in the middle", batch: two(), after: func(f *forgery) { f.recorded[0].Hash[31] ^= 1 }, want: "chain"},
		{name: "hashes in another order", batch: two(), after: func(f *forgery) {
			f.recorded[0].Hash, f.recorded[1].Hash = f.recorded[1].Hash, f.recorded[0].Hash
		}, want: "chain"},
		{name: "another reason than was hashed", batch: one(), after: func(f *forgery) { f.recorded[0].Reason = "another" }, want: "chain"},
		{name: "another amount than was hashed", batch: one(), after: func(f *forgery) {
			f.line(0, 0).Amount, f.line(0, 1).Amount = 99, 99
			f.line(0, 0).PostedAfter--
			f.line(0, 1).PostedAfter++
		}, want: "chain"},
		{name: "periods from nought", batch: two(), args: func(_ *forgery, a []any) {
			a[argPeriod] = bounded(a[argPeriod], 0)
			a[argOf] = []int32{0, 0, 1, 1}
			a[argLine] = []int16{7, 8, 1, 2}
		}},
		{name: "lines on the transaction before", batch: two(), does: func(f *forgery) {
			for _, r := range f.recorded {
				r.Lines[0].Number, r.Lines[1].Number = 7, 8
			}
			f.recorded[0].RecordedAt = f.head.RecordedAt.Add(time.Microsecond)
			f.recorded[1].RecordedAt = f.head.RecordedAt.Add(2 * time.Microsecond)
		}, args: func(_ *forgery, a []any) {
			a[argPeriod] = bounded(a[argPeriod], 0)
			a[argOf] = []int32{0, 0, 1, 1}
		}},
		// Balances and bounds.
		{name: "a balance after that is too high", batch: one(), lies: func(f *forgery) { f.line(0, 0).PostedAfter++ }, want: "balance"},
		{name: "a held sum that is too high", batch: pending(), lies: func(f *forgery) { f.line(0, 0).HeldDebitsAfter++ }, want: "balance"},
		{name: "a held sum on a posted line", batch: one(), lies: func(f *forgery) { f.line(0, 1).HeldCreditsAfter += 5 }, want: "balance"},
		{name: "a stale balance, consistently", batch: two(), lies: func(f *forgery) { f.line(0, 1).PostedAfter += 10; f.line(1, 1).PostedAfter += 10 }, want: "balance"},
		{name: "under the floor", batch: move(wallet, ledger.CashBank, 500), does: func(f *forgery) { f.amount(0, 501) }, want: "bounds"},
		{
			name: "under the floor, lying about the balance", batch: move(wallet, ledger.CashBank, 500), does: func(f *forgery) { f.amount(0, 900) },
			lies: func(f *forgery) { f.line(0, 0).PostedAfter -= 1000 }, want: "balance",
		},
		{
			name: "under the floor and back", batch: append(move(wallet, ledger.CashBank, 100), move(ledger.CashBank, wallet, 900)...),
			does: func(f *forgery) { f.amount(0, 900) }, want: "bounds",
		},
		{name: "under the floor with what is held", batch: pendingOf(move(wallet, ledger.CashBank, 500)), does: func(f *forgery) { f.amount(0, 501) }, want: "bounds"},
		{name: "over the ceiling", batch: move(pot, ledger.CustomerDeposits, 500), does: func(f *forgery) { f.amount(0, 501) }, want: "bounds"},
		{name: "over the ceiling with what is held", batch: pendingOf(move(pot, ledger.CustomerDeposits, 500)), does: func(f *forgery) { f.amount(0, 501) }, want: "bounds"},
		// Lines.
		{name: "unbalanced", batch: one(), does: func(f *forgery) { f.line(0, 0).Amount++ }, want: "unbalanced"},
		{name: "balanced in total, not by currency", batch: one(), does: func(f *forgery) { f.move(0, 0, ledger.StripeClearing, "eur") }, want: "unbalanced"},
		{
			name: "balanced in total, currencies unsaid", batch: one(), does: func(f *forgery) { f.move(0, 0, ledger.StripeClearing, "eur") },
			args: arg(argName, []*string{nil, nil}), want: "line",
		},
		{name: "balanced over two transactions", batch: two(), does: func(f *forgery) { f.line(0, 0).Amount++; f.line(1, 0).Amount-- }, want: "unbalanced"},
		{name: "all on one side", batch: one(), does: func(f *forgery) { f.line(0, 1).Side = ledger.Debit }, want: "unbalanced"},
		{name: "a currency that is not the account's", batch: one(), args: arg(argName, []string{"1020eur", "2010eur"}), want: "chain"},
		{name: "another tenant's account", batch: one(), does: func(f *forgery) { f.move(0, 0, alien, "usd") }, want: "account"},
		{name: "another book's account", batch: one(), does: func(f *forgery) { f.move(0, 0, foreign, "usd") }, want: "account"},
		{name: "an account that is not there", batch: one(), does: func(f *forgery) { f.line(0, 0).AccountID = -1 }, want: "account"},
		{name: "a closed account", batch: one(), does: func(f *forgery) { f.move(0, 0, shut, "usd") }, want: "account"},
		{name: "nothing", batch: one(), does: func(f *forgery) { f.amount(0, 0) }},
		{name: "less than nothing", batch: one(), does: func(f *forgery) { f.amount(0, -100) }},
		{name: "more than a number holds", batch: one(), does: func(f *forgery) { f.amount(0, math.MaxInt64) }},
		{name: "more than a number holds, in two lines", batch: two(), does: func(f *forgery) { f.amount(0, math.MaxInt64-100); f.amount(1, math.MaxInt64-100) }},
		{name: "an unknown side", batch: one(), does: func(f *forgery) { f.line(0, 0).Side = "X" }},
		{name: "a line number twice", batch: one(), does: func(f *forgery) { f.line(0, 1).Number = 1 }},
		{name: "line numbers from nought", batch: one(), does: func(f *forgery) { f.line(0, 0).Number, f.line(0, 1).Number = 0, 1 }, want: "line"},
		{name: "a gap in the line numbers", batch: one(), does: func(f *forgery) { f.line(0, 1).Number = 3 }, want: "line"},
		{name: "negative line numbers", batch: one(), does: func(f *forgery) { f.line(0, 0).Number = -1 }, want: "line"},
		{name: "line numbers against the order", batch: one(), does: func(f *forgery) { f.line(0, 0).Number, f.line(0, 1).Number = 2, 1 }},
		{
			name: "line numbers against the order of one account", batch: append(move(ledger.CashBank, ledger.CashBank, 5), move(ledger.CashBank, ledger.CashBank, 6)...),
			does: func(f *forgery) { f.line(1, 0).Number, f.line(1, 1).Number = 2, 1 },
		},
		{name: "lines of a transaction that is not in the batch", batch: two(), args: arg(argOf, []int32{1, 1, 3, 3})},
		{name: "lines before the batch", batch: two(), args: arg(argOf, []int32{0, 0, 1, 1})},
		{name: "lines of nobody", batch: two(), args: arg(argOf, []*int32{ptr[int32](1), ptr[int32](1), nil, nil})},
		{name: "lines of the other transaction", batch: two(), args: arg(argOf, []int32{2, 2, 1, 1})},
		{name: "a transaction without lines", batch: two(), does: func(f *forgery) { f.recorded[1].Lines = nil }, want: "line"},
		{name: "one line", batch: one(), does: func(f *forgery) { f.recorded[0].Lines = f.recorded[0].Lines[:1] }},
		// Which line of an account comes before which.
		{name: "a line passed over", batch: append(two(), one()...), args: func(_ *forgery, a []any) { a[argPrev] = []int32{0, 0, 0, 2, 1, 2} }, want: "balance"},
		{name: "an account begun twice", batch: append(one(), one()...), args: func(_ *forgery, a []any) { a[argPrev] = []int32{0, 0, 0, 0} }, want: "balance"},
		{name: "another account's line before it", batch: append(one(), one()...), args: func(_ *forgery, a []any) { a[argPrev] = []int32{0, 0, 2, 1} }, want: "balance"},
		{name: "a later line before it", batch: append(one(), one()...), args: func(_ *forgery, a []any) { a[argPrev] = []int32{3, 4, 0, 0} }, want: "balance"},
		// Layers.
		{name: "posted that holds", batch: one(), does: func(f *forgery) { f.layer(0, ledger.LayerHeld) }, want: "layers"},
		{name: "pending that posts", batch: pending(), does: func(f *forgery) { f.layer(0, ledger.LayerPosted) }, want: "layers"},
		{name: "posted that releases", batch: one(), does: func(f *forgery) { f.amount(0, 10); f.layer(0, ledger.LayerReleased) }, want: "layers"},
		{name: "void that posts", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.layer(0, ledger.LayerPosted) }, want: "layers"},
		{name: "an unknown layer", batch: one(), does: func(f *forgery) { f.layer(0, "X") }},
		{name: "an unknown kind", batch: one(), does: func(f *forgery) { f.recorded[0].Kind = "gift" }},
		{name: "an unknown kind that releases", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Kind = "gift" }},
		{name: "a void of nothing", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = uuid.Nil }, args: arg(argResolves, []pgtype.UUID{{}})},
		// Pending ones.
		{name: "resolved again", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = f.ended }, want: "journal_link_once"},
		{name: "another hold than is released", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = f.small }, want: "exceeds pending"},
		{name: "a hold that is not there", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = uuid.New() }, want: "target"},
		{name: "a hold that is not pending", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = f.posted }, want: "not pending"},
		{name: "itself", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Resolves = f.recorded[0].ID }, want: "target"},
		{name: "less released than held", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.amount(0, 99) }, want: "exceeds pending"},
		{name: "more released than held", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.amount(0, 101) }, want: "exceeds pending"},
		{name: "more posted than held", batch: resolve(h.hold, ledger.PostPending, 100), does: func(f *forgery) { f.line(0, 2).Amount++; f.line(0, 3).Amount++ }, want: "exceeds pending"},
		{name: "posted to another account than held", batch: resolve(h.hold, ledger.PostPending, 100), does: func(f *forgery) { f.move(0, 2, ledger.CashBank, "usd") }, want: "exceeds pending"},
		{name: "posted on the other sides than held", batch: resolve(h.hold, ledger.PostPending, 100), does: func(f *forgery) {
			f.line(0, 2).Side, f.line(0, 3).Side = ledger.Credit, ledger.Debit
		}, want: "exceeds pending"},
		{name: "posted without release", batch: resolve(h.hold, ledger.PostPending, 100), does: func(f *forgery) {
			r := f.recorded[0]
			r.Lines = r.Lines[2:]
			r.Lines[0].Number, r.Lines[1].Number = 1, 2
		}, want: "layers"},
		{name: "released after it posts", batch: resolve(h.hold, ledger.PostPending, 100), does: func(f *forgery) {
			l := f.recorded[0].Lines
			l[0], l[1], l[2], l[3] = l[2], l[3], l[0], l[1]
			l[0].Number, l[1].Number, l[2].Number, l[3].Number = 1, 2, 3, 4
		}, want: "line"},
		{name: "expired before its time", batch: resolve(h.hold, ledger.VoidPending, 0), does: func(f *forgery) { f.recorded[0].Kind = ledger.ExpirePending }, want: "expiry"},
		{name: "voided after its time", batch: resolve(h.expired, ledger.ExpirePending, 0), does: func(f *forgery) { f.recorded[0].Kind = ledger.VoidPending }, want: "expiry"},
		{name: "an end on what is posted", batch: one(), does: func(f *forgery) { f.recorded[0].ExpiresAt = time.Now().Add(time.Hour) }, want: "journal_expiry_of_pending"},
		{name: "posted that resolves", batch: one(), does: func(f *forgery) { f.recorded[0].Resolves = f.hold }, want: "journal_resolves_when_due"},
		// Reversals.
		{name: "reversed again", batch: back(), does: func(f *forgery) { f.recorded[0].Reverses = f.reversed; f.amount(0, 5) }, want: "journal_link_once"},
		{name: "reversed in part", batch: back(), does: func(f *forgery) { f.amount(0, 59) }, want: "not the mirror"},
		{name: "reversed with more", batch: back(), does: func(f *forgery) { f.amount(0, 61) }, want: "not the mirror"},
		{name: "reversed into itself", batch: back(), does: func(f *forgery) {
			f.line(0, 0).Side, f.line(0, 1).Side = ledger.Credit, ledger.Debit
		}, want: "not the mirror"},
		{name: "reversed on another account", batch: back(), does: func(f *forgery) { f.move(0, 1, ledger.CashBank, "usd") }, want: "not the mirror"},
		{name: "reversed and something more", batch: back(), does: func(f *forgery) {
			r := f.recorded[0]
			r.Lines = append(r.Lines, r.Lines[0], r.Lines[1])
			r.Lines[2].Number, r.Lines[3].Number = 3, 4
			f.move(0, 2, ledger.CashBank, "usd")
			f.move(0, 3, ledger.CashBank, "usd")
		}, want: "not the mirror"},
		{name: "a pending one reversed", batch: back(), does: func(f *forgery) { f.recorded[0].Reverses = f.hold }, want: "not reversible"},
		{name: "what is not there reversed", batch: back(), does: func(f *forgery) { f.recorded[0].Reverses = uuid.New() }, want: "target"},
		{name: "itself reversed", batch: back(), does: func(f *forgery) { f.recorded[0].Reverses = f.recorded[0].ID }, want: "target"},
		{name: "a hold that reverses", batch: pending(), does: func(f *forgery) { f.recorded[0].Reverses = f.posted }, want: "journal_reverses_posted"},
		// Ids.
		{name: "an id that is there", batch: one(), does: func(f *forgery) { f.recorded[0].ID = f.posted }, want: "journal_key_pkey"},
		{name: "one id twice", batch: two(), does: func(f *forgery) { f.recorded[1].ID = f.recorded[0].ID }, want: "journal_key_pkey"},
		{name: "the id that means none", batch: one(), does: func(f *forgery) { f.recorded[0].ID = uuid.Nil }},
		// Periods.
		{name: "a closed period", batch: dated(2026, 8), does: func(f *forgery) { f.recorded[0].Period = on(2026, 8) }, want: "period"},
		{name: "a softly closed period", batch: dated(2026, 9), does: func(f *forgery) { f.recorded[0].Period = on(2026, 9) }, want: "period"},
		{
			name: "a softly closed period with an approval of nothing", batch: dated(2026, 9), does: func(f *forgery) { f.recorded[0].Period = on(2026, 9) },
			args: arg(argApproval, []string{""}), want: "period",
		},
		{name: "a period before it happened", batch: dated(2026, 11), does: func(f *forgery) { f.recorded[0].Period = on(2026, 10) }, want: "period"},
		{name: "a period after it happened", batch: dated(2026, 11), does: func(f *forgery) { f.recorded[0].Period = on(2026, 12) }, want: "period"},
		{name: "not the first open period", batch: dated(2026, 8), does: func(f *forgery) { f.recorded[0].Period = on(2031, 1) }, want: "period"},
		{name: "not the first open period, approved", batch: dated(2026, 8), does: func(f *forgery) {
			f.recorded[0].Approval, f.recorded[0].Period = "approved", on(2026, 10)
		}, want: "period"},
		{name: "a period that is no month", batch: dated(2026, 11), does: func(f *forgery) { f.recorded[0].Period = on(2026, 11).AddDate(0, 0, 1) }, want: "period"},
		{name: "a day that never comes", batch: one(), args: arg(argEffective, []pgtype.Date{{InfinityModifier: pgtype.Infinity, Valid: true}})},
		{name: "a period that never comes", batch: one(), args: arg(argPeriod, []pgtype.Date{{InfinityModifier: pgtype.Infinity, Valid: true}})},
		{name: "an end that never comes", batch: pending(), args: arg(argExpires, []pgtype.Timestamptz{{InfinityModifier: pgtype.Infinity, Valid: true}})},
		// Texts.
		{name: "by hand without approval", batch: one(), does: func(f *forgery) { f.recorded[0].Purpose = "manual.gift" }, want: "journal_manual_is_approved"},
		{
			name: "by hand with an approval of nothing", batch: one(), does: func(f *forgery) { f.recorded[0].Purpose = "manual.gift" },
			args: arg(argApproval, []string{""}), want: "journal_manual_is_approved",
		},
		{name: "for nothing", batch: one(), does: func(f *forgery) { f.recorded[0].Purpose = "" }, want: "journal_purpose_length"},
		{name: "by nobody", batch: one(), does: func(f *forgery) { f.recorded[0].Actor = "" }, want: "journal_actor_length"},
		{name: "a reason without end", batch: one(), does: func(f *forgery) { f.recorded[0].Reason = strings.Repeat("x", 2001) }, want: "journal_reason_length"},
		// The whole.
		{name: "an empty batch", batch: one(), args: func(_ *forgery, a []any) {
			for i := argID; i <= argHeldCredits; i++ {
				a[i] = reflect.MakeSlice(reflect.TypeOf(a[i]), 0, 0).Interface()
			}
		}, want: "1 to 10000"},
		{name: "too much at once", batch: one(), args: arg(argID, make([]pgtype.UUID, 10001)), want: "1 to 10000"},
	}
	// Arrays that do not belong together, and nothing where something must be.
	may := map[int]bool{argResolves: true, argReverses: true, argExpires: true, argSaga: true, argOrder: true, argDocument: true, argApproval: true}
	for i := argID; i <= argHeldCredits; i++ {
		all = append(
			all,
			attack{name: fmt.Sprintf("argument %d: the array missing", i+1), batch: two(), args: func(_ *forgery, a []any) {
				if may[i] {
					i = argID
				}
				a[i] = nil
			}},
			attack{name: fmt.Sprintf("argument %d: the array longer", i+1), batch: two(), args: func(_ *forgery, a []any) { a[i] = stretched(a[i], true) }},
			attack{name: fmt.Sprintf("argument %d: the array longer by nothing", i+1), batch: two(), args: func(_ *forgery, a []any) { a[i] = stretched(a[i], false) }},
		)
		if !may[i] {
			all = append(
				all,
				attack{name: fmt.Sprintf("argument %d: the array shorter", i+1), batch: two(), args: func(_ *forgery, a []any) {
					v := reflect.ValueOf(a[i])
					a[i] = v.Slice(0, v.Len()-1).Interface()
				}},
				attack{name: fmt.Sprintf("argument %d: an element missing", i+1), batch: two(), args: func(_ *forgery, a []any) { a[i] = holed(a[i], 0) }},
				attack{name: fmt.Sprintf("argument %d: the last element missing", i+1), batch: two(), args: func(_ *forgery, a []any) {
					a[i] = holed(a[i], reflect.ValueOf(a[i]).Len()-1)
				}},
			)
		}
	}
	return all
}

func (f *forgery) shift(d time.Duration) {
	for _, r := range f.recorded {
		r.RecordedAt = r.RecordedAt.Add(d)
	}
}

func (f *forgery) amount(of int, n int64) {
	for i := range f.recorded[of].Lines {
		f.recorded[of].Lines[i].Amount = n
	}
}

func (f *forgery) layer(of int, layer ledger.Layer) {
	for i := range f.recorded[of].Lines {
		f.recorded[of].Lines[i].Layer = layer
	}
}

func ptr[T any](v T) *T { return &v }

func pendingOf(batch []ledger.Transaction) []ledger.Transaction {
	for i := range batch {
		batch[i].Kind = ledger.Pending
	}
	return batch
}

// bounded is the array with another first index than 1.
func bounded(array any, first int32) any {
	v := reflect.ValueOf(array)
	out := pgtype.Array[any]{Valid: true, Dims: []pgtype.ArrayDimension{{Length: int32(v.Len()), LowerBound: first}}}
	for i := range v.Len() {
		out.Elements = append(out.Elements, v.Index(i).Interface())
	}
	return out
}

// stretched is the array with one element more: the last again, or null.
func stretched(array any, again bool) any {
	v := holes(array)
	last := reflect.Zero(v.Type().Elem())
	if again {
		last = v.Index(v.Len() - 1)
	}
	return reflect.Append(v, last).Interface()
}

// holed is the array with a null in it.
func holed(array any, at int) any {
	v := holes(array)
	v.Index(at).SetZero()
	return v.Interface()
}

// holes is the array as one of pointers, whose nil is null.
func holes(array any) reflect.Value {
	v := reflect.ValueOf(array)
	out := reflect.MakeSlice(reflect.SliceOf(reflect.PointerTo(v.Type().Elem())), v.Len(), v.Len())
	for i := range v.Len() {
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Index(i))
		out.Index(i).Set(p)
	}
	return out
}

// Whoever may execute the door gets nothing through it that the rules of the
// books forbid, whatever else about the batch is computed right.
func TestTheDoorRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	before := h.fingerprint(t.Context(), t)
	for _, a := range h.attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, h, a, false)
		})
		if a.args == nil {
			t.Run(a.name+", in the door's own rows", func(t *testing.T) {
				t.Parallel()
				requireRefused(t, h, a, true)
			})
		}
	}
	// What the attacks spoil would have been taken.
	t.Run("not spoiled", func(t *testing.T) {
		t.Parallel()
		for _, a := range h.attacks() {
			for _, rows := range []bool{false, true} {
				outcome, err := h.knock(t, attack{name: a.name, batch: a.batch}, rows)
				require.NoError(t, err, a.name)
				require.Equal(t, "posted", outcome, a.name)
			}
		}
	})
	t.Cleanup(func() {
		require.Equal(t, before, h.fingerprint(context.WithoutCancel(t.Context()), t), "nothing was written")
		requireSound(t, h.db)
	})
}

func requireRefused(t *testing.T, h *hostile, a attack, rows bool) {
	t.Helper()
	outcome, err := h.knock(t, a, rows)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg, "the door took it: %q", outcome)
	if a.want == "stale" {
		require.Equal(t, "LG003", pg.Code, pg.Message)
		return
	}
	require.Contains(t, pg.Message+" "+pg.ConstraintName, a.want, pg.Code)
}

var errNotKept = errors.New("not kept")

// knock spoils a batch and takes it to the door, an array a column or in the
// door's own rows. What the door takes is not kept, so that one hole does not
// hide another.
func (h *hostile) knock(t *testing.T, a attack, rows bool) (outcome string, err error) {
	t.Helper()
	ctx := t.Context()
	spoiled := a.does != nil || a.lies != nil || a.after != nil || a.args != nil
	err = pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, h.book.Tenant.String()); err != nil {
			return err
		}
		head, recorded, results, err := h.store.Compute(ctx, tx, h.book, a.batch)
		if err != nil {
			return err
		}
		for _, r := range results {
			require.NoError(t, r.Err(), "the batch must be good before it is spoiled")
		}
		f := &forgery{hostile: h, head: head, recorded: recorded}
		if a.does != nil {
			a.does(f)
			f.settle(ctx, t, tx)
		}
		if a.lies != nil {
			a.lies(f)
		}
		if spoiled {
			f.chain()
		}
		if a.after != nil {
			a.after(f)
		}
		if rows {
			args, err := postgres.DoorRows(ctx, tx.Conn(), h.book, f.head, f.recorded)
			if err == nil {
				_, err = tx.Conn().PgConn().ExecParams(ctx, postgres.Door, args, nil, []int16{1}, nil).Close()
			}
			if err != nil {
				return err
			}
			outcome = "posted"
			return errNotKept
		}
		args := postgres.DoorArguments(h.book, f.head, f.recorded)
		if a.args != nil {
			a.args(f, args)
		}
		if _, err := tx.Exec(ctx, postgres.PostBatch, args...); err != nil {
			return err
		}
		outcome = "posted"
		return errNotKept
	})
	if errors.Is(err, errNotKept) {
		err = nil
	}
	return outcome, err
}
