package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/sandbox"
)

func (w *world) quarantine(role, body string) answer {
	w.Helper()
	return w.do(call{method: "POST", path: "/v1/quarantines", role: role, key: uuid.NewString(), body: body})
}

func (w *world) trace(q url.Values) map[string]any {
	w.Helper()
	a := w.do(call{method: "GET", path: "/v1/trace?" + q.Encode(), role: "recall_operator"})
	require.Equal(w, http.StatusOK, a.status, string(a.body))
	return a.json(w.T)
}

func TestAUnitIsKeptFromSaleAndReleased(t *testing.T) {
	t.Parallel()
	w := goods(t)
	a := w.quarantine("recall_operator", `{"class":"suspect","units":["(01)00379999101303(21)100000000001"],"reason":"seal broken"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	v := a.json(t)
	id, ok := v["id"].(string)
	require.True(t, ok)

	unit := url.Values{"unit": {"urn:epc:id:sgtin:0379999.010130.100000000001"}}
	traced := w.trace(unit)["unit"].(map[string]any) //nolint:forcetypeassert // a wrong type fails the test as well
	require.Equal(t, "quarantined", traced["state"])
	require.Equal(t, "suspect", traced["held_as"])

	a = w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "marketplace", key: uuid.NewString(), body: `{"reason":"looked at"}`})
	require.Equal(t, http.StatusForbidden, a.status, "only who is authorised releases")
	a = w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "operator", key: "r1", body: `{"reason":"looked at"}`})
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.NotEmpty(t, a.json(t)["released_by"])
	again := w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "operator", key: "r1", body: `{"reason":"looked at"}`})
	require.Equal(t, string(a.body), string(again.body))
	a = w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "operator", key: "r2", body: `{"reason":"looked at"}`})
	require.Equal(t, http.StatusNotFound, a.status, "it is released once")
	require.Equal(t, "in_stock", w.trace(unit)["unit"].(map[string]any)["state"]) //nolint:forcetypeassert // as above
}

func TestWhatIsIllegitimateIsReleasedBySomebodyElse(t *testing.T) {
	t.Parallel()
	w := goods(t)
	a := w.quarantine("operator", `{"class":"illegitimate","units":["(01)00379999101303(21)100000000002"],"reason":"counterfeit"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	id, ok := a.json(t)["id"].(string)
	require.True(t, ok)
	a = w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "operator", key: "r1", body: `{"reason":"mine"}`})
	require.Equal(t, "same_person", a.code(t))
	a = w.do(call{method: "POST", path: "/v1/quarantines/" + id + "/release", role: "recall_operator", key: "r2", body: `{"reason":"a lab says otherwise"}`})
	require.Equal(t, http.StatusOK, a.status, string(a.body))
}

func TestALotIsTracedAndHeld(t *testing.T) {
	t.Parallel()
	w := goods(t)
	unit := w.trace(url.Values{"gtin": {sandbox.Drug}, "serial": {"100000000001"}})
	require.NotEmpty(t, unit["events"])
	require.Regexp(t, `^doc_\d+$`, unit["events"].([]any)[0].(map[string]any)["document"]) //nolint:forcetypeassert // as above
	lot, ok := unit["unit"].(map[string]any)["lot"].(string)
	require.True(t, ok)

	before := w.trace(url.Values{"gtin": {sandbox.Drug}, "lot": {lot}})
	balance := before["mass_balance"].(map[string]any) //nolint:forcetypeassert // a wrong type fails the test as well
	require.NotZero(t, balance["commissioned"])
	sum := 0.0
	for name, n := range balance {
		if name != "commissioned" {
			sum += n.(float64) //nolint:forcetypeassert // as above
		}
	}
	require.Equal(t, balance["commissioned"], sum, "the balance ties") //nolint:testifylint // whole numbers
	require.Zero(t, balance["quarantined"])

	a := w.quarantine("operator", `{"class":"recall","gtin":"`+sandbox.Drug+`","lot":"`+lot+`","reason":"recall D-1"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	after := w.trace(url.Values{"gtin": {sandbox.Drug}, "lot": {lot}})["mass_balance"].(map[string]any) //nolint:forcetypeassert // as above
	require.Equal(t, balance["commissioned"], after["quarantined"])

	a = w.do(call{method: "GET", path: "/v1/quarantines", role: "auditor"})
	require.Len(t, a.json(t)["data"], 1)
}

func TestTraceAndQuarantineSayWhatToChange(t *testing.T) {
	t.Parallel()
	w := goods(t)
	for _, path := range []string{
		"/v1/trace", "/v1/trace?gtin=00379999101304&lot=L", "/v1/trace?gtin=00379999101303", "/v1/trace?unit=nonsense",
		"/v1/trace?gtin=00379999101303&lot=L&serial=1",
	} {
		a := w.do(call{method: "GET", path: path, role: "operator"})
		require.Equal(t, "validation_failed", a.code(t), path)
	}
	a := w.do(call{method: "GET", path: "/v1/trace?gtin=00379999101303&serial=nobodys", role: "operator"})
	require.Equal(t, http.StatusNotFound, a.status)
	for _, body := range []string{
		`{"class":"suspect","reason":"r"}`, `{"class":"flagged","units":["(01)00379999101303(21)1"],"reason":"r"}`,
		`{"class":"suspect","units":["(01)00379999101303(21)1"],"gtin":"00379999101303","lot":"L","reason":"r"}`,
		`{"class":"suspect","gtin":"00379999101304","lot":"L","reason":"r"}`, `{"class":"suspect","units":["x"],"reason":"r"}`,
		`{"class":"suspect","gtin":"00379999101303","reason":"r"}`,
	} {
		require.Equal(t, "validation_failed", w.quarantine("operator", body).code(t), body)
	}
}
