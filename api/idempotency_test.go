package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of the API's idempotency rules, one test a row.

func post(key, body string) call {
	return call{method: "POST", path: "/v1/bookings", role: "marketplace", key: key, body: body}
}

func TestIdempotencyKeyIsRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(post("", whole))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, "idempotency_key_required", a.code(t))
	require.Zero(t, w.count("saga"))
}

func TestIdempotencyKeyHasAForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, bad := range []string{strings.Repeat("k", 256), "with space", "tab\tinside", "ümlaut", `""`} {
		a := w.do(post(bad, whole))
		require.Equal(t, http.StatusBadRequest, a.status, bad)
		require.Equal(t, "idempotency_key_invalid", a.code(t), bad)
	}
	require.Equal(t, http.StatusAccepted, w.do(post(strings.Repeat("k", 255), whole)).status)
}

func TestAReplayIsTheFirstAnswerByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.do(post("one", whole))
	require.Equal(t, http.StatusAccepted, first.status)
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	require.NotEmpty(t, first.header.Get("Idempotency-Expires"))

	reordered := `{"payment_flow":"authorize","car":{"price":15000,"sku":"CAR-JFK-ECON"},"hotel":{"nights":3,"sku":"HT-NYC-0042","price":45000},` +
		`"flight":{"price":90000,"sku":"FL-LHR-JFK-0612"},"traveler":{"email":"ada@example.com","name":"Ada Example"},` +
		`"payment_method":"pm_card_visa","currency":"usd","order_ref":"A-1001"}`
	for _, again := range []call{post("one", whole), post(`"one"`, whole), post("one", reordered)} {
		a := w.do(again)
		require.Equal(t, first.status, a.status)
		require.Equal(t, first.body, a.body)
		require.Equal(t, first.header.Get("Location"), a.header.Get("Location"))
		require.Equal(t, "true", a.header.Get("Idempotent-Replayed"))
		require.Equal(t, first.header.Get("Request-Id"), a.header.Get("Original-Request"))
		require.NotEqual(t, first.header.Get("Request-Id"), a.header.Get("Request-Id"))
	}
	require.Equal(t, 1, w.count("saga"))
	require.Equal(t, 1, w.started.count())
}

func TestAReplayShowsTheOriginalSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.do(post("one", whole))
	_, err := w.db.Super().Exec(t.Context(), `update app.saga set status = 'running', version = 5`)
	require.NoError(t, err)
	require.Equal(t, first.body, w.do(post("one", whole)).body)
}

func TestAKeyInUseIsAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Another request holds the key: its transaction is open.
	tx, err := w.db.Super().Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `
		insert into app.idempotency (tenant_id, key, fingerprint, state, lease_until, request_id, expires_at)
		values ($1, 'one', sha256(''), 'started', now() + interval '1 minute', 'req_x', now() + interval '1 day')`, w.tenant)
	require.NoError(t, err)
	a := w.do(post("one", whole))
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "idempotency_key_in_use", a.code(t))
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.NoError(t, tx.Rollback(t.Context()))
	require.Equal(t, http.StatusAccepted, w.do(post("one", whole)).status, "the other one failed: the key is free")
}

func TestAKeyWithAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.do(post("one", whole))
	a := w.do(post("one", strings.Replace(whole, "90000", "90001", 1)))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, "idempotency_key_reused", a.code(t))
	require.NotContains(t, string(a.body), "sg_", "nothing of the first answer is shown")

	other := w.do(call{method: "POST", path: first.header.Get("Location") + "/cancel", role: "marketplace", key: "one"})
	require.Equal(t, "idempotency_key_reused", other.code(t), "the same key on another route is another request")
	require.Equal(t, 1, w.count("saga"))
}

func TestWhatIsRefusedBeforeExecutionIsNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]call{
		"400 shape":      post("one", strings.Replace(whole, `"price":90000`, `"price":"much"`, 1)),
		"400 json":       post("one", `{"order_ref":`),
		"401":            {method: "POST", path: "/v1/bookings", key: "one", body: whole},
		"403":            {method: "POST", path: "/v1/bookings", key: "one", body: whole, role: "auditor"},
		"404 route":      {method: "POST", path: "/v1/nothing", key: "one", body: whole, role: "marketplace"},
		"413":            post("one", `{"order_ref":"`+strings.Repeat("x", 1<<20)+`"}`),
		"415":            {method: "POST", path: "/v1/bookings", key: "one", body: whole, role: "marketplace", header: map[string]string{"Content-Type": "text/plain"}},
		"card number":    post("one", strings.Replace(whole, "pm_card_visa", "4242424242424242", 1)),
		"unknown member": post("one", strings.Replace(whole, `"currency"`, `"curency":"usd","currency"`, 1)),
	} {
		a := w.do(c)
		require.GreaterOrEqual(t, a.status, 400, name)
		require.Less(t, a.status, 500, name)
	}
	require.Zero(t, w.count("idempotency"))
	require.Equal(t, http.StatusAccepted, w.do(post("one", whole)).status, "the same key serves the corrected request")
}

func TestARefusalByMeaningIsStoredAndReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	strange := strings.Replace(whole, `"usd"`, `"zzz"`, 1)
	first := w.do(post("one", strange))
	require.Equal(t, http.StatusUnprocessableEntity, first.status)
	require.Equal(t, "unknown_currency", first.code(t))
	again := w.do(post("one", strange))
	require.Equal(t, first.body, again.body)
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	require.Equal(t, "idempotency_key_reused", w.do(post("one", whole)).code(t))
}

func TestAnOrderIsPlacedOnceAlsoUnderAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1001")
	first := w.do(post("two", whole))
	require.Equal(t, http.StatusConflict, first.status)
	require.Equal(t, "order_ref_conflict", first.code(t))
	require.Equal(t, id, first.json(t)["saga_id"])
	require.Equal(t, first.body, w.do(post("two", whole)).body, "and that answer is the key's")
	require.Equal(t, 1, w.count("saga"))
}

func TestAnExpiredKeyCannotBuyTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(post("one", whole))
	_, err := w.db.Super().Exec(t.Context(), `update app.idempotency set created_at = now() - interval '31 days', expires_at = now() - interval '1 day'`)
	require.NoError(t, err)
	var pruned int
	require.NoError(t, w.db.Pool("app_worker").QueryRow(t.Context(), `select app.prune(100)`).Scan(&pruned))
	require.Equal(t, 1, pruned)
	require.Equal(t, "order_ref_conflict", w.do(post("one", whole)).code(t))
}

func TestAKeyOfAnotherTenantIsUnrelated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.do(post("one", whole))
	other := w.do(call{method: "POST", path: "/v1/bookings", role: "other_marketplace", key: "one", body: whole})
	require.Equal(t, http.StatusAccepted, other.status)
	require.Empty(t, other.header.Get("Idempotent-Replayed"))
	require.NotEqual(t, first.header.Get("Location"), other.header.Get("Location"))
}

// An answer that was committed and never arrived is what the retry gets: the
// key and the saga are one commit, so there is nothing in between to repair.
func TestAnAnswerThatGotLostIsReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := order("A-lost")
	first := w.do(post("one", body))
	second := w.another() // the first process has died
	a := w.do(call{method: "POST", path: "/v1/bookings", role: "marketplace", key: "one", body: body, base: second.URL})
	require.Equal(t, first.body, a.body)
	require.Equal(t, 1, w.count("saga"))
	require.Equal(t, 1, w.count("saga_event"))
}

func TestNothingIsHalfWrittenWhenTheCommitFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reshape(`
		create function app.fail() returns trigger language plpgsql as $$ begin raise exception 'disk full' using errcode = '53100'; end $$;
		create trigger saga_event_fails before insert on app.saga_event for each row execute function app.fail()`)
	a := w.do(post("one", whole))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "unavailable", a.code(t))
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Zero(t, w.count("saga"))
	require.Zero(t, w.count("idempotency"))
	w.reshape(`drop trigger saga_event_fails on app.saga_event`)
	require.Equal(t, http.StatusAccepted, w.do(post("one", whole)).status)
}

func TestTwoHundredAtOnceThroughTwoProcessesPlaceOneOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bases := []string{w.server.URL, w.another().URL}
	answers := make([]answer, 200)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = w.do(call{method: "POST", path: "/v1/bookings", role: "marketplace", key: "one", body: whole, base: bases[i%2]})
		})
	}
	all.Wait()
	var body []byte
	counts := map[string]int{}
	for _, a := range answers {
		counts[fmt.Sprint(a.status)]++
		if a.status == http.StatusConflict {
			require.Equal(t, "idempotency_key_in_use", a.code(t))
			continue
		}
		require.Equal(t, http.StatusAccepted, a.status, string(a.body))
		if body == nil {
			body = a.body
		}
		require.Equal(t, body, a.body)
	}
	require.NotNil(t, body)
	require.Equal(t, 1, w.count("saga"), counts)
	require.Equal(t, 1, w.count("saga_event"))
	require.Equal(t, 1, w.started.count())
}

func TestGetsIgnoreTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	a := w.do(call{method: "GET", path: "/v1/sagas/" + id, role: "marketplace", key: "not valid at all", header: map[string]string{}})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, 1, w.count("idempotency"))
}
