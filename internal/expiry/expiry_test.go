package expiry_test

import (
	"context"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/expiry"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

type shop struct {
	*testing.T
	db    *pgtest.DB
	super *pgxpool.Pool
	store *postgres.Store
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{T: t, db: pgtest.New(t)}
	s.super, s.store = s.db.Super(), postgres.New(s.db.Pool("app_worker"))
	return s
}

// loop is one worker's.
func (s *shop) loop() *expiry.Loop {
	pool := s.db.Pool("app_worker")
	return &expiry.Loop{Pool: pool, Books: postgres.New(pool), Log: slog.New(slog.DiscardHandler), Pace: expiry.Pace{Renew: time.Second, Look: time.Millisecond}}
}

// holds are n pending transactions of 100 that end at some time.
func (s *shop) holds(tenant uuid.UUID, n int, at func(i int) time.Time) []ledger.Transaction {
	s.Helper()
	batch := make([]ledger.Transaction, n)
	for i := range batch {
		batch[i] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
		batch[i].Kind, batch[i].ExpiresAt, batch[i].SagaID, batch[i].OrderRef = ledger.Pending, at(i), "sg_1", "A-1"
	}
	s.post(tenant, batch...)
	return batch
}

func (s *shop) post(tenant uuid.UUID, batch ...ledger.Transaction) {
	s.Helper()
	results, err := s.store.Post(s.Context(), ledger.Main(tenant), batch)
	require.NoError(s, err)
	for _, r := range results {
		require.NoError(s, r.Err())
	}
}

func (s *shop) count(sql string, args ...any) (n int) {
	s.Helper()
	require.NoError(s, s.super.QueryRow(s.Context(), sql, args...).Scan(&n))
	return n
}

// requireEnded holds the books against what a hold's end means: each resolved
// once, nothing pending, nothing on the list, all of it sound.
func (s *shop) requireEnded(holds int) {
	s.Helper()
	require.Equal(s, holds, s.count(`select count(*) from ledger.journal_link where relation = 'resolves'`))
	require.Zero(s, s.count(`select count(*) from ledger.hold`))
	require.Zero(s, s.count(`select count(*) from ledger.balance where debits_pending <> 0 or credits_pending <> 0`))
	conn, err := pgx.Connect(s.Context(), s.db.URL("auditor_ro"))
	require.NoError(s, err)
	defer func() { _ = conn.Close(context.WithoutCancel(s.Context())) }()
	found, err := postgres.Verify(s.Context(), conn, 10)
	require.NoError(s, err)
	require.Empty(s, found)
}

func past(i int) time.Time { return time.Now().Add(-time.Minute + time.Duration(i)*time.Millisecond) }
func future(int) time.Time { return time.Now().Add(time.Hour) }

func TestHoldsPastTheirTimeExpire(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenant := s.db.Tenant()
	due := s.holds(tenant, 3, past)
	later := s.holds(tenant, 1, future)
	always := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 7)
	always.Kind = ledger.Pending
	s.post(tenant, always)

	l := s.loop()
	for range 3 { // again is nothing
		require.NoError(t, l.Round(t.Context()))
	}
	require.Equal(t, int64(3), l.Expired.Load())
	require.Equal(t, 3, s.count(`select count(*) from ledger.journal where kind = 'expire_pending' and actor = 'expiry' and saga_id = 'sg_1' and order_ref = 'A-1'`))
	require.Equal(t, 1, s.count(`select count(*) from ledger.hold`), "the one of the future")
	require.Equal(t, 107, s.count(`select sum(debits_pending) from ledger.balance`))
	recorded, err := s.store.TransactionsOfSaga(t.Context(), ledger.Main(tenant), "sg_1")
	require.NoError(t, err)
	last := recorded[len(recorded)-1]
	require.Equal(t, []uuid.UUID{due[2].ID, ledger.ExpiryID(due[2].ID)}, []uuid.UUID{last.Resolves, last.ID})

	s.post(tenant, ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: later[0].ID, Purpose: "test", Actor: "test"},
		ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: always.ID, Purpose: "test", Actor: "test"})
	n, err := s.store.ForgetHolds(t.Context(), ledger.Main(tenant), []uuid.UUID{later[0].ID, always.ID, uuid.New()})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	s.requireEnded(5)
}

// Killed between the commit and the list, and with the answer never learned.
func TestAnExpiryThatWasNotLearnedIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenant := s.db.Tenant()
	s.holds(tenant, 20, past)
	due, err := s.store.DueHolds(t.Context(), 100, 100)
	require.NoError(t, err)
	require.Len(t, due, 20)
	for _, h := range due[:10] {
		s.post(tenant, expiry.Expiry(h))
	}
	require.Equal(t, 20, s.count(`select count(*) from ledger.hold`))
	n, err := s.store.ForgetHolds(t.Context(), ledger.Main(tenant), []uuid.UUID{due[19].ID})
	require.NoError(t, err)
	require.Zero(t, n, "what is pending stays on the list whatever a caller says")
	l := s.loop()
	require.NoError(t, l.Round(t.Context()))
	require.Equal(t, int64(10), l.Expired.Load())
	s.requireEnded(20)
}

// Two leaders at once, and whoever holds posting and voiding while the time
// runs out: each hold ends exactly one way.
func TestEachHoldEndsOnceWhoeverIsFaster(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenant := s.db.Tenant()
	const n = 60
	soon := time.Now().Add(500 * time.Millisecond)
	holds := s.holds(tenant, n, func(int) time.Time { return soon })
	loops := []*expiry.Loop{s.loop(), s.loop()}
	var mu sync.Mutex
	outcomes := map[ledger.Outcome]int{}
	var all sync.WaitGroup
	for _, l := range loops {
		all.Go(func() {
			for s.count(`select count(*) from ledger.hold`) > 0 {
				if err := l.Round(t.Context()); err != nil {
					t.Errorf("round: %v", err)
					return
				}
			}
		})
	}
	others := postgres.New(s.db.Pool("app_api"))
	for k, h := range holds {
		all.Go(func() {
			end := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: h.ID, Purpose: "test", Actor: "test"}
			if k%3 == 0 {
				end.Kind, end.Entries = ledger.PostPending, h.Entries
			}
			<-time.After(time.Until(soon) - time.Duration(k-10)*8*time.Millisecond) // from well before it is due to shortly after
			results, err := others.Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{end})
			if err != nil {
				t.Errorf("post: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[results[0].Outcome]++
		})
	}
	all.Wait()
	t.Log(outcomes, "expired:", loops[0].Expired.Load(), loops[1].Expired.Load())
	require.EqualValues(t, n, int64(outcomes[ledger.Created])+loops[0].Expired.Load()+loops[1].Expired.Load())
	require.Equal(t, n, outcomes[ledger.Created]+outcomes[ledger.PendingExpired]+outcomes[ledger.PendingAlreadyResolved])
	s.requireEnded(n)
}

// A book with a long backlog does not keep another waiting, nor does one that
// cannot be posted to.
func TestEveryBookGetsItsTurn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	many, few, stuck := s.db.Tenant(), s.db.Tenant(), s.db.Tenant()
	for range 3 {
		s.holds(many, 500, past)
	}
	s.holds(stuck, 1, past)
	s.holds(few, 2, func(int) time.Time { return time.Now().Add(-time.Second) })
	lock, err := s.super.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = lock.Exec(t.Context(), `select from ledger.book where tenant_id = $1 for update`, stuck)
	require.NoError(t, err)
	l := s.loop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- l.Round(ctx) }()
	require.Eventually(t, func() bool { return l.Expired.Load() == 1002 }, 30*time.Second, time.Millisecond, "a thousand of one and all of the other")
	cancel()
	require.ErrorContains(t, <-ended, stuck.String())
	require.NoError(t, lock.Rollback(t.Context()))
	for s.count(`select count(*) from ledger.hold`) > 0 { // what was given up comes again
		require.NoError(t, l.Round(t.Context()))
	}
	s.requireEnded(1503)
}

// Looking costs what is found, not what waits.
func TestLookingForHoldsReadsNoWholeTable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenant := s.db.Tenant()
	s.holds(tenant, 5, past)
	_, err := s.super.Exec(t.Context(), `begin; set local role ledger_owner; select set_config('ledger.door', 'open', true);
		insert into ledger.hold (expires_at, tenant_id, id, book_id, entity)
		select clock_timestamp() + interval '1 hour' + g * interval '1 second', gen_random_uuid(), gen_random_uuid(), g % 20 + 100, 'main' from generate_series(1, 100000) g; commit`)
	require.NoError(t, err)
	_, err = s.super.Exec(t.Context(), `vacuum analyze ledger.hold`)
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), s.db.URL("app_worker"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var lines []string
	for range 2 { // the first time it also reads the catalogue
		rows, err := conn.Query(t.Context(), `explain (analyze, buffers, format text) select * from ledger.due_holds(1000, 20000)`)
		require.NoError(t, err)
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
	}
	plan := strings.Join(lines, "\n")
	m := regexp.MustCompile(`Buffers: shared hit=(\d+)(?: read=(\d+))?`).FindStringSubmatch(plan)
	require.NotNil(t, m, plan)
	blocks := 0
	for _, text := range m[1:] {
		n, _ := strconv.Atoi(text) // not there: none were read
		blocks += n
	}
	t.Logf("%d blocks for 5 of 100,005 holds in 21 books", blocks)
	require.Less(t, blocks, 400, plan)
	due, err := s.store.DueHolds(t.Context(), 1000, 20_000)
	require.NoError(t, err)
	require.Len(t, due, 5)
}

func TestOneWorkerLeadsAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	tenant := s.db.Tenant()
	first, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	a, b := s.loop(), s.loop()
	all.Go(func() { a.Run(first) })
	s.holds(tenant, 2, past)
	require.Eventually(t, func() bool { return a.Expired.Load() == 2 }, 30*time.Second, time.Millisecond)
	second, end := context.WithCancel(t.Context())
	all.Go(func() { b.Run(second) })
	stop()
	s.holds(tenant, 2, past)
	require.Eventually(t, func() bool { return s.count(`select count(*) from ledger.hold`) == 0 }, 30*time.Second, time.Millisecond)
	end()
	all.Wait()
	require.Equal(t, int64(4), a.Expired.Load()+b.Expired.Load())
	s.requireEnded(4)
}
