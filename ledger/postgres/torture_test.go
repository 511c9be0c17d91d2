package postgres_test

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pglocal"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// An action is what a client did: posted a transaction, or read the balances.
// Where it belongs is worked out afterwards, from the books as they are in the
// end, and handed to the checker: see place.
type action struct {
	post *ledger.Transaction // nil: read

	changes bool  // it put its transaction into the books
	seq     int64 // there, or of the last transaction before it
	before  int   // of one that changes: how many that do not stand between it and the change before
}

// An answer is what the client learned. Unknown: nothing.
type answer struct {
	unknown  bool
	result   ledger.Result
	balances [3]ledgertest.Sums
}

// accounts of the recording, by place in an answer's balances.
var watched = [3]string{ledger.StripeClearing, wallet, ledger.CustomerDeposits}

// specified is the state of the specification: a ledger of three accounts of
// which one has a floor.
type specified struct {
	seq      int64
	balances [3]ledgertest.Sums
	known    map[uuid.UUID]entered
	since    int // requests answered since the last change
}

type entered struct {
	seq      int64
	kind     ledger.Kind
	amount   int64
	resolved bool
}

// answers reports whether the specification, in this state, answers a request
// that changes nothing as it was answered.
func (s specified) answers(in action, out answer) bool {
	if in.post == nil {
		return out.balances == s.balances
	}
	outcome, seq := s.outcome(*in.post)
	return outcome != ledger.Created && out.result.Outcome == outcome && out.result.Seq == seq
}

// specification says what a ledger does that handles one request after
// another.
var specification = porcupine.Model{
	Init: func() any { return specified{known: map[uuid.UUID]entered{}} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(specified), input.(action), output.(answer)
		if !in.changes {
			next := s
			next.since++
			return s.seq == in.seq && s.answers(in, out), next
		}
		outcome, _ := s.outcome(*in.post)
		// Whoever lost the answer to a commit is told that it exists.
		told := out.unknown || out.result.Seq == in.seq && (out.result.Outcome == ledger.Created || out.result.Outcome == ledger.Exists)
		if outcome != ledger.Created || !told || s.seq+1 != in.seq || s.since != in.before {
			return false, s
		}
		return true, s.after(*in.post)
	},
	Equal: func(a, b any) bool {
		x, y := a.(specified), b.(specified)
		return x.seq == y.seq && x.since == y.since && x.balances == y.balances && maps.Equal(x.known, y.known)
	},
	Hash: func(state any) uint64 { return uint64(state.(specified).seq) },
}

// outcome is the specification of what posting answers.
func (s specified) outcome(t ledger.Transaction) (outcome ledger.Outcome, seq int64) {
	if known, ok := s.known[t.ID]; ok {
		return ledger.Exists, known.seq
	}
	if t.Resolves != uuid.Nil {
		hold, ok := s.known[t.Resolves]
		switch {
		case !ok || hold.kind != ledger.Pending:
			return ledger.PendingNotFound, 0
		case hold.resolved:
			return ledger.PendingAlreadyResolved, 0
		}
		return ledger.Created, s.seq + 1 // never more than was held
	}
	free := s.balances[1].CreditsPosted - s.balances[1].DebitsPosted - s.balances[1].DebitsPending
	for _, e := range t.Entries {
		if e.Account == wallet && e.Side == ledger.Debit && e.Amount > free {
			return ledger.FloorBreached, 0
		}
	}
	return ledger.Created, s.seq + 1
}

// after is the state after a transaction that is taken.
func (s specified) after(t ledger.Transaction) specified {
	next := specified{seq: s.seq + 1, balances: s.balances, known: maps.Clone(s.known)}
	entry := entered{seq: next.seq, kind: t.Kind}
	if t.Resolves != uuid.Nil {
		hold := s.known[t.Resolves]
		hold.resolved = true
		next.known[t.Resolves] = hold
		next.balances[1].DebitsPending -= hold.amount
		next.balances[2].CreditsPending -= hold.amount
	}
	for _, e := range t.Entries {
		b := &next.balances[slices.Index(watched[:], e.Account)]
		switch {
		case t.Kind == ledger.Pending && e.Side == ledger.Debit:
			b.DebitsPending += e.Amount
		case t.Kind == ledger.Pending:
			b.CreditsPending += e.Amount
		case e.Side == ledger.Debit:
			b.DebitsPosted += e.Amount
		default:
			b.CreditsPosted += e.Amount
		}
		entry.amount = e.Amount
	}
	next.known[t.ID] = entry
	return next
}

// place says of each operation where it belongs: one that changed the books
// where they have it, any other at the earliest place at which the
// specification answers it so and that its time allows. Without that the
// checker tries the others in every combination and does not end. Placing
// narrows the specification, so what the checker then accepts is linearizable;
// the earliest place leaves the most room for what follows, so nothing
// linearizable is turned down. Operations without effect or answer are left
// out: they could have been at any time.
func (h *recording) place(t *testing.T, seqs map[uuid.UUID]int64) []porcupine.Operation {
	t.Helper()
	slices.SortFunc(h.ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	changed := map[uuid.UUID]int{} // by which operation
	for i, op := range h.ops {
		in, out := op.Input.(action), op.Output.(answer)
		if in.post == nil || seqs[in.post.ID] == 0 {
			continue
		}
		_, have := changed[in.post.ID]
		if out.result.Outcome == ledger.Created || !have && (out.unknown || out.result.Outcome == ledger.Exists) {
			changed[in.post.ID] = i
		}
	}
	require.Len(t, changed, len(seqs), "something is in the books that nobody posted")
	changes := make([]porcupine.Operation, len(changed)+1)
	for _, i := range changed {
		in := h.ops[i].Input.(action)
		in.changes, in.seq = true, seqs[in.post.ID]
		h.ops[i].Input = in
		changes[in.seq] = h.ops[i]
	}
	states := make([]specified, len(changes))
	states[0] = specified{known: map[uuid.UUID]entered{}}
	for i := 1; i < len(states); i++ {
		states[i] = states[i-1].after(*changes[i].Input.(action).post)
	}
	var placed []porcupine.Operation
	before := make([]int, len(changes))
	for _, op := range h.ops {
		in, out := op.Input.(action), op.Output.(answer)
		if in.changes || out.unknown {
			continue
		}
		at := int64(0)
		for _, c := range changes[1:] {
			if c.Return < op.Call {
				at = max(at, c.Input.(action).seq)
			}
		}
		for _, p := range placed {
			if p.Return < op.Call {
				at = max(at, p.Input.(action).seq)
			}
		}
		for at < int64(len(states)-1) && !states[at].answers(in, out) {
			at++
		}
		if !states[at].answers(in, out) {
			t.Logf("client %d from %d to %d: %+v was answered %+v, which has no place", op.ClientId, op.Call, op.Return, in.post, out)
		}
		in.seq = at // the checker says no if there was no such place
		op.Input = in
		before[at]++
		placed = append(placed, op)
	}
	for _, c := range changes[1:] {
		in := c.Input.(action)
		in.before = before[in.seq-1]
		c.Input = in
		placed = append(placed, c)
	}
	return placed
}

// A recording records what clients did and when, by one clock.
type recording struct {
	mu    sync.Mutex
	start time.Time
	ops   []porcupine.Operation
}

func (h *recording) record(client int, in action, call int64, out answer) {
	op := porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: h.now()}
	if out.unknown {
		op.Return = 1 << 62 // it may come into effect at any time
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

func (h *recording) now() int64 { return time.Since(h.start).Nanoseconds() }

// client does random things to the book until the steps are done.
func (h *recording) client(ctx context.Context, t *testing.T, id, steps int, book ledger.Book, store, reader *postgres.Store, holds *sync.Map, done *atomic.Int64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(32, uint64(id)))
	var mine []ledger.Transaction
	for range steps {
		done.Add(1)
		if rng.IntN(6) == 0 {
			h.read(ctx, id, book, reader)
			continue
		}
		amount := 1 + rng.Int64N(20)
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, wallet, amount)
		switch rng.IntN(8) {
		case 0, 1, 2:
			x = ledgertest.Transfer(x.ID, wallet, ledger.CustomerDeposits, amount)
		case 3, 4:
			x = ledgertest.Transfer(x.ID, wallet, ledger.CustomerDeposits, amount)
			x.Kind = ledger.Pending
			holds.Store(x.ID, amount)
		case 5:
			holds.Range(func(of, held any) bool { // some hold, mine or another's
				x.Kind, x.Resolves, x.Entries = ledger.VoidPending, of.(uuid.UUID), nil
				if rng.IntN(2) == 0 {
					x.Kind, x.Entries = ledger.PostPending, ledgertest.Transfer(uuid.Nil, wallet, ledger.CustomerDeposits, 1+rng.Int64N(held.(int64))).Entries
				}
				if rng.IntN(2) == 0 {
					holds.Delete(of)
				}
				return rng.IntN(3) == 0
			})
		case 6:
			if len(mine) > 0 {
				x = mine[rng.IntN(len(mine))]
			}
		}
		mine = append(mine, x)
		// Whoever learns nothing asks again, as the interface says.
		for range 1 + rng.IntN(3) {
			patience := 20 * time.Second
			if rng.IntN(20) == 0 {
				patience = time.Duration(rng.IntN(10)) * time.Millisecond
			}
			call := h.now()
			posting, cancel := context.WithTimeout(ctx, patience)
			results, err := store.Post(posting, book, []ledger.Transaction{x})
			cancel()
			if err != nil {
				h.record(id, action{post: &x}, call, answer{unknown: true})
				continue
			}
			results[0].Recorded, results[0].Detail = nil, ""
			h.record(id, action{post: &x}, call, answer{result: results[0]})
			break
		}
	}
}

func (h *recording) read(ctx context.Context, client int, book ledger.Book, reader *postgres.Store) {
	call := h.now()
	list, err := reader.TrialBalance(ctx, book, "usd")
	if err != nil {
		return // a read that failed says nothing
	}
	var out answer
	for _, b := range list {
		for i, code := range watched {
			if b.Account.Code == code {
				out.balances[i] = ledgertest.Sums{
					DebitsPending: b.DebitsPending, CreditsPending: b.CreditsPending, DebitsPosted: b.DebitsPosted, CreditsPosted: b.CreditsPosted,
				}
			}
		}
	}
	h.record(client, action{}, call, out)
}

// check reads what is in the books in the end and asks porcupine.
func (h *recording) check(t *testing.T, super *pgxpool.Pool) {
	t.Helper()
	seqs := map[uuid.UUID]int64{}
	rows, err := super.Query(t.Context(), `select id, seq from ledger.journal`)
	require.NoError(t, err)
	var id uuid.UUID
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&id, &seq}, func() error { seqs[id] = seq; return nil })
	require.NoError(t, err)
	unknown, outcomes := 0, map[ledger.Outcome]int{}
	for _, op := range h.ops {
		switch in, out := op.Input.(action), op.Output.(answer); {
		case in.post == nil:
			outcomes["read"]++
		case out.unknown:
			unknown++
		default:
			outcomes[out.result.Outcome]++
		}
	}
	t.Logf("%d operations, %d of them with unknown outcome: %v", len(h.ops), unknown, outcomes)
	require.Positive(t, outcomes[ledger.FloorBreached])
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(specification, h.place(t, seqs), time.Minute), "the recording is not linearizable")
}

// The checker must be able to say no.
func TestTheCheckerFindsWhatIsNotLinearizable(t *testing.T) {
	t.Parallel()
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, wallet, 5)
	posted := porcupine.Operation{Input: action{post: &x}, Call: 0, Return: 10, Output: answer{result: ledger.Result{ID: x.ID, Seq: 1, Outcome: ledger.Created}}}
	after := [3]ledgertest.Sums{{DebitsPosted: 5}, {CreditsPosted: 5}}
	read := func(call, ret int64, sums [3]ledgertest.Sums) porcupine.Operation {
		return porcupine.Operation{ClientId: 1, Input: action{}, Call: call, Return: ret, Output: answer{balances: sums}}
	}
	again := posted
	again.Call, again.Return = 20, 30
	for name, c := range map[string]struct {
		want porcupine.CheckResult
		ops  []porcupine.Operation
	}{
		"in order":                  {porcupine.Ok, []porcupine.Operation{posted, read(11, 12, after)}},
		"before or after":           {porcupine.Ok, []porcupine.Operation{posted, read(5, 12, [3]ledgertest.Sums{}), read(6, 13, after)}},
		"a stale read":              {porcupine.Illegal, []porcupine.Operation{posted, read(11, 12, [3]ledgertest.Sums{})}},
		"a read of the future":      {porcupine.Illegal, []porcupine.Operation{posted, read(-5, -1, after)}},
		"a read of half":            {porcupine.Illegal, []porcupine.Operation{posted, read(5, 12, [3]ledgertest.Sums{{DebitsPosted: 5}})}},
		"reads that go back":        {porcupine.Illegal, []porcupine.Operation{posted, read(1, 2, after), read(3, 4, [3]ledgertest.Sums{})}},
		"created twice under an id": {porcupine.Illegal, []porcupine.Operation{posted, again}},
	} {
		h := &recording{ops: slices.Clone(c.ops)}
		placed := h.place(t, map[uuid.UUID]int64{x.ID: 1})
		require.Equal(t, c.want, porcupine.CheckOperationsTimeout(specification, placed, time.Minute), name)
	}
}

// 32 writers through four processes' stores, whose connections are cut at any
// moment, before and after the commit: whatever they saw, they could have seen
// from one that handles one request after another.
func TestHistoriesUnderConnectionCutsAreLinearizable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	book := ledger.Main(db.Tenant())
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(2, 32))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	w := &wire{
		lose: func(bool) loss {
			if draw(4) == 0 {
				return loss(1 + draw(3))
			}
			return arrives
		},
		cut: func() bool { return draw(100) == 0 },
	}
	torture(t, db, book, w, func(context.Context) {})
	t.Logf("requests that commit, by loss: %v", w.hits)
}

// The same while the server's processes are killed.
func TestHistoriesUnderKillsAreLinearizable(t *testing.T) {
	t.Parallel()
	db, cluster := pgtest.NewCluster(t, "", nil)
	book := ledger.Main(db.Tenant())
	w := &wire{lose: func(bool) loss { return arrives }}
	kills := long(t, 1, 6)
	torture(t, db, book, w, func(ctx context.Context) {
		for i := range kills {
			if !kill(ctx, t, cluster, i%3 == 2) {
				return
			}
		}
	})
}

// kill ends a process that serves somebody, which takes all others with it, or
// the server itself, and waits until it serves again.
func kill(ctx context.Context, t *testing.T, cluster *pglocal.Cluster, server bool) bool {
	t.Helper()
	if !assert.Eventually(t, func() bool {
		super, err := pgx.Connect(ctx, cluster.SuperURL("t_broken"))
		if err != nil {
			return false // it may be on its way down or up still
		}
		defer func() { _ = super.Close(ctx) }()
		var pid int
		err = super.QueryRow(ctx, `select pid from pg_stat_activity where usename = 'app_worker' and state <> 'idle' and datname = current_database() limit 1`).Scan(&pid)
		if err == nil && server {
			pid = cluster.PID()
		}
		return err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil // it may have ended since
	}, time.Minute, 5*time.Millisecond) {
		return false
	}
	if server {
		assert.Eventually(t, func() bool { return !cluster.Running() }, time.Minute, 5*time.Millisecond)
		// Its port may be held for a moment by those who try to reach it.
		if !assert.Eventually(t, func() bool { return cluster.Ensure(ctx) == nil }, time.Minute, 50*time.Millisecond) {
			return false
		}
	}
	return assert.Eventually(t, func() bool {
		conn, err := pgx.Connect(ctx, cluster.SuperURL("t_broken"))
		if err != nil {
			return false
		}
		return conn.Close(ctx) == nil
	}, 60*time.Second, 20*time.Millisecond)
}

// torture runs 32 clients over the wire, something else beside them, and
// checks the recording and the books.
func torture(t *testing.T, db *pgtest.DB, book ledger.Book, w *wire, beside func(context.Context)) {
	t.Helper()
	const writers = 32
	each := long(t, 12, 120)
	pool := w.pool(t, db.URL("app_worker"))
	plain, err := pgxpool.New(t.Context(), db.URL("app_worker"))
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	first := postgres.New(plain)
	asOwner(t, db.Super(), book.Tenant, `set local synchronous_commit = on; select ledger.add_accounts('`+book.Tenant.String()+`', 'main',
		array['`+strings.Join(watched[:], `','`)+`'], '{a,b,c}', '{asset,liability,liability}', '{D,C,C}', '{usd,usd,usd}', '{null,0,null}', '{}')`)

	stores := []*postgres.Store{postgres.New(pool), postgres.New(pool), postgres.New(pool), postgres.New(pool)}
	h := &recording{start: time.Now()}
	var holds sync.Map
	var wg sync.WaitGroup
	var done atomic.Int64
	for i := range writers {
		wg.Go(func() { h.client(t.Context(), t, i, each, book, stores[i%len(stores)], first, &holds, &done) })
	}
	beside(t.Context())
	wg.Wait()
	super, err := pgxpool.New(t.Context(), db.SuperURL())
	require.NoError(t, err)
	t.Cleanup(super.Close)
	h.settled(t, stores, book)
	h.check(t, super)
	requireSound(t, db)
}

// settled waits until no store has anything under way: what was given up by
// its caller may still come into effect, and is in the books then or never.
func (h *recording) settled(t *testing.T, stores []*postgres.Store, book ledger.Book) {
	t.Helper()
	for i, s := range stores {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, wallet, 1)
		for {
			call := h.now()
			results, err := s.Post(t.Context(), book, []ledger.Transaction{x}) // after all that is queued
			require.NoError(t, t.Context().Err())
			if err != nil { // over a connection of before the last kill
				h.record(1000+i, action{post: &x}, call, answer{unknown: true})
				continue
			}
			results[0].Recorded, results[0].Detail = nil, ""
			h.record(1000+i, action{post: &x}, call, answer{result: results[0]})
			break
		}
	}
}
