package api_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/tenancy"
)

// operations lists the contract's guarded operations as method and path.
func operations(t *testing.T) []call {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	require.NoError(t, err)
	require.NoError(t, document.Validate(t.Context()))
	var out []call
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security == nil {
				out = append(out, call{method: method, path: path})
			}
		}
	}
	require.Greater(t, len(out), 10)
	return out
}

func fill(path, saga, approval string) string {
	id := saga
	switch {
	case strings.Contains(path, "quarantines"):
		id = "qtn_1"
	case strings.Contains(path, "audit"):
		id = "act_11" // ten each, the keys that were made, and of ours one more
	case strings.Contains(path, "legal_holds"):
		id = "lgh_1"
	case strings.Contains(path, "purges"):
		id = "prg_1"
	case strings.Contains(path, "investigations"):
		id = "inv_00000000000000000000000001"
	case strings.Contains(path, "notifications"):
		id = "ntf_00000000000000000000000001"
	case strings.Contains(path, "approvals"):
		id = approval
	}
	return strings.NewReplacer("{id}", id, "{decision}", "approve").Replace(path)
}

// ours are the roles of a tenant's own people and programs.
var ours = []string{"marketplace", "finance_preparer", "finance_reviewer", "recall_operator", "auditor", "operator"}

// allowed repeats who may do what, so that a change of the table is seen.
var allowed = map[string][]string{
	"POST /v1/bookings":                  {"marketplace"},
	"POST /v1/sagas/{id}/cancel":         {"marketplace", "operator"},
	"POST /v1/sagas/{id}/resolutions":    {"operator", "finance_preparer"},
	"POST /v1/approvals/{id}/{decision}": {"operator", "recall_operator", "finance_reviewer"},
	"GET /v1/approvals":                  {"operator", "recall_operator", "finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/approvals/{id}":             {"operator", "recall_operator", "finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/ledger/trial-balance":       {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/ledger/transactions":        {"marketplace", "finance_preparer", "finance_reviewer", "auditor", "operator"},
	"GET /v1/ledger/entries":             {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/reports/{report}":           {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/ledger/checkpoint":          {"finance_preparer", "finance_reviewer", "auditor", "operator"},
	"GET /v1/ledger/proofs/{id}":         {"finance_preparer", "finance_reviewer", "auditor", "operator"},
	"GET /v1/audit/actions":              {"auditor", "operator"},
	"GET /v1/audit/actions/{id}/proof":   {"auditor", "operator"},
	"GET /v1/sagas":                      ours,
	"GET /v1/sagas/{id}":                 ours,
	"GET /v1/sagas/{id}/events":          ours,
	"POST /v1/stream_tickets":            ours,

	"POST /v1/partners":                   {"operator", "recall_operator"},
	"POST /v1/partners/{id}/licences":     {"operator", "recall_operator"},
	"POST /v1/partners/{id}/verification": {"operator", "recall_operator"},
	"POST /v1/partners/{id}/keys":         {"operator"},
	"POST /v1/products":                   {"operator", "recall_operator"},
	"GET /v1/partners":                    ours,
	"GET /v1/partners/{id}":               ours,
	"GET /v1/products":                    ours,
	"POST /v1/transfers":                  {"marketplace"},
	"POST /v1/transfers/{id}/returns":     {"marketplace"},
	"POST /v1/transfers/{id}/receipt":     {"marketplace", "operator", "trading_partner"},
	"POST /v1/transfers/{id}/review":      {"operator", "recall_operator"},
	"GET /v1/transfers/{id}":              tenancy.Roles,
	"GET /v1/transfers/{id}/t3":           tenancy.Roles,

	"POST /v1/ledger/transactions":     {"marketplace"},
	"POST /v1/ledger/journals":         {"finance_preparer", "finance_reviewer"},
	"POST /v1/ledger/reversals":        {"finance_preparer", "finance_reviewer"},
	"POST /v1/accounts":                {"finance_preparer", "finance_reviewer"},
	"POST /v1/accounts/{id}/close":     {"finance_preparer", "finance_reviewer"},
	"POST /v1/periods/{period}/{move}": {"finance_preparer", "finance_reviewer"},
	"GET /v1/accounts":                 {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/accounts/{id}/balance":    {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/periods":                  {"finance_preparer", "finance_reviewer", "auditor"},
	"GET /v1/periods/{period}":         {"finance_preparer", "finance_reviewer", "auditor"},

	"GET /v1/investigations":                     {"operator", "recall_operator", "auditor"},
	"POST /v1/investigations":                    {"operator", "recall_operator"},
	"GET /v1/investigations/{id}":                {"operator", "recall_operator", "auditor"},
	"GET /v1/investigations/{id}/verifications":  {"operator", "recall_operator", "auditor"},
	"POST /v1/investigations/{id}/verifications": {"operator", "recall_operator"},
	"GET /v1/investigations/{id}/matches":        {"operator", "recall_operator", "auditor"},
	"GET /v1/investigations/{id}/cleared_notice": {"operator", "recall_operator", "auditor"},
	"POST /v1/investigations/{id}/clear":         {"operator", "recall_operator"},
	"POST /v1/investigations/{id}/determination": {"operator", "recall_operator"},
	"POST /v1/investigations/{id}/disposition":   {"operator", "recall_operator"},
	"POST /v1/investigations/{id}/notifications": {"operator", "recall_operator"},
	"GET /v1/notifications":                      {"operator", "recall_operator", "auditor"},
	"GET /v1/notifications/{id}":                 {"operator", "recall_operator", "auditor"},
	"POST /v1/notifications/{id}/form":           {"operator", "recall_operator"},
	"POST /v1/notifications/{id}/submission":     {"operator", "recall_operator"},
	"POST /v1/notifications/{id}/incident":       {"operator", "recall_operator"},
	"GET /v1/inventory":                          {"operator", "recall_operator", "auditor", "marketplace"},

	"OPTIONS /epcis":                        tenancy.Roles,
	"GET /epcis":                            tenancy.Roles,
	"OPTIONS /epcis/capture":                tenancy.Roles,
	"POST /epcis/capture":                   {"operator", "trading_partner"},
	"GET /epcis/capture":                    tenancy.Roles,
	"GET /epcis/capture/{captureID}":        tenancy.Roles,
	"OPTIONS /epcis/events":                 tenancy.Roles,
	"GET /epcis/events":                     tenancy.Roles,
	"POST /epcis/events":                    {"operator", "trading_partner"},
	"GET /epcis/events/{eventID}":           tenancy.Roles,
	"GET /epcis/eventTypes":                 tenancy.Roles,
	"GET /epcis/eventTypes/{name}/events":   tenancy.Roles,
	"GET /epcis/epcs":                       tenancy.Roles[:6],
	"GET /epcis/epcs/{name}/events":         tenancy.Roles,
	"GET /epcis/bizSteps":                   tenancy.Roles[:6],
	"GET /epcis/bizSteps/{name}/events":     tenancy.Roles,
	"GET /epcis/dispositions":               tenancy.Roles[:6],
	"GET /epcis/dispositions/{name}/events": tenancy.Roles,
	"GET /epcis/readPoints":                 tenancy.Roles[:6],
	"GET /epcis/readPoints/{name}/events":   tenancy.Roles,
	"GET /epcis/bizLocations":               tenancy.Roles[:6],
	"GET /epcis/bizLocations/{name}/events": tenancy.Roles,
	"GET /v1/quarantines":                   {"operator", "recall_operator", "auditor"},
	"POST /v1/quarantines":                  {"operator", "recall_operator"},
	"POST /v1/quarantines/{id}/release":     {"operator", "recall_operator"},
	"GET /v1/legal_holds":                   {"operator", "recall_operator", "auditor"},
	"POST /v1/legal_holds":                  {"operator", "recall_operator"},
	"POST /v1/legal_holds/{id}/lift":        {"operator", "recall_operator"},
	"GET /v1/custody/retention":             {"operator", "recall_operator", "auditor"},
	"GET /v1/custody/due":                   {"operator", "recall_operator", "auditor"},
	"GET /v1/custody/purges":                {"operator", "recall_operator", "auditor"},
	"POST /v1/custody/purges":               {"operator", "recall_operator"},
	"POST /v1/custody/purges/{id}/run":      {"operator", "recall_operator"},
	"GET /v1/custody/checkpoint":            {"operator", "recall_operator", "auditor"},
	"GET /v1/custody/checkpoints":           {"operator", "recall_operator", "auditor"},
	"GET /v1/custody/proofs":                {"operator", "recall_operator", "auditor"},
	"GET /v1/trace":                         {"operator", "recall_operator", "auditor", "marketplace"},
}

func TestEveryRouteIsForItsRolesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	saga := w.book("A-1")
	for _, op := range operations(t) {
		name := op.method + " " + op.path
		roles, listed := allowed[name]
		require.True(t, listed, "%s is not in the table of this test", name)
		for _, role := range tenancy.Roles {
			a := w.do(call{method: op.method, path: fill(op.path, saga, "apr_none"), role: role})
			require.Equal(t, slices.Contains(roles, role), a.status != http.StatusForbidden, "%s as %s: %d", name, role, a.status)
		}
		for _, header := range []string{"", "Basic abc", "Bearer", "Bearer nonsense", "Bearer sk_test_0000000000000000_" + strings.Repeat("0", 43)} {
			a := w.do(call{method: op.method, path: fill(op.path, saga, "apr_none"), header: map[string]string{"Authorization": header}})
			require.Equal(t, http.StatusUnauthorized, a.status, name)
			require.Equal(t, "unauthenticated", a.code(t))
			require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
		}
	}
}

func TestAnotherTenantsThingsDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	saga := w.book("A-1")
	_, err := w.db.Super().Exec(t.Context(), `
		insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, expires_at)
		values ($1, 'apr_00000000000000000000000001', 'saga.resolve', $2, '{}', sha256(''), 'r', 'm', now() + interval '1 day')`, w.tenant, saga)
	require.NoError(t, err)
	bodies := map[string]string{
		"POST /v1/sagas/{id}/resolutions":     `{"action":"retry","step":"hotel","reason":"r"}`,
		"POST /v1/accounts/{id}/close":        `{"reason":"r"}`,
		"POST /v1/partners/{id}/licences":     `{"kind":"state_licence","number":"1","valid_from":"2026-01-01","source":"s"}`,
		"POST /v1/partners/{id}/verification": `{"role":"dispenser"}`,
		"POST /v1/partners/{id}/keys":         `{"key_id":"0123456789abcdef"}`,
		"POST /v1/transfers/{id}/returns":     `{"order_ref":"R-1","units":["(01)00379999101303(21)1"],"amount":1}`,
		"POST /v1/transfers/{id}/receipt":     `{"received":[]}`,
		"POST /v1/transfers/{id}/review":      `{"decision":"clear","reason":"r"}`,

		"POST /v1/quarantines/{id}/release": `{"reason":"r"}`,
		"POST /v1/legal_holds/{id}/lift":    `{"reason":"r"}`,

		"POST /v1/investigations/{id}/verifications": `{"verifications":[{"unit":"(01)00379999101303(21)1","result":"verified","source":"s"}]}`,
		"POST /v1/investigations/{id}/clear":         `{"summary":"s","person":"p","position":"q"}`,
		"POST /v1/investigations/{id}/determination": `{"evidence":"e","person":"p","position":"q"}`,
		"POST /v1/investigations/{id}/disposition":   `{"method":"destroyed","concluded_on":"2026-11-20","summary":"s"}`,
		"POST /v1/investigations/{id}/notifications": `{"type":"follow_up"}`,
		"POST /v1/notifications/{id}/form":           `{"name":"n"}`,
		"POST /v1/notifications/{id}/submission":     `{"person":"p","channel":"email"}`,
		"POST /v1/notifications/{id}/incident":       `{"incident_number":"1"}`,
	}
	for _, op := range operations(t) {
		name := op.method + " " + op.path
		if !strings.Contains(op.path, "{id}") {
			continue
		}
		role := "other_" + allowed[name][0]
		theirs := w.do(call{method: op.method, path: fill(op.path, saga, "apr_00000000000000000000000001"), role: role, key: "theirs" + op.method + strings.ReplaceAll(op.path, " ", ""), body: bodies[name]})
		nobodys := w.do(call{method: op.method, path: fill(op.path, "sg_00000000000000000000000000", "apr_00000000000000000000000002"), role: role, key: "none" + strings.ReplaceAll(op.path, " ", ""), body: bodies[name]})
		require.Equal(t, http.StatusNotFound, theirs.status, name)
		require.Equal(t, http.StatusNotFound, nobodys.status, name)
		a, b := theirs.json(t), nobodys.json(t)
		for _, own := range []string{"request_id", "instance"} {
			delete(a, own)
			delete(b, own)
		}
		require.Equal(t, b, a, "%s must not tell a foreign thing from a missing one", name)
	}
}

func TestRoutesThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, "route_not_found", w.do(call{method: "GET", path: "/v1/nothing", role: "auditor"}).code(t))
	a := w.do(call{method: "DELETE", path: "/v1/bookings", role: "marketplace"})
	require.Equal(t, http.StatusMethodNotAllowed, a.status)
	require.Equal(t, "POST", a.header.Get("Allow"))
	require.Equal(t, "not_acceptable", w.do(call{method: "GET", path: "/v1/sagas", role: "auditor", header: map[string]string{"Accept": "image/png"}}).code(t))
}

func TestProcessRoutesNeedNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/readyz", "/version"} {
		require.Equal(t, http.StatusOK, w.do(call{method: "GET", path: path}).status, path)
	}
	for path, holds := range map[string]string{"/errors/card_number_refused": "pm_", "/openapi.yaml": "openapi: 3.0.3"} {
		res := httptest.NewRecorder()
		w.server.Config.Handler.ServeHTTP(res, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		require.Equal(t, http.StatusOK, res.Code)
		require.Contains(t, res.Body.String(), holds)
	}
}

func TestWithoutADatabaseTheAnswerIsToComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.book("A-1") // the key is known now
	pool, err := pgxpool.New(t.Context(), "postgres://app_api:x@127.0.0.1:1/none?connect_timeout=1")
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	var lost bool
	away := w.on(apidb.New(pool), func() { lost = true })
	for _, c := range []call{
		{method: "POST", path: "/v1/bookings", role: "marketplace", key: "one", body: whole},
		{method: "GET", path: "/v1/sagas", role: "marketplace"},
	} {
		c.base = away.URL
		a := w.do(c)
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.Equal(t, "unavailable", a.code(t))
		require.NotEmpty(t, a.header.Get("Retry-After"))
		require.NotContains(t, string(a.body), "127.0.0.1", "nothing of the inside is shown")
	}
	require.False(t, lost, "what was not accepted is not started")
}

var update = flag.Bool("update", false, "write docs/errors.md")

func TestTheErrorsDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../docs/errors.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(api.ErrorsDocument()), 0o600))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, api.ErrorsDocument(), string(have), "run: go test ./api -run ErrorsDocument -update")
}
