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
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/workflows"
	"github.com/recourse/recourse/workflows/saga"
)

// A scenario is one life of a booking: what fails, and what people do when.
type scenario struct {
	flow   activities.PaymentFlow
	plans  []activitiestest.Plan
	cancel int // the client cancels before this call; 0: never
	kill   int // the worker dies before this call is answered; 0: never
}

func (s scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", s.flow)
	for _, p := range s.plans {
		fmt.Fprintf(&b, ", %s: %s x%d", p.Call, p.Fault, p.Times)
	}
	if s.cancel > 0 {
		fmt.Fprintf(&b, ", cancelled before call %d", s.cancel)
	}
	if s.kill > 0 {
		fmt.Fprintf(&b, ", worker killed at call %d", s.kill)
	}
	return b.String()
}

// many is more than a compensatable step is tried, and more than one burst of
// a step that must succeed.
const many = 12

var order = activities.BookingOrder{
	OrderRef: "A-1001", Currency: "usd", PaymentMethod: "pm_card_visa",
	Flight: &activities.FlightOrder{SKU: "FL", Price: 90000},
	Hotel:  &activities.HotelOrder{SKU: "HT", Price: 45000, Nights: 3},
	Car:    &activities.CarOrder{SKU: "CAR", Price: 15000},
}

// register makes a test's worker run every saga in a world.
func register(env *testsuite.TestWorkflowEnvironment, book *activitiestest.Book, world *activitiestest.World) {
	workflows.Register(env, workflows.Activities{
		Sagas: &activities.Sagas{Book: book}, Payments: &activities.Payments{Book: book, Gateway: world},
		Reservations: &activities.Reservations{Book: book, Participants: world}, Postings: &activities.Postings{Book: book},
		Custody: &activities.Custody{Book: book, Trade: book.Goods, Inbox: activitiestest.Inbox{Goods: book.Goods}, Now: env.Now},
	})
}

// simulate lives a scenario in virtual time and says what was wrong with it.
func simulate(s scenario) (*activitiestest.Book, *activitiestest.World, error) {
	o := order
	o.PaymentFlow = s.flow
	book, err := activitiestest.NewBook(o)
	if err != nil {
		return nil, nil, err
	}
	world := activitiestest.NewWorld(func(n int) {
		if n == s.cancel {
			book.Cancel()
		}
		if n == s.kill {
			book.Kill()
		}
	}, s.plans...)
	life := func() error {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet{})
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(time.Minute)
		register(env, book, world)
		env.ExecuteWorkflow(workflows.BookingType, activities.SagaInput{Tenant: book.Tenant, Saga: book.Saga}, o.Plan())
		if !env.IsWorkflowCompleted() {
			return errors.New("the workflow did not end")
		}
		return env.GetWorkflowError()
	}
	if s.kill > 0 {
		if err := life(); err != nil && !strings.Contains(err.Error(), activitiestest.ErrDead.Error()) {
			return book, world, fmt.Errorf("the killed run failed otherwise: %w", err)
		}
		book.Revive()
	}
	if err := life(); err != nil {
		return book, world, fmt.Errorf("the workflow failed: %w", err)
	}
	return book, world, sound(book, world, s)
}

// sound checks everything that must hold whatever happened.
func sound(book *activitiestest.Book, world *activitiestest.World, s scenario) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	price := order.Total()
	completed := book.Status == string(activities.Completed)
	check(book.Ends == 1, "%d terminal states, status %s", book.Ends, book.Status)
	check(world.Captures <= 1, "captured %d times", world.Captures)
	check(world.Refunds <= 1, "refunded %d times", world.Refunds)
	check(world.Held() == 0, "%d are still held on the card", world.Held())
	net := int64(0)
	if completed {
		net = price
	}
	check(world.Captured-world.Refunded == net, "%s, and the customer paid %d", book.Status, world.Captured-world.Refunded)
	reservations := world.Reservations()
	check(reservations[activities.ReservationReserved] == 0, "%d reservations are left open", reservations[activities.ReservationReserved])
	confirmed := 0
	if completed {
		confirmed = 3
	}
	check(reservations[activities.ReservationConfirmed] == confirmed, "%s with %d confirmed reservations", book.Status, reservations[activities.ReservationConfirmed])
	if book.Status == string(activities.Rejected) {
		check(world.Captured == 0, "rejected, and money had moved")
		check(reservations[activities.ReservationCancelled] == 0, "rejected, and a reservation had been made")
	}

	sequence := []string{"authorize", "flight", "hotel", "car"}
	if s.flow == activities.FlowCharge {
		sequence[0] = "charge"
	}
	last := len(sequence)
	for _, name := range book.Undone {
		at := slices.Index(sequence, name)
		check(at >= 0 && at < last, "undone out of order: %v", book.Undone)
		last = at
	}
	check(!completed || len(book.Undone) == 0, "completed, and undone: %v", book.Undone)
	check(completed == (book.Failure == nil), "%s with failure %v", book.Status, book.Failure)

	if err := book.Ledger.Check(book.Tenant); err != nil {
		errs = append(errs, err)
	}
	sums := book.Ledger.Sums(book.Tenant)
	fees := int64(world.Captures) * activitiestest.Fee
	clearing := sums[ledgertest.Account{Code: ledger.StripeClearing, Currency: "usd"}]
	check(clearing.DebitsPending == 0 && clearing.CreditsPending == 0, "a hold is still in the books")
	check(clearing.DebitsPosted-clearing.CreditsPosted == net-fees, "the books have %d at the processor, it has %d", clearing.DebitsPosted-clearing.CreditsPosted, net-fees)
	revenue := sums[ledgertest.Account{Code: ledger.BookingRevenue, Currency: "usd"}]
	check(revenue.CreditsPosted == net, "revenue is %d", revenue.CreditsPosted)
	deposits := sums[ledgertest.Account{Code: ledger.CustomerDeposits, Currency: "usd"}]
	check(deposits.DebitsPosted == deposits.CreditsPosted, "a deposit is left over")
	return errors.Join(errs...)
}

// forwards and backwards are the calls of a flow, with the faults that make
// sense for each.
func forwards(flow activities.PaymentFlow) []activitiestest.Plan {
	var out []activitiestest.Plan
	add := func(call string, faults ...activitiestest.Fault) {
		for _, f := range faults {
			out = append(out, activitiestest.Plan{Call: call, Fault: f, Times: 1})
			if f != activitiestest.Refuse && f != activitiestest.Replayed500 {
				out = append(out, activitiestest.Plan{Call: call, Fault: f, Times: many})
			}
		}
	}
	doubt := []activitiestest.Fault{activitiestest.NotDone, activitiestest.NobodyKnows, activitiestest.DoneUnseen}
	pay := append(slices.Clone(doubt), activitiestest.Replayed500)
	add("create", pay...)
	add("confirm", append(pay, activitiestest.Refuse)...)
	for _, kind := range []string{"flight", "hotel", "car"} {
		add("reserve:"+kind, append(slices.Clone(doubt), activitiestest.Refuse)...)
	}
	if flow == activities.FlowAuthorize {
		add("capture", append(pay, activitiestest.Refuse)...)
	}
	for _, kind := range []string{"flight", "hotel", "car"} {
		add("book:"+kind, doubt...)
	}
	return out
}

func backwards(flow activities.PaymentFlow) []activitiestest.Plan {
	money := "void"
	if flow == activities.FlowCharge {
		money = "refund"
	}
	var out []activitiestest.Plan
	for _, call := range []string{money, "release:flight", "release:hotel", "release:car"} {
		for _, f := range []activitiestest.Fault{activitiestest.NotDone, activitiestest.NobodyKnows, activitiestest.DoneUnseen} {
			out = append(out, activitiestest.Plan{Call: call, Fault: f, Times: 1}, activitiestest.Plan{Call: call, Fault: f, Times: many})
		}
	}
	return append(out, activitiestest.Plan{Call: money, Fault: activitiestest.Replayed500, Times: 1})
}

// scenarios lists every vector of at most two faults, alone, with a cancel at
// every call, with the worker's death at every call, and with every failing
// compensation.
func scenarios(flow activities.PaymentFlow) []scenario {
	out := []scenario{{flow: flow}}
	ahead, back := forwards(flow), backwards(flow)
	const calls = 14 // more than a flow makes when one step is tried again
	for n := 1; n <= calls; n++ {
		out = append(out, scenario{flow: flow, cancel: n}, scenario{flow: flow, kill: n}, scenario{flow: flow, cancel: n, kill: n + 1})
	}
	for i, one := range ahead {
		out = append(out, scenario{flow: flow, plans: []activitiestest.Plan{one}})
		for _, other := range ahead[i+1:] {
			out = append(out, scenario{flow: flow, plans: []activitiestest.Plan{one, other}})
		}
		for _, undo := range back {
			out = append(out, scenario{flow: flow, plans: []activitiestest.Plan{one, undo}})
		}
		for n := 1; n <= calls; n++ {
			out = append(out, scenario{flow: flow, plans: []activitiestest.Plan{one}, cancel: n}, scenario{flow: flow, plans: []activitiestest.Plan{one}, kill: n})
		}
	}
	for _, undo := range back {
		for n := 1; n <= calls; n++ {
			out = append(out, scenario{flow: flow, plans: []activitiestest.Plan{undo}, cancel: n}, scenario{flow: flow, plans: []activitiestest.Plan{undo}, kill: n})
		}
	}
	return out
}

// TestEveryBookingEndsInExactlyOneWay is the exhaustive simulation. -short runs
// every eleventh scenario.
func TestEveryBookingEndsInExactlyOneWay(t *testing.T) {
	t.Parallel()
	all := append(scenarios(activities.FlowAuthorize), scenarios(activities.FlowCharge)...)
	every := 1
	if testing.Short() {
		every = 11
	}
	const shards = 4
	var ran, attended atomic.Int64
	ends := map[string]*atomic.Int64{"completed": {}, "compensated": {}, "rejected": {}}
	t.Run("scenarios", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				failed := 0
				for i := shard * every; i < len(all) && failed < 5; i += shards * every {
					book, _, err := simulate(all[i])
					ran.Add(1)
					if err != nil {
						failed++
						t.Errorf("%s:\n%v", all[i], err)
						continue
					}
					ends[book.Status].Add(1)
					if book.Attended > 0 {
						attended.Add(1)
					}
				}
			})
		}
	})
	fmt.Fprintf(os.Stdout, "simulated %d sagas: %d completed, %d compensated, %d rejected; %d needed attention on the way\n",
		ran.Load(), ends["completed"].Load(), ends["compensated"].Load(), ends["rejected"].Load(), attended.Load())
	for end, n := range ends {
		require.Positive(t, n.Load(), "no scenario ended %s: the simulation does not reach it", end)
	}
	require.Positive(t, attended.Load())
}

func TestPeopleSettleWhatCannotGoOn(t *testing.T) {
	t.Parallel()
	o := order
	o.PaymentFlow = activities.FlowAuthorize
	book, err := activitiestest.NewBook(o)
	require.NoError(t, err)
	world := activitiestest.NewWorld(nil,
		activitiestest.Plan{Call: "reserve:car", Fault: activitiestest.Refuse, Times: 1},
		activitiestest.Plan{Call: "release:hotel", Fault: activitiestest.NobodyKnows, Times: 1 << 30})
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	register(env, book, world)
	say := func(after time.Duration, r saga.Resolution) {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(saga.SignalResolve, r) }, after)
	}
	say(10*time.Minute, saga.Resolution{Step: "hotel", Action: saga.DoneByHand, ApprovalID: "apr_bad"})
	say(20*time.Minute, saga.Resolution{Step: "flight", Action: saga.DoneByHand, ApprovalID: "apr_good"})
	say(30*time.Minute, saga.Resolution{Step: "hotel", Action: saga.DoneByHand, ApprovalID: "apr_good"})
	start := env.Now()
	env.ExecuteWorkflow(workflows.BookingType, activities.SagaInput{Tenant: book.Tenant, Saga: book.Saga}, o.Plan())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, string(activities.Compensated), book.Status)
	require.GreaterOrEqual(t, env.Now().Sub(start), 30*time.Minute, "only a good approval of the right step settles it")
	require.Equal(t, []string{"hotel", "flight", "authorize"}, book.Undone)
	require.Zero(t, world.Held())
}

// quiet keeps the simulation's log out of the test's.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
