package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/devstack/harness"
)

// Each test has packages of its own: the sandbox has each of them once.

func sell(t *testing.T, o harness.Sale) harness.Saga {
	t.Helper()
	c := client(t, shared, "marketplace")
	s, _, err := c.Order(t.Context(), "/v1/transfers", uuid.NewString(), o)
	require.NoError(t, err)
	accepted.add(s.ID)
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	return s
}

var sold = []string{
	"partners succeeded", "reserve succeeded", "authorize succeeded", "review succeeded", "capture succeeded", "ship succeeded",
	"deliver succeeded", "receive succeeded", "settle succeeded",
}

func TestTheTransferOfTheDocumentVerbatim(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/transfers.md")
	require.NoError(t, err)
	body := regexp.MustCompile(`(?s)-d '(\{.*?\})'`).FindSubmatch(raw)
	require.NotNil(t, body, "docs/transfers.md has no request")
	c := client(t, shared, "marketplace")
	res, err := c.Do(t.Context(), http.MethodPost, "/v1/transfers", "PO-2026-0001", string(body[1]))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, res.Status, string(res.Body))
	var s harness.Saga
	require.NoError(t, json.Unmarshal(res.Body, &s))
	accepted.add(s.ID)
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", s.Status)
	require.Equal(t, sold, harness.Names(s.Steps))

	fetch := func(key, format string) harness.Response {
		res, err := client(t, shared, key).Do(t.Context(), http.MethodGet, "/v1/transfers/"+s.ID+"/t3?format="+format, "", nil)
		require.NoError(t, err)
		return res
	}
	for _, format := range []string{"xml-1.2", "xml-2.0", "json-2.0"} {
		ours := fetch("marketplace", format)
		require.Equal(t, http.StatusOK, ours.Status, string(ours.Body))
		require.Equal(t, string(ours.Body), string(fetch("trading_partner", format).Body), "the buyer's key gets the same bytes")
		for _, word := range []string{"Exampril", "EX2601", "79999-101-30", "Example Labs Inc", "581(27)(A)-(G)", "100000000101"} {
			require.Contains(t, string(ours.Body), word, format)
		}
	}
	require.Equal(t, http.StatusNotFound, mustStatus(t, "other_tenant", "/v1/transfers/"+s.ID+"/t3"))
}

func mustStatus(t *testing.T, key, path string) int {
	t.Helper()
	res, err := client(t, shared, key).Do(t.Context(), http.MethodGet, path, "", nil)
	require.NoError(t, err)
	return res.Status
}

func TestTransfersEndAsTheirTestValuesSay(t *testing.T) {
	t.Parallel()
	for i, suffix := range []string{"-SHORT", "-DAMAGED", "-LATE", "-FLAKY2", "-DONETIMEOUT"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			s := sell(t, harness.Sell(ref()+suffix, harness.Packages(harness.Exampril, 31+2*i, 32+2*i)...))
			require.Equal(t, "completed", s.Status)
		})
	}
	t.Run("declined", func(t *testing.T) {
		t.Parallel()
		o := harness.Sell(ref(), harness.Package(harness.Exampril, 41))
		o.PaymentMethod = "pm_card_chargeDeclined"
		s := sell(t, o)
		require.Equal(t, "compensated", s.Status, "the unit had been reserved")
		require.Equal(t, []string{"reserve succeeded"}, harness.Names(s.Compensations))
	})
	t.Run("expired licence", func(t *testing.T) {
		t.Parallel()
		o := harness.Sell(ref(), harness.Package(harness.Exampril, 42))
		o.Buyer = harness.Closed
		s := sell(t, o)
		require.Equal(t, "rejected", s.Status)
		require.Equal(t, "licence_expired", s.Failure.Code)
		require.Contains(t, s.Failure.Message, "Formerly Example Drugs")
	})
	t.Run("somebody else's unit", func(t *testing.T) {
		t.Parallel()
		s := sell(t, harness.Sell(ref(), harness.Package(harness.Exampril, 250)))
		require.Equal(t, "rejected", s.Status)
		require.Equal(t, "not_holder", s.Failure.Code)
		require.Contains(t, s.Failure.Message, "100000000250", "it is named")
	})
}

func TestManySalesOfOneUnitHaveOneWinner(t *testing.T) {
	t.Parallel()
	ends := make([]harness.Saga, 20)
	var all sync.WaitGroup
	for i := range ends {
		all.Go(func() { ends[i] = sell(t, harness.Sell(ref(), harness.Package(harness.Exampril, 50))) })
	}
	all.Wait()
	won := 0
	for _, s := range ends {
		if s.Status == "completed" {
			won++
			continue
		}
		// One that reserved in the moment the unit was shipped learns it at its
		// own shipment, and is undone.
		require.Contains(t, []string{"rejected", "compensated"}, s.Status)
		require.Contains(t, []string{"unit_reserved", "not_holder", "unit_in_transit"}, s.Failure.Code)
	}
	require.Equal(t, 1, won)
}

func TestTheReceiptIsSaidAndTheGoodsComeBack(t *testing.T) {
	t.Parallel()
	c, buyer := client(t, shared, "marketplace"), client(t, shared, "trading_partner")
	units := harness.Packages(harness.Exampril, 60, 61)
	s, _, err := c.Order(t.Context(), "/v1/transfers", uuid.NewString(), harness.Sell(ref()+"-SILENT", units...))
	require.NoError(t, err)
	accepted.add(s.ID)
	s, err = c.Until(t.Context(), s.ID, func(s harness.Saga) bool { return len(s.Steps) == 8 })
	require.NoError(t, err)
	require.Equal(t, "receive running", harness.Names(s.Steps)[7])
	res, err := buyer.Do(t.Context(), http.MethodPost, "/v1/transfers/"+s.ID+"/receipt", uuid.NewString(), map[string]any{"received": units})
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, res.Status, string(res.Body))
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", s.Status)

	back, _, err := c.Order(t.Context(), "/v1/transfers/"+s.ID+"/returns", uuid.NewString(), map[string]any{"order_ref": "RMA-" + uuid.NewString(), "units": units[:1], "amount": 12500})
	require.NoError(t, err)
	accepted.add(back.ID)
	back, err = c.Wait(t.Context(), back.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", back.Status)
	res, err = c.Do(t.Context(), http.MethodPost, "/v1/transfers/"+s.ID+"/returns", uuid.NewString(), map[string]any{"order_ref": "RMA-" + uuid.NewString(), "units": units[1:], "amount": 12501})
	require.NoError(t, err)
	require.Equal(t, "amount_out_of_range", res.Problem(), "no more than was paid comes back")

	again := sell(t, harness.Sell(ref(), units[0]))
	require.Equal(t, "completed", again.Status, "what came back is sold again")
}

// Three usual orders and one of ten times as much: it waits for two people. The
// licence that ran out meanwhile then keeps it from being shipped.
func TestASuspiciousOrderIsHeldAndTheLicenceIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	operator, second := client(t, shared, "operator"), client(t, shared, "recall_operator")
	gln := "0810000004010"
	require.NoError(t, harness.Admit(t.Context(), operator, second, map[string]any{
		"name": "Held Pharmacy", "role": "dispenser", "verified": true, "glns": []string{gln},
		"address":     map[string]string{"street": "1 Main St", "city": "Dayton", "state": "OH", "postal_code": "45402", "country": "US"},
		"licences":    []any{map[string]string{"kind": "state_licence", "number": "RX-4", "state": "OH", "valid_from": "2020-01-01", "source": "test"}},
		"t3_endpoint": inboxOf(t, gln),
	}))
	order := func(units ...string) harness.Sale {
		o := harness.Sell(ref(), units...)
		o.Buyer = gln
		return o
	}
	for n := 1; n <= 3; n++ {
		require.Equal(t, "completed", sell(t, order(harness.Package(harness.Examphetan, n))).Status)
	}
	require.Equal(t, "completed", sell(t, order(harness.Packages(harness.Examphetan, 4, 12)...)).Status, "nine times as much")

	c := client(t, shared, "marketplace")
	s, _, err := c.Order(t.Context(), "/v1/transfers", uuid.NewString(), order(harness.Packages(harness.Examphetan, 13, 22)...))
	require.NoError(t, err)
	accepted.add(s.ID)
	_, err = c.Until(t.Context(), s.ID, func(s harness.Saga) bool { return len(s.Steps) == 4 })
	require.NoError(t, err)
	var path string
	require.Eventually(t, func() bool {
		res, err := operator.Do(t.Context(), http.MethodPost, "/v1/transfers/"+s.ID+"/review", uuid.NewString(), map[string]string{"decision": "clear", "reason": "a new clinic"})
		path = res.Header.Get("Location")
		return err == nil && res.Status == http.StatusCreated
	}, time.Minute, 100*time.Millisecond)
	res, err := operator.Do(t.Context(), http.MethodPost, "/v1/partners/"+gln+"/licences", uuid.NewString(),
		map[string]string{"kind": "state_licence", "number": "RX-4", "state": "OH", "valid_from": "2020-01-01", "expires_on": "2026-01-01", "source": "the board"})
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, res.Status, string(res.Body))
	res, err = second.Do(t.Context(), http.MethodPost, path+"/approve", uuid.NewString(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.Status, string(res.Body))
	s, err = c.Wait(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, "compensated", s.Status)
	require.Equal(t, "licence_expired", s.Failure.Code)
	require.Equal(t, "ship", s.Failure.Step)
	require.Equal(t, []string{"capture succeeded", "authorize skipped", "reserve succeeded"}, harness.Names(s.Compensations))
}

func inboxOf(t *testing.T, gln string) string {
	t.Helper()
	dev, err := shared.Dev()
	require.NoError(t, err)
	return strings.TrimSuffix(dev.Participants, "/") + "/v1/partners/" + gln + "/inbox"
}
