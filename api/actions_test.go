package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/audit"
	auditpg "github.com/recourse/recourse/audit/postgres"
	"github.com/recourse/recourse/seal"
)

// actions lists what was done in the tenant, newest first, without the keys
// that were made for the test.
func (w *world) actions() (out []map[string]any) {
	w.Helper()
	a := w.do(call{method: "GET", path: "/v1/audit/actions?limit=100", role: "auditor"})
	require.Equal(w, http.StatusOK, a.status, string(a.body))
	for _, x := range list(w, a.json(w.T)["data"]) {
		if x["operation"] != "keys create" {
			out = append(out, x)
		}
	}
	return out
}

func list(w *world, v any) (out []map[string]any) {
	w.Helper()
	all, ok := v.([]any)
	require.True(w, ok)
	for _, x := range all {
		one, ok := x.(map[string]any)
		require.True(w, ok)
		out = append(out, one)
	}
	return out
}

// Every change leaves one action and nothing else does: not a repeat, not a
// read, not what was refused before it had a key.
func TestWhatIsDoneIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := list(w, w.do(call{method: "GET", path: "/v1/audit/actions?limit=100", role: "auditor"}).json(t)["data"])
	require.Len(t, made, 10, "the keys of this tenant")
	require.Equal(t, "cli:migrator", made[0]["actor"])
	require.Empty(t, w.actions())

	const hold = `{"class":"recall","gtin":"00369991234505","lot":"AB1234","reason":"FDA recall D-0123-2026"}`
	place := call{method: "POST", path: "/v1/quarantines", role: "operator", key: "hold-1", body: hold}
	first := w.do(place)
	require.Equal(t, http.StatusCreated, first.status, string(first.body))
	require.Equal(t, "true", w.do(place).header.Get("Idempotent-Replayed"))
	got := w.actions()
	require.Len(t, got, 1)
	sum := sha256.Sum256(first.body)
	require.Equal(t, "placeQuarantine", got[0]["operation"])
	require.Equal(t, "operator", got[0]["role"])
	require.Equal(t, "/v1/quarantines", got[0]["path"])
	require.Equal(t, first.header.Get("Request-Id"), got[0]["request_id"])
	require.Equal(t, "127.0.0.1", got[0]["remote"])
	require.InDelta(t, 201, got[0]["status"], 0)
	require.Equal(t, hex.EncodeToString(sum[:]), got[0]["answer_sha256"])

	// Not there yet; refused before it had a key; refused for the role.
	require.Equal(t, http.StatusNotFound, w.do(call{method: "POST", path: "/v1/quarantines/qtn_999999/release", role: "operator", key: "r-1", body: `{"reason":"by mistake"}`}).status)
	require.Equal(t, http.StatusBadRequest, w.do(call{method: "POST", path: "/v1/quarantines", role: "operator", key: "hold-2", body: `{"class":"recall","reason":"x"}`}).status)
	require.Equal(t, http.StatusForbidden, w.do(call{method: "POST", path: "/v1/quarantines", role: "marketplace", key: "hold-3", body: hold}).status)
	require.Len(t, w.actions(), 1, "what may be asked again was not decided")

	// An order is an action too, once; so is one that is refused for good.
	place = call{method: "POST", path: "/v1/bookings", role: "marketplace", key: "order-1", body: order("audit-1")}
	require.Equal(t, http.StatusAccepted, w.do(place).status)
	w.do(place)
	place.key = "order-2"
	require.Equal(t, "order_ref_conflict", w.do(place).code(t))
	got = w.actions()
	require.Len(t, got, 3)
	require.Equal(t, "createBooking", got[1]["operation"])
	require.InDelta(t, 202, got[1]["status"], 0)
	require.InDelta(t, 409, got[0]["status"], 0)

	// By page, by actor, and not by strangers.
	page := w.do(call{method: "GET", path: "/v1/audit/actions?limit=2", role: "operator"}).json(t)
	require.Equal(t, true, page["has_more"])
	next, ok := page["next_cursor"].(string)
	require.True(t, ok)
	rest := list(w, w.do(call{method: "GET", path: "/v1/audit/actions?limit=100&cursor=" + next, role: "operator"}).json(t)["data"])
	require.Equal(t, got[2]["id"], rest[0]["id"])
	require.Len(t, rest, 11)
	actor, ok := got[0]["actor"].(string)
	require.True(t, ok)
	require.Len(t, list(w, w.do(call{method: "GET", path: "/v1/audit/actions?actor=" + actor, role: "auditor"}).json(t)["data"]), 2)
	for _, x := range list(w, w.do(call{method: "GET", path: "/v1/audit/actions?limit=100", role: "other_auditor"}).json(t)["data"]) {
		require.Equal(t, "keys create", x["operation"])
	}
}

func TestAnActionProvesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, http.StatusAccepted, w.do(call{method: "POST", path: "/v1/bookings", role: "marketplace", key: "order-1", body: order("audit-1")}).status)
	id, ok := w.actions()[0]["id"].(string)
	require.True(t, ok)
	path := "/v1/audit/actions/" + id + "/proof"
	a := w.do(call{method: "GET", path: path, role: "auditor"})
	require.Equal(t, "not_sealed_yet", a.code(t))
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := auditpg.NewSeals(w.db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	for _, d := range due {
		_, _, _, err := seals.Seal(t.Context(), d, key)
		require.NoError(t, err)
	}
	a = w.do(call{method: "GET", path: path, role: "operator"})
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	b, err := audit.ParseBundle(a.body)
	require.NoError(t, err)
	facts, err := b.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, "createBooking", facts.Operation)
	require.Equal(t, "not_found", w.do(call{method: "GET", path: "/v1/audit/actions/act_999/proof", role: "auditor"}).code(t))
	require.Equal(t, "not_found", w.do(call{method: "GET", path: "/v1/audit/actions/act_11/proof", role: "other_auditor"}).code(t), "theirs has ten")
}
