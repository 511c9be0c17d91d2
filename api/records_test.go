package api_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
)

// document records a document of one event, kept from the day of that on.
func (w *world) document(name string, e epcis.Event) int64 {
	w.Helper()
	pool, raw := w.db.Pool("app_worker"), []byte(name)
	var out custodypg.Appended
	require.NoError(w, pgtenant.Tx(w.Context(), pool, w.tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		out, err = custodypg.New(pool).AppendTx(ctx, tx, w.tenant, custodypg.Batch{
			Document: &dscsa.Document{Direction: dscsa.Received, Format: epcis.XML12, Sender: dscsatest.Parties[1], Credential: "test", Verdict: dscsa.Accept},
			Body:     bytes.NewReader(raw), Events: []epcis.Event{e},
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `select custody.retain($1, c.id, $2, 'K1', $3) from custody.chain c`, w.tenant, out.Document, e.EventTime)
		return err
	}))
	return out.Document
}

func (w *world) old(name string) string {
	w.Helper()
	e := dscsatest.Ship(time.Date(2015, 3, 1, 0, 0, 0, 0, time.UTC), dscsatest.Parties[0], dscsatest.Parties[1], dscsatest.Unit(name))
	return "doc_" + strconv.FormatInt(w.document(name, e), 10)
}

func (w *world) data(a answer) []any {
	w.Helper()
	require.Equal(w, http.StatusOK, a.status, string(a.body))
	list, ok := a.json(w.T)["data"].([]any)
	require.True(w, ok)
	return list
}

func TestRecordsAreLetGoByTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.old("1"), w.old("2")
	w.document("3", dscsatest.Receive(time.Now(), dscsatest.Parties[1], dscsatest.Unit("1")))

	a := w.ask("operator", "/v1/legal_holds", `{"document":"`+second+`","reason":"subpoena 12"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	hold := a.json(t)["id"].(string) //nolint:forcetypeassert // a wrong type fails the test as well
	require.Equal(t, keyID(t, w.keys["operator"]), a.json(t)["placed_by"])
	kept := w.get("/v1/custody/retention").json(t)
	require.EqualValues(t, 1, kept["documents"])
	require.EqualValues(t, 1, kept["held"])
	require.Len(t, kept["classes"], 4)
	due := w.data(w.get("/v1/custody/due"))
	require.Len(t, due, 2)
	require.Equal(t, []any{true, false}, []any{due[0].(map[string]any)["goes"], due[1].(map[string]any)["goes"]}) //nolint:forcetypeassert // as above
	require.Equal(t, "2021-03-01", due[0].(map[string]any)["kept_until"])                                         //nolint:forcetypeassert // as above

	// A page at a time.
	page := w.get("/v1/custody/due?limit=1").json(t)
	require.Equal(t, true, page["has_more"])
	next := w.data(w.get("/v1/custody/due?limit=1&cursor=" + url.QueryEscape(page["next_cursor"].(string)))) //nolint:forcetypeassert // as above
	require.Equal(t, second, next[0].(map[string]any)["id"])                                                 //nolint:forcetypeassert // as above

	id := w.proposed(w.ask("operator", "/v1/custody/purges", `{"reason":"the year's end","ticket":"REC-1"}`))
	require.Equal(t, "already_proposed", w.ask("recall_operator", "/v1/custody/purges", `{"reason":"me too"}`).code(t))
	require.Equal(t, "same_person", w.approve("operator", id).code(t))
	require.Equal(t, "forbidden", w.approve("finance_reviewer", id).code(t))
	order := w.carriedOut("recall_operator", id)
	require.Equal(t, id, order["approval_id"])
	require.Equal(t, false, order["done"])
	require.Equal(t, []any{keyID(t, w.keys["recall_operator"])}, order["approved_by"])
	run := "/v1/custody/purges/" + order["id"].(string) + "/run" //nolint:forcetypeassert // as above
	require.Equal(t, http.StatusForbidden, w.ask("auditor", run, "").status)
	c := call{method: "POST", path: run, role: "operator", key: "round-1"}
	done := w.do(c)
	require.Equal(t, http.StatusOK, done.status, string(done.body))
	require.Equal(t, true, done.json(t)["done"])
	require.EqualValues(t, 1, done.json(t)["documents"])
	require.Equal(t, done.body, w.do(c).body, "the same request again is the same answer")
	require.EqualValues(t, 1, w.ask("recall_operator", run, "").json(t)["documents"], "and another round does nothing more")
	var parts []int64
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select array_agg(distinct document order by document) from custody.document_part`).Scan(&parts))
	require.Len(t, parts, 2)
	require.NotContains(t, parts, first)
	require.Len(t, w.data(w.get("/v1/custody/purges")), 1)
	require.Equal(t, "nothing_is_over", w.ask("operator", "/v1/custody/purges", `{"reason":"again"}`).code(t))
	require.Equal(t, "not_found", w.ask("operator", "/v1/custody/purges/prg_1/run", "").code(t))
	require.Equal(t, "validation_failed", w.ask("operator", "/v1/custody/purges", `{"reason":"early","before":"2999-01-01"}`).code(t))
	require.Equal(t, "validation_failed", w.get("/v1/custody/retention?before=2999-01-01").code(t))

	// A legal hold takes one person to place and two to lift.
	lift := w.proposed(w.ask("operator", "/v1/legal_holds/"+hold+"/lift", `{"reason":"settled"}`))
	require.Len(t, w.data(w.get("/v1/legal_holds")), 1, "asking lifts nothing")
	lifted := w.carriedOut("recall_operator", lift)
	require.Equal(t, lift, lifted["approval_id"])
	require.NotEmpty(t, lifted["lifted_at"])
	require.Empty(t, w.data(w.get("/v1/legal_holds")))
	require.Len(t, w.data(w.get("/v1/legal_holds?in_force=false")), 1)
	require.Equal(t, "not_found", w.ask("operator", "/v1/legal_holds/"+hold+"/lift", `{"reason":"again"}`).code(t))
	everything := w.ask("recall_operator", "/v1/legal_holds", `{"everything":true,"reason":"an audit"}`)
	require.Equal(t, true, everything.json(t)["everything"])
	require.EqualValues(t, 1, w.get("/v1/custody/retention").json(t)["held"])
	for _, body := range []string{
		`{"reason":"r"}`, `{"document":"doc_1","everything":true,"reason":"r"}`, `{"document":"1","reason":"r"}`, `{"everything":true,"reason":" "}`, `{"everything":false,"reason":"r"}`,
	} {
		require.Equal(t, "validation_failed", w.ask("operator", "/v1/legal_holds", body).code(t), body)
	}
	require.Equal(t, "not_found", w.ask("operator", "/v1/legal_holds", `{"document":"doc_999999","reason":"r"}`).code(t))

	_, err := custodypg.New(w.db.Pool("app_worker")).Verify(t.Context(), w.tenant)
	require.NoError(t, err)
}

// A hold that comes between the approval and the purge wins; of two who lift
// the same hold, the second finds it lifted.
func TestWhatComesInBetweenIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	document := w.old("1")
	id := w.proposed(w.ask("operator", "/v1/custody/purges", `{"reason":"the year's end"}`))
	order := w.carriedOut("recall_operator", id)
	a := w.ask("recall_operator", "/v1/legal_holds", `{"document":"`+document+`","reason":"subpoena 12"}`)
	require.Equal(t, http.StatusCreated, a.status)
	run := w.ask("operator", "/v1/custody/purges/"+order["id"].(string)+"/run", "").json(t) //nolint:forcetypeassert // a wrong type fails the test as well
	require.Zero(t, run["documents"])
	require.Equal(t, true, run["done"], "what was held is left for another order")
	var parts int
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select count(*) from custody.document_part`).Scan(&parts))
	require.Equal(t, 1, parts)

	hold := a.json(t)["id"].(string) //nolint:forcetypeassert // as above
	lift := w.proposed(w.ask("operator", "/v1/legal_holds/"+hold+"/lift", `{"reason":"settled"}`))
	w.exec(`do $$ begin perform guard.open_maintenance('a test'); alter table custody.legal_hold disable trigger user;
		update custody.legal_hold set lifted = 1; alter table custody.legal_hold enable trigger user; end $$`)
	require.Equal(t, "not_found", w.approve("recall_operator", lift).code(t))
	require.Nil(t, w.get("/v1/approvals/" + lift).json(t)["decision"], "what could not be done was not decided")
}

func TestCustodyProvesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(path, role, accept string) answer {
		return w.do(call{method: "GET", path: path, role: role, header: map[string]string{"Accept": accept}})
	}
	e := dscsatest.Receive(time.Now(), dscsatest.Parties[1], dscsatest.Unit("1"))
	e.EventID = "urn:uuid:" + uuid.NewString()
	w.document("1", e)
	proofOf := "/v1/custody/proofs?event_id=" + url.QueryEscape(e.EventID)
	for _, path := range []string{proofOf, "/v1/custody/checkpoint"} {
		a := get(path, "auditor", "application/json")
		require.Equal(t, http.StatusConflict, a.status)
		require.Equal(t, "not_sealed_yet", a.code(t))
		require.Equal(t, "10", a.header.Get("Retry-After"))
	}
	require.Empty(t, w.data(w.get("/v1/custody/checkpoints")))

	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := custodypg.NewSeals(w.db.Pool("sealer"))
	sign := func() (seal.Checkpoint, []byte) {
		due, err := seals.Due(t.Context(), nil)
		require.NoError(t, err)
		c, signed, _, err := seals.Seal(t.Context(), due[0], key)
		require.NoError(t, err)
		return c, signed
	}
	first, _ := sign()
	wrong := dscsatest.Receive(time.Now(), dscsatest.Parties[1], dscsatest.Unit("1"))
	wrong.EventID, wrong.EventTime, wrong.Error = e.EventID, e.EventTime, &epcis.ErrorDeclaration{At: time.Now(), Reason: "did_not_occur"}
	w.document("2", wrong)
	c, signed := sign()

	for _, accept := range []string{"", "*/*", "text/plain"} {
		a := get("/v1/custody/checkpoint", "operator", accept)
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "text/plain; charset=utf-8", a.header.Get("Content-Type"))
		require.Equal(t, signed, a.body)
	}
	a := get("/v1/custody/checkpoint", "recall_operator", "application/json")
	require.Equal(t, string(signed), a.json(t)["note"])
	require.Equal(t, c.Origin, a.json(t)["origin"])
	page := w.get("/v1/custody/checkpoints?limit=1").json(t)
	require.Equal(t, true, page["has_more"])
	list := w.data(w.get("/v1/custody/checkpoints?cursor=" + url.QueryEscape(page["next_cursor"].(string)))) //nolint:forcetypeassert // a wrong type fails the test as well
	require.Len(t, list, 1)
	require.EqualValues(t, first.Size, list[0].(map[string]any)["size"]) //nolint:forcetypeassert // as above

	// The id names the event and the declaration that it was wrong.
	a = get(proofOf, "operator", "application/json")
	require.Equal(t, "validation_failed", a.code(t))
	require.Contains(t, string(a.body), "one of 2, 4")
	a = get("/v1/custody/proofs?seq=2", "operator", "application/json")
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	bundle, err := proof.ParseBundle(a.body)
	require.NoError(t, err)
	facts, err := bundle.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, e.EventID, facts.EventID)
	for i := range bundle.Content {
		bundle.Content[i] ^= 1
		_, err := bundle.Verify(key.PublicKey)
		require.Error(t, err, "byte %d", i)
		bundle.Content[i] ^= 1
	}
	for i := range bundle.Record {
		bundle.Record[i] ^= 1
		_, err := bundle.Verify(key.PublicKey)
		require.Error(t, err, "byte %d of the record", i)
		bundle.Record[i] ^= 1
	}

	require.Equal(t, "not_found", get("/v1/custody/proofs?purged=doc_1", "auditor", "").code(t), "it is not gone")
	require.Equal(t, "validation_failed", get("/v1/custody/proofs?purged=1", "auditor", "").code(t))
	require.Equal(t, "not_found", get("/v1/custody/proofs?seq=1", "auditor", "").code(t), "it is a document")
	require.Equal(t, "not_found", get("/v1/custody/proofs?event_id=urn:x", "auditor", "").code(t))
	require.Equal(t, "not_found", get(proofOf, "other_auditor", "").code(t))
	require.Equal(t, "validation_failed", get("/v1/custody/proofs", "auditor", "").code(t))
	require.Equal(t, "validation_failed", get("/v1/custody/proofs?seq=2&event_id=x", "auditor", "").code(t))
	require.Equal(t, http.StatusConflict, get("/v1/custody/checkpoint", "other_auditor", "").status, "they have no custody yet")
	require.Equal(t, "not_acceptable", get("/v1/custody/proofs?seq=2", "auditor", "text/plain").code(t))
}
