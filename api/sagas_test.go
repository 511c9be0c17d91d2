package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// move changes a saga as the worker does: row, event and wake-up.
func (w *world) move(id, status string) {
	w.Helper()
	_, err := w.db.Super().Exec(w.Context(), `
		with moved as (
		  update app.saga set status = $2, version = version + 1, updated_at = clock_timestamp(),
		         finished_at = case when $2 in ('completed', 'compensated', 'rejected') then clock_timestamp() end
		   where id = $1 returning *
		), told as (
		  insert into app.saga_event (tenant_id, saga_id, version, type, data)
		  select tenant_id, id, version, 'saga.status', jsonb_build_object('status', status) from moved
		)
		select pg_notify('saga', tenant_id || ':' || id) from moved`, id, status)
	require.NoError(w, err)
}

func TestASagaIsPolledWithItsVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	get := func(tag string) answer {
		return w.do(call{method: "GET", path: "/v1/sagas/" + id, role: "marketplace", header: map[string]string{"If-None-Match": tag}})
	}
	a := get("")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, `"1"`, a.header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, get(`"1"`).status)
	w.move(id, "running")
	a = get(`"1"`)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, `"2"`, a.header.Get("ETag"))
	require.Equal(t, "running", a.json(t)["status"])
}

func TestALongPollAnswersWhenSomethingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	answers := make(chan answer, 1)
	go func() {
		answers <- w.do(call{method: "GET", path: "/v1/sagas/" + id + "?wait=20", role: "marketplace", header: map[string]string{"If-None-Match": `"1"`}})
	}()
	select {
	case <-answers:
		t.Fatal("it answered before anything had changed")
	case <-time.After(200 * time.Millisecond):
	}
	w.move(id, "running")
	a := <-answers
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "running", a.json(t)["status"])

	over := w.do(call{method: "GET", path: "/v1/sagas/" + id + "?wait=1", role: "marketplace", header: map[string]string{"If-None-Match": `"2"`}})
	require.Equal(t, http.StatusNotModified, over.status)
}

func TestPagesNeitherSkipNorRepeatWhileOrdersComeIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var before []string
	for n := range 12 {
		before = append(before, w.book(fmt.Sprintf("A-%02d", n)))
	}
	seen := map[string]int{}
	path := "/v1/sagas?limit=5"
	for page := 0; path != ""; page++ {
		v := w.do(call{method: "GET", path: path, role: "marketplace"}).json(t)
		list, ok := v["data"].([]any)
		require.True(t, ok)
		for _, one := range list {
			s, ok := one.(map[string]any)
			require.True(t, ok)
			seen[fmt.Sprint(s["id"])]++
		}
		w.book(fmt.Sprintf("B-%02d", page)) // newer than what is being paged through
		path = ""
		if v["has_more"] == true {
			path = "/v1/sagas?limit=5&cursor=" + fmt.Sprint(v["next_cursor"])
		}
	}
	require.Len(t, seen, len(before))
	for _, id := range before {
		require.Equal(t, 1, seen[id])
	}
}

func TestListsAreFilteredAndCursorsCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.book("A-1"), w.book("A-2")
	w.move(two, "running")
	for query, want := range map[string][]string{
		"status=running": {two}, "order_ref=A-1": {one}, "type=booking": {two, one}, "type=transfer": nil,
		"created[gte]=2020-01-01T00:00:00Z": {two, one}, "created[lt]=2020-01-01T00:00:00Z": nil,
	} {
		v := w.do(call{method: "GET", path: "/v1/sagas?" + query, role: "auditor"}).json(t)
		var got []string
		list, _ := v["data"].([]any)
		for _, s := range list {
			m, _ := s.(map[string]any)
			got = append(got, fmt.Sprint(m["id"]))
		}
		require.Equal(t, want, got, query)
	}
	next := fmt.Sprint(w.do(call{method: "GET", path: "/v1/sagas?limit=1", role: "auditor"}).json(t)["next_cursor"])
	for _, bad := range []string{"AAAA", next + "A", "x" + next[1:]} {
		require.Equal(t, "validation_failed", w.do(call{method: "GET", path: "/v1/sagas?cursor=" + bad, role: "auditor"}).code(t), bad)
	}
	require.Equal(t, "validation_failed", w.do(call{method: "GET", path: "/v1/sagas?cursor=" + next, role: "other_auditor"}).code(t), "another tenant's cursor")
	for _, bad := range []string{"limit=0", "limit=101", "limit=x", "status=gone", "created[gte]=yesterday"} {
		require.Equal(t, http.StatusBadRequest, w.do(call{method: "GET", path: "/v1/sagas?" + bad, role: "auditor"}).status, bad)
	}
}

func TestCancelBeforeAndAfterThePointOfNoReturn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cancel := func(id string) answer {
		return w.do(call{method: "POST", path: "/v1/sagas/" + id + "/cancel", role: "marketplace", key: uuid.NewString(), body: `{"reason":"changed my mind"}`})
	}
	early, late, ended := w.book("A-1"), w.book("A-2"), w.book("A-3")
	a := cancel(early)
	require.Equal(t, http.StatusAccepted, a.status)
	version := a.json(t)["version"]
	require.Equal(t, version, cancel(early).json(t)["version"], "asking twice changes nothing")
	require.Equal(t, []string{"cancel " + early, "cancel " + early}, w.told.words)

	_, err := w.db.Super().Exec(t.Context(), `update app.saga set pivot_at = clock_timestamp() where id = $1`, late)
	require.NoError(t, err)
	require.Equal(t, "past_point_of_no_return", cancel(late).code(t))
	w.move(ended, "completed")
	require.Equal(t, "saga_already_finished", cancel(ended).code(t))
	require.Equal(t, "not_found", cancel("sg_"+"00000000000000000000000000").code(t))
	require.Equal(t, http.StatusAccepted, w.do(call{method: "POST", path: "/v1/sagas/" + early + "/cancel", role: "operator", key: "no-body"}).status)
}

func TestTheBooksAreForFinance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	a := w.do(call{method: "GET", path: "/v1/ledger/transactions?saga_id=" + id, role: "marketplace"})
	require.Equal(t, http.StatusOK, a.status)
	require.Empty(t, a.json(t)["data"])
	require.Equal(t, http.StatusOK, w.do(call{method: "GET", path: "/v1/ledger/trial-balance?currency=usd", role: "finance_preparer"}).status)
	require.Equal(t, http.StatusForbidden, w.do(call{method: "GET", path: "/v1/ledger/trial-balance", role: "marketplace"}).status)
	require.Equal(t, http.StatusNotFound, w.do(call{method: "GET", path: "/v1/ledger/transactions?saga_id=" + id, role: "other_marketplace"}).status)
}

func TestTwoPeopleDecideAboutASagaInAttention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	propose := func(role, step string) answer {
		return w.do(call{
			method: "POST", path: "/v1/sagas/" + id + "/resolutions", role: role, key: uuid.NewString(),
			body: `{"action":"done_by_hand","step":"` + step + `","reason":"cancelled by phone"}`,
		})
	}
	require.Equal(t, "not_in_attention", propose("operator", "hotel").code(t))
	_, err := w.db.Super().Exec(t.Context(), `
		insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status) values ($1, $2, 'hotel', 'undo', 1, 'attention')`, w.tenant, id)
	require.NoError(t, err)
	w.move(id, "attention")
	require.Equal(t, "not_in_attention", propose("operator", "flight").code(t))

	a := propose("operator", "hotel")
	require.Equal(t, http.StatusCreated, a.status)
	approval := fmt.Sprint(a.json(t)["id"])
	require.Equal(t, "/v1/approvals/"+approval, a.header.Get("Location"))
	require.Equal(t, "already_proposed", propose("finance_preparer", "hotel").code(t))

	decide := func(role, key, what string) answer {
		return w.do(call{method: "POST", path: "/v1/approvals/" + approval + "/" + what, role: role, key: key})
	}
	require.Equal(t, "same_person", decide("operator", "k1", "approve").code(t))
	require.Equal(t, http.StatusForbidden, decide("marketplace", "k2", "approve").status)
	w.told.err = fmt.Errorf("temporal is away")
	lost := decide("second_operator", "k3", "approve")
	require.Equal(t, http.StatusServiceUnavailable, lost.status)
	w.told.err = nil
	again := decide("second_operator", "k3", "approve")
	require.Equal(t, http.StatusOK, again.status)
	require.Equal(t, "approved", again.json(t)["decision"])
	require.Equal(t, []string{"resolve " + id + " " + approval + " hotel done_by_hand"}, w.told.words)
	require.Equal(t, "already_decided", decide("finance_reviewer", "k4", "reject").code(t))
	list := w.do(call{method: "GET", path: "/v1/approvals", role: "auditor"}).json(t)
	require.Len(t, list["data"], 1)
	require.Equal(t, http.StatusNotFound, w.do(call{method: "GET", path: "/v1/approvals/" + approval, role: "other_operator"}).status)
}
