package workflows_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/activitiestest"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/workflows/saga"
)

var units = []string{"01/" + activitiestest.GTIN + "/21/1", "01/" + activitiestest.GTIN + "/21/2"}

func transfer() activities.TransferOrder {
	return activities.TransferOrder{
		OrderRef: "PO-1", Seller: activitiestest.Seller, Buyer: activitiestest.Buyer, Units: units, Price: 25000, Currency: "usd",
		PaymentMethod: "pm_card_visa", History: true,
	}
}

// goodsWorld is one transfer with everything around it.
type goodsWorld struct {
	book  *activitiestest.Book
	world *activitiestest.World
	goods *activitiestest.Goods
}

func newGoodsWorld(s scenario, kind string, o activities.TransferOrder) (*goodsWorld, error) {
	w := &goodsWorld{}
	w.world = activitiestest.NewWorld(func(n int) {
		if n == s.cancel {
			w.book.Cancel()
		}
		if n == s.kill {
			w.book.Kill()
		}
	}, s.plans...)
	w.goods = activitiestest.NewGoods(w.world, units...)
	var err error
	w.book, err = activitiestest.NewTransferBook(kind, o, w.goods)
	return w, err
}

// live runs the saga once in virtual time.
func (w *goodsWorld) live(prepare func(*testsuite.TestWorkflowEnvironment)) error {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	register(env, w.book, w.world)
	if prepare != nil {
		prepare(env)
	}
	env.ExecuteWorkflow(w.book.Order.Type, activities.SagaInput{Tenant: w.book.Tenant, Saga: w.book.Saga}, activities.TransferPlan{})
	if !env.IsWorkflowCompleted() {
		return errors.New("the workflow did not end")
	}
	return env.GetWorkflowError()
}

func simulateTransfer(s scenario) (*goodsWorld, error) {
	w, err := newGoodsWorld(s, activities.TransferType, transfer())
	if err != nil {
		return nil, err
	}
	if s.kill > 0 {
		if err := w.live(nil); err != nil && !strings.Contains(err.Error(), activitiestest.ErrDead.Error()) {
			return w, fmt.Errorf("the killed run failed otherwise: %w", err)
		}
		w.book.Revive()
	}
	if err := w.live(nil); err != nil {
		return w, fmt.Errorf("the workflow failed: %w", err)
	}
	return w, w.sound()
}

// sound checks that money and goods agree, whatever happened.
func (w *goodsWorld) sound() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	completed := w.book.Status == string(activities.Completed)
	net, moves, owner := int64(0), 0, activitiestest.SellerGLN
	if completed {
		net, moves, owner = 25000, 1, activitiestest.BuyerGLN
	}
	check(w.book.Ends == 1, "%d terminal states, status %s", w.book.Ends, w.book.Status)
	check(w.world.Captures <= 1 && w.world.Refunds <= 1, "captured %d times, refunded %d times", w.world.Captures, w.world.Refunds)
	check(w.world.Held() == 0, "%d are still held on the card", w.world.Held())
	check(w.world.Captured-w.world.Refunded == net, "%s, and the buyer paid %d", w.book.Status, w.world.Captured-w.world.Refunded)
	check(w.goods.Moves == moves, "%s, and the owner changed %d times", w.book.Status, w.goods.Moves)
	check(len(w.goods.Reserved) == 0, "units are still reserved: %v", w.goods.Reserved)
	for _, u := range units {
		check(w.goods.Owner[u] == owner, "%s, and %s is owned by %s", w.book.Status, u, w.goods.Owner[u])
	}
	check(w.goods.Shipped(w.book.Saga) == completed, "%s, and there are facts: %t", w.book.Status, w.goods.Shipped(w.book.Saga))
	check(completed == (w.goods.Delivered[w.book.Saga+":t3"] > 0), "%s, and the document was delivered %v", w.book.Status, w.goods.Delivered)
	check(completed == (w.book.Failure == nil), "%s with failure %v", w.book.Status, w.book.Failure)

	sequence := []string{"reserve", "authorize", "capture"}
	last := len(sequence)
	for _, name := range w.book.Undone {
		at := slices.Index(sequence, name)
		check(at >= 0 && at < last, "undone out of order: %v", w.book.Undone)
		last = at
	}
	check(!completed || len(w.book.Undone) == 0, "completed, and undone: %v", w.book.Undone)
	if w.book.Status == string(activities.Rejected) {
		check(w.world.Captured == 0, "rejected, and money had moved")
	}
	return errors.Join(append(errs, w.booksHold(net))...)
}

func (w *goodsWorld) booksHold(net int64) error {
	errs := []error{w.book.Ledger.Check(w.book.Tenant)}
	sums := w.book.Ledger.Sums(w.book.Tenant)
	balance := func(code string) int64 {
		b := sums[ledgertest.Account{Code: code, Currency: "usd"}]
		if b.DebitsPending != 0 || b.CreditsPending != 0 {
			errs = append(errs, fmt.Errorf("something is pending on %s", code))
		}
		return b.DebitsPosted - b.CreditsPosted
	}
	fees := int64(w.world.Captures) * activitiestest.Fee
	for code, want := range map[string]int64{
		ledger.StripeClearing: net - fees, ledger.CustomerDeposits: 0, ledger.SellerPayable: 0, ledger.CashBank: -net, ledger.ProcessorFees: fees,
		ledger.BookingRevenue: 0,
	} {
		if got := balance(code); got != want {
			errs = append(errs, fmt.Errorf("account %s has %d and not %d", code, got, want))
		}
	}
	return errors.Join(errs...)
}

// transferFaults are the calls of a transfer, forwards and backwards, with the
// faults that make sense for each.
func transferFaults() (ahead, back []activitiestest.Plan) {
	doubt := []activitiestest.Fault{activitiestest.NotDone, activitiestest.NobodyKnows, activitiestest.DoneUnseen}
	add := func(to *[]activitiestest.Plan, call string, faults ...activitiestest.Fault) {
		for _, f := range faults {
			*to = append(*to, activitiestest.Plan{Call: call, Fault: f, Times: 1})
			if f != activitiestest.Refuse && f != activitiestest.Replayed500 {
				*to = append(*to, activitiestest.Plan{Call: call, Fault: f, Times: many})
			}
		}
	}
	pay := append(slices.Clone(doubt), activitiestest.Replayed500)
	add(&ahead, "reserve units", append(slices.Clone(doubt), activitiestest.Refuse)...)
	add(&ahead, "create", pay...)
	add(&ahead, "confirm", append(slices.Clone(pay), activitiestest.Refuse)...)
	add(&ahead, "capture", append(slices.Clone(pay), activitiestest.Refuse)...)
	add(&ahead, "ship", append(slices.Clone(doubt), activitiestest.Refuse)...)
	add(&ahead, "deliver", doubt...)
	add(&ahead, "receive units", doubt...)
	add(&back, "refund", pay...)
	add(&back, "void", pay...)
	add(&back, "release units", doubt...)
	return ahead, back
}

func transferScenarios() []scenario {
	out := []scenario{{}}
	ahead, back := transferFaults()
	const calls = 12 // more than a transfer makes when one step is tried again
	for n := 1; n <= calls; n++ {
		out = append(out, scenario{cancel: n}, scenario{kill: n}, scenario{cancel: n, kill: n + 1})
	}
	for i, one := range ahead {
		out = append(out, scenario{plans: []activitiestest.Plan{one}})
		for _, other := range slices.Concat(ahead[i+1:], back) {
			out = append(out, scenario{plans: []activitiestest.Plan{one, other}})
		}
		for n := 1; n <= calls; n++ {
			out = append(out, scenario{plans: []activitiestest.Plan{one}, cancel: n}, scenario{plans: []activitiestest.Plan{one}, kill: n})
		}
	}
	for _, undo := range back {
		for n := 1; n <= calls; n++ {
			out = append(out, scenario{plans: []activitiestest.Plan{undo}, cancel: n}, scenario{plans: []activitiestest.Plan{undo}, kill: n})
			out = append(out, scenario{plans: []activitiestest.Plan{{Call: "ship", Fault: activitiestest.Refuse, Times: 1}, undo}, kill: n})
		}
	}
	return out
}

// TestMoneyAndGoodsAgreeHoweverATransferEnds is the exhaustive simulation. It
// lives every third scenario, all of them with RECOURSE_LONG, every eleventh
// with -short.
func TestMoneyAndGoodsAgreeHoweverATransferEnds(t *testing.T) {
	t.Parallel()
	all := transferScenarios()
	every := 3
	switch {
	case testing.Short():
		every = 11
	case os.Getenv("RECOURSE_LONG") != "":
		every = 1
	}
	const shards = 4
	var ran atomic.Int64
	ends := map[string]*atomic.Int64{"completed": {}, "compensated": {}, "rejected": {}}
	t.Run("scenarios", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				failed := 0
				for i := shard * every; i < len(all) && failed < 5; i += shards * every {
					w, err := simulateTransfer(all[i])
					ran.Add(1)
					if err != nil {
						failed++
						t.Errorf("%s:\n%v", all[i], err)
						continue
					}
					ends[w.book.Status].Add(1)
				}
			})
		}
	})
	fmt.Fprintf(os.Stdout, "simulated %d transfers: %d completed, %d compensated, %d rejected\n",
		ran.Load(), ends["completed"].Load(), ends["compensated"].Load(), ends["rejected"].Load())
	for end, n := range ends {
		require.Positive(t, n.Load(), "no scenario ended %s: the simulation does not reach it", end)
	}
}

// A unit that is quarantined between capture and shipment keeps it from being
// shipped, and the buyer gets its money back.
func TestAQuarantineBeforeThePivotRefundsTheCapture(t *testing.T) {
	t.Parallel()
	w, err := simulateTransfer(scenario{plans: []activitiestest.Plan{{Call: "ship", Fault: activitiestest.Refuse, Times: 1}}})
	require.NoError(t, err)
	require.Equal(t, "compensated", w.book.Status)
	require.Equal(t, "unit_quarantined", w.book.Failure.Code)
	require.Equal(t, []string{"capture", "authorize", "reserve"}, w.book.Undone)
	require.Equal(t, 1, w.world.Refunds)
}

func TestABuyerWhoseLicenceHasExpired(t *testing.T) {
	t.Parallel()
	t.Run("at the order", func(t *testing.T) {
		t.Parallel()
		w, err := newGoodsWorld(scenario{}, activities.TransferType, transfer())
		require.NoError(t, err)
		w.goods.Expired = func() bool { return true }
		require.NoError(t, w.live(nil))
		require.NoError(t, w.sound())
		require.Equal(t, "rejected", w.book.Status)
		require.Equal(t, "licence_expired", w.book.Failure.Code)
		require.Zero(t, w.world.Calls(), "nothing was reserved and nobody asked for money")
	})
	t.Run("at the shipment", func(t *testing.T) {
		t.Parallel()
		w, err := newGoodsWorld(scenario{}, activities.TransferType, transfer())
		require.NoError(t, err)
		w.goods.Expired = func() bool { return w.world.Captures > 0 }
		require.NoError(t, w.live(nil))
		require.NoError(t, w.sound())
		require.Equal(t, "compensated", w.book.Status)
		require.Equal(t, "licence_expired", w.book.Failure.Code)
		require.Equal(t, "ship", w.book.Failure.Step)
	})
}

func TestASuspiciousOrderWaitsForPeople(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		median, before int
		schedule       string
		review         *activities.Review
		cancel         bool
		status, code   string
		held           bool
	}{
		"cleared":                  {median: 0, before: 3, schedule: "CII", review: &activities.Review{Clear: true, ApprovalID: "apr_1"}, status: "completed", held: true},
		"refused":                  {before: 3, schedule: "CII", review: &activities.Review{Reason: "no answer"}, status: "compensated", code: "order_suspicious", held: true},
		"nobody looks":             {before: 3, schedule: "CII", status: "compensated", code: "review_timed_out", held: true},
		"cancelled":                {before: 3, schedule: "CII", cancel: true, status: "compensated", code: "canceled", held: true},
		"not controlled":           {before: 3, status: "completed"},
		"too little to compare to": {before: 2, schedule: "CII", status: "completed"},
		"as usual":                 {before: 9, median: 2, schedule: "CII", status: "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := newGoodsWorld(scenario{}, activities.TransferType, transfer())
			require.NoError(t, err)
			w.goods.Schedule, w.goods.Median, w.goods.Before = tc.schedule, tc.median, tc.before
			require.NoError(t, w.live(func(env *testsuite.TestWorkflowEnvironment) {
				env.RegisterDelayedCallback(func() {
					if tc.review != nil {
						w.goods.Reviews[w.book.Saga] = *tc.review
						env.SignalWorkflow(saga.SignalWake, activities.StepReview)
					}
					if tc.cancel {
						w.book.Cancel()
						env.CancelWorkflow()
					}
				}, day)
			}))
			require.NoError(t, w.sound())
			require.Equal(t, tc.status, w.book.Status)
			if tc.code != "" {
				require.Equal(t, tc.code, w.book.Failure.Code)
			}
			if tc.status != "completed" && tc.held {
				require.Zero(t, w.world.Captured, "no money is taken for an order that is held")
			}
		})
	}
}

func TestTheBuyersReceiptIsWaitedFor(t *testing.T) {
	t.Parallel()
	w, err := newGoodsWorld(scenario{}, activities.TransferType, transfer())
	require.NoError(t, err)
	w.goods.Silent = true
	var waited bool
	require.NoError(t, w.live(func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			waited = w.book.Status == "running" && w.goods.Moves == 1
			w.goods.Receipts[w.book.Saga] = dscsa.Receipt{
				Received: units[:1], At: env.Now(), Exceptions: []dscsa.Exception{{Unit: units[1], Kind: dscsa.Shortage}},
			}
			env.SignalWorkflow(saga.SignalWake, activities.StepReceive)
		}, 30*24*time.Hour)
	}))
	require.True(t, waited, "a month later it still waits, and is not in attention")
	require.NoError(t, w.sound())
	require.Equal(t, "completed", w.book.Status, "a shortage undoes nothing")
	require.Zero(t, w.book.Attended)
}
