package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	temporal "go.temporal.io/sdk/client"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
)

func ref() string { return "E2E-" + uuid.NewString() }

// place books an order on the shared system and follows it to its end.
func place(t *testing.T, o harness.Order) harness.Saga {
	t.Helper()
	c := client(t, shared, "marketplace")
	s, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	accepted.add(s.ID)
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	return s
}

func TestTheRequestOfTheReadmeVerbatim(t *testing.T) {
	t.Parallel()
	c := client(t, shared, "marketplace")
	res, err := c.Do(t.Context(), http.MethodPost, "/v1/bookings", "any", `{"order_ref":"A-1001","currency":"usd","payment_method":"pm_card_visa",
     "traveler":{"name":"Ada Example","email":"ada@example.com"},
     "flight":{"sku":"FL-LHR-JFK-0612","price":90000},
     "hotel":{"sku":"HT-NYC-0042","price":45000,"nights":3},
     "car":{"sku":"CAR-JFK-ECON","price":15000},
     "payment_flow":"authorize"}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, res.Status, string(res.Body))
	var s harness.Saga
	require.NoError(t, json.Unmarshal(res.Body, &s))
	accepted.add(s.ID)
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", s.Status)
	require.Equal(t, []string{
		"authorize succeeded", "flight succeeded", "hotel succeeded", "car succeeded", "capture succeeded",
		"confirm_flight succeeded", "confirm_hotel succeeded", "confirm_car succeeded", "revenue succeeded",
	}, harness.Names(s.Steps))
	require.Empty(t, s.Compensations)
}

func TestTwoHundredAtOnceThroughTwoProcesses(t *testing.T) {
	t.Parallel()
	dev, err := shared.Dev()
	require.NoError(t, err)
	require.Len(t, dev.APIs, 2)
	clients := []*harness.Client{harness.NewClient(dev.APIs[0], dev.Keys["marketplace"]), harness.NewClient(dev.APIs[1], dev.Keys["marketplace"])}
	order, key := harness.Whole(ref(), "authorize"), uuid.NewString()
	answers := make([]harness.Response, 200)
	errs := make([]error, len(answers))
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i], errs[i] = clients[i%2].Do(t.Context(), http.MethodPost, "/v1/bookings", key, order)
		})
	}
	all.Wait()
	bodies := map[string]int{}
	for i, a := range answers {
		require.NoError(t, errs[i])
		if a.Status != http.StatusConflict {
			require.Equal(t, http.StatusAccepted, a.Status, string(a.Body))
			bodies[string(a.Body)]++
		}
	}
	require.Len(t, bodies, 1, "every answer is the first one")
	var list struct{ Data []harness.Saga }
	res, err := clients[0].Do(t.Context(), http.MethodGet, "/v1/sagas?order_ref="+order.OrderRef, "", nil)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(res.Body, &list))
	require.Len(t, list.Data, 1)
	accepted.add(list.Data[0].ID)
	s, err := clients[1].Wait(t.Context(), list.Data[0].ID)
	require.NoError(t, err)
	require.Equal(t, "completed", s.Status)
}

func TestEveryPartialFormInBothFlows(t *testing.T) {
	t.Parallel()
	for _, flow := range []string{"authorize", "charge", ""} {
		for parts := 1; parts < 8; parts++ {
			t.Run(fmt.Sprintf("%s %03b", flow, parts), func(t *testing.T) {
				t.Parallel()
				o := harness.Whole(ref(), flow)
				if parts&1 == 0 {
					o.Flight = nil
				}
				if parts&2 == 0 {
					o.Hotel = nil
				}
				if parts&4 == 0 {
					o.Car = nil
				}
				s := place(t, o)
				require.Equal(t, "completed", s.Status)
				require.Equal(t, o.Price(), s.Amount)
			})
		}
	}
}

func TestARefusingHotelUndoesInReverseOrder(t *testing.T) {
	t.Parallel()
	for flow, undone := range map[string][]string{
		"authorize": {"car succeeded", "flight succeeded", "authorize succeeded"},
		"charge":    {"flight succeeded", "charge succeeded"},
	} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			o := harness.Whole(ref(), flow)
			o.Hotel.SKU += "-REFUSE"
			s := place(t, o)
			require.Equal(t, "compensated", s.Status)
			require.Equal(t, undone, harness.Names(s.Compensations))
			require.Equal(t, "sold_out", s.Failure.Code)
			require.Equal(t, "hotel", s.Failure.Step)
		})
	}
}

func TestADeclinedCardIsARejectionWithTheReason(t *testing.T) {
	t.Parallel()
	for token, want := range map[string][2]string{
		"pm_card_chargeDeclined":                  {"card_declined", "generic_decline"},
		"pm_card_chargeDeclinedInsufficientFunds": {"card_declined", "insufficient_funds"},
		"pm_card_chargeDeclinedExpiredCard":       {"expired_card", "expired_card"},
		"pm_card_chargeDeclinedIncorrectCvc":      {"incorrect_cvc", "incorrect_cvc"},
		"pm_card_chargeDeclinedProcessingError":   {"processing_error", "processing_error"},
		"pm_card_visa_chargeDeclinedStolenCard":   {"card_declined", "generic_decline"},
		"pm_card_authenticationRequired":          {"authentication_required", ""},
	} {
		for _, flow := range []string{"authorize", "charge"} {
			t.Run(token+" "+flow, func(t *testing.T) {
				t.Parallel()
				o := harness.Whole(ref(), flow)
				o.PaymentMethod = token
				s := place(t, o)
				if token == "pm_card_authenticationRequired" {
					require.Contains(t, []string{"rejected", "compensated"}, s.Status)
				} else {
					require.Equal(t, "rejected", s.Status)
				}
				require.Equal(t, want, [2]string{s.Failure.Code, s.Failure.DeclineCode})
				require.NotEmpty(t, s.Failure.Message)
			})
		}
	}
}

func TestEveryTestValueEndsAsItIsDocumented(t *testing.T) {
	t.Parallel()
	for suffix, want := range map[string]string{
		"-REFUSE": "compensated", "-HANG": "compensated", "-GARBAGE": "compensated", "-FLAKY2": "completed",
		"-DONETIMEOUT": "completed", "-LATE": "compensated", "-ONGOING": "completed", "-CANCELFAIL3": "completed",
	} {
		for _, flow := range []string{"authorize", "charge"} {
			t.Run(suffix+" "+flow, func(t *testing.T) {
				t.Parallel()
				o := harness.Whole(ref(), flow)
				o.Hotel.SKU += suffix
				require.Equal(t, want, place(t, o).Status)
			})
		}
	}
	t.Run("-CANCELFAIL3 has to be cancelled", func(t *testing.T) {
		t.Parallel()
		o := harness.Whole(ref(), "charge")
		o.Flight.SKU += "-CANCELFAIL3"
		o.Hotel.SKU += "-REFUSE"
		s := place(t, o)
		require.Equal(t, "compensated", s.Status)
		require.Equal(t, 4, s.Compensations[0].Attempt)
	})
}

func TestCancelWhileTheHotelHangs(t *testing.T) {
	t.Parallel()
	c := client(t, shared, "marketplace")
	o := harness.Whole(ref(), "charge")
	o.Hotel.SKU += "-HANG"
	s, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	accepted.add(s.ID)
	_, err = c.Until(t.Context(), s.ID, func(s harness.Saga) bool { return len(s.Steps) == 3 })
	require.NoError(t, err)
	res, err := c.Do(t.Context(), http.MethodPost, "/v1/sagas/"+s.ID+"/cancel", uuid.NewString(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, res.Status)
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "compensated", s.Status)
	require.Equal(t, "canceled", s.Failure.Code)
	require.Equal(t, "charge succeeded", harness.Names(s.Compensations)[len(s.Compensations)-1])

	done := place(t, harness.Whole(ref(), "authorize"))
	res, err = c.Do(t.Context(), http.MethodPost, "/v1/sagas/"+done.ID+"/cancel", uuid.NewString(), nil)
	require.NoError(t, err)
	require.Equal(t, "saga_already_finished", res.Problem())
}

func TestTwoPeopleSettleWhatCannotBeCancelled(t *testing.T) {
	t.Parallel()
	system := own(t, devstack.Options{}) // its simulator keeps what people say they have cancelled
	c, maker, checker := client(t, system, "marketplace"), client(t, system, "operator"), client(t, system, "finance_reviewer")
	o := harness.Whole(ref(), "charge")
	o.Flight.SKU += "-CANCELNEVER"
	o.Hotel.SKU += "-REFUSE"
	s, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	s, err = c.Until(t.Context(), s.ID, func(s harness.Saga) bool { return s.Status == "attention" })
	require.NoError(t, err)
	require.Equal(t, []string{"flight attention"}, harness.Names(s.Compensations))

	res, err := maker.Do(t.Context(), http.MethodPost, "/v1/sagas/"+s.ID+"/resolutions", uuid.NewString(),
		map[string]string{"action": "done_by_hand", "step": "flight", "reason": "cancelled by phone, reference 4711"})
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, res.Status, string(res.Body))
	path := res.Header.Get("Location")
	res, err = maker.Do(t.Context(), http.MethodPost, path+"/approve", uuid.NewString(), nil)
	require.NoError(t, err)
	require.Equal(t, "same_person", res.Problem())
	res, err = checker.Do(t.Context(), http.MethodPost, path+"/approve", uuid.NewString(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.Status, string(res.Body))
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "compensated", s.Status)
	require.Equal(t, []string{"flight succeeded", "charge succeeded"}, harness.Names(s.Compensations))
}

func TestAnOperatorFindsASagaInTemporal(t *testing.T) {
	t.Parallel()
	s := place(t, harness.Whole(ref(), "authorize"))
	dev, err := shared.Dev()
	require.NoError(t, err)
	c, err := temporal.Dial(temporal.Options{HostPort: dev.Temporal, Namespace: "recourse"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.Eventually(t, func() bool {
		list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("RecourseOrderRef = '%s' and RecourseSagaType = 'booking' and RecourseState = 'completed'", s.OrderRef),
		})
		return err == nil && len(list.GetExecutions()) == 1 && list.GetExecutions()[0].GetExecution().GetWorkflowId() == s.ID
	}, time.Minute, 100*time.Millisecond)
	res, err := http.Get(dev.UI) //nolint:forbidigo // the UI is asked as a browser would
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusOK, res.StatusCode)
}
