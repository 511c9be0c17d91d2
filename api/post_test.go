package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const transfer = `{"purpose":"order.fee","reason":"a fee","order_ref":"A-1","entries":[
	{"account_code":"1020","side":"D","amount":700,"currency":"usd"},{"account_code":"2010","side":"C","amount":700,"currency":"usd"}]}`

func (w *world) post(key, body string) answer {
	w.Helper()
	return w.do(call{method: "POST", path: "/v1/ledger/transactions", role: "marketplace", key: key, body: body})
}

func TestAKeyIsATransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := uuid.NewString()
	first := w.post(key, transfer)
	require.Equal(t, http.StatusCreated, first.status, string(first.body))
	require.Equal(t, "txn_"+key, first.json(t)["id"])
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	again := w.post(`"`+key+`"`, transfer)
	require.Equal(t, http.StatusCreated, again.status)
	require.Equal(t, string(first.body), string(again.body), "byte for byte")
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	other := w.post(key, `{"purpose":"order.fee","reason":"another"`+transfer[len(`{"purpose":"order.fee","reason":"a fee"`):])
	require.Equal(t, "idempotency_key_reused", other.code(t))

	rotated := w.do(call{method: "POST", path: "/v1/ledger/transactions", role: "second_marketplace", key: key, body: transfer})
	require.Equal(t, string(first.body), string(rotated.body), "whoever of the tenant asks again")
	upper := w.post(strings.ToUpper(key), transfer)
	require.NotEqual(t, first.json(t)["id"], upper.json(t)["id"], "keys are case-sensitive")

	half := w.post(uuid.NewString(), strings.Replace(transfer, "a fee", `half a pair: \ud83d`, 1))
	require.Equal(t, "invalid_json", half.code(t))
	pair := w.post(uuid.NewString(), strings.Replace(transfer, "a fee", `a pair: \ud83d\ude00`, 1))
	require.Equal(t, http.StatusCreated, pair.status, string(pair.body))

	word := w.post("any other key", transfer)
	require.Equal(t, "idempotency_key_invalid", word.code(t))
	word = w.post("any-other-key", transfer)
	require.Equal(t, http.StatusCreated, word.status)
	require.Equal(t, string(word.body), string(w.post("any-other-key", transfer).body))
	require.NotEqual(t, word.json(t)["id"], w.do(call{method: "POST", path: "/v1/ledger/transactions", role: "other_marketplace", key: "any-other-key", body: transfer}).json(t)["id"])
}

func TestManyAtOnceUnderOneKeyAreOneTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := uuid.NewString()
	var all sync.WaitGroup
	bodies := make([]string, 100)
	for i := range bodies {
		all.Go(func() { bodies[i] = string(w.post(key, transfer).body) })
	}
	all.Wait()
	for _, b := range bodies {
		require.Equal(t, bodies[0], b)
	}
	require.Equal(t, int64(700), w.posted("1020"))
}

func TestHoldsThroughTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hold := uuid.NewString()
	require.Equal(t, http.StatusCreated, w.post(hold, `{"kind":"pending",`+transfer[1:]).status)
	require.Zero(t, w.posted("1020"))
	part := w.post(uuid.NewString(), fmt.Sprintf(`{"kind":"post_pending","resolves":"txn_%s","purpose":"order.part","entries":[
		{"account_code":"1020","side":"D","amount":300,"currency":"usd"},{"account_code":"2010","side":"C","amount":300,"currency":"usd"}]}`, hold))
	require.Equal(t, http.StatusCreated, part.status, string(part.body))
	require.Equal(t, int64(300), w.posted("1020"))
	void := w.post(uuid.NewString(), fmt.Sprintf(`{"kind":"void_pending","resolves":"txn_%s","purpose":"order.void"}`, hold))
	require.Equal(t, "ledger_refused", void.code(t))
	require.Contains(t, string(void.body), "pending_already_resolved")
}

func TestBadTransactionsAreRefusedByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entry := func(code, side string, amount string) string {
		return fmt.Sprintf(`{"account_code":"%s","side":"%s","amount":%s,"currency":"usd"}`, code, side, amount)
	}
	for name, c := range map[string]struct {
		body, code, contains string
	}{
		"unbalanced":      {`{"purpose":"p","entries":[` + entry("1020", "D", "2") + `,` + entry("2010", "C", "1") + `]}`, "transaction_invalid", "/entries"},
		"one entry":       {`{"purpose":"p","entries":[` + entry("1020", "D", "2") + `]}`, "transaction_invalid", "/entries"},
		"no entries":      {`{"purpose":"p"}`, "transaction_invalid", "/entries"},
		"by hand":         {`{"purpose":"manual.gift",` + transfer[len(`{"purpose":"order.fee",`):], "transaction_invalid", "/approval"},
		"unknown account": {`{"purpose":"p","entries":[` + entry("9999", "D", "2") + `,` + entry("2010", "C", "2") + `]}`, "ledger_refused", "/entries/0/account_code"},
		"a fraction":      {`{"purpose":"p","entries":[` + entry("1020", "D", "1.5") + `,` + entry("2010", "C", "1.5") + `]}`, "validation_failed", "/entries/0/amount"},
		"less than one":   {`{"purpose":"p","entries":[` + entry("1020", "D", "0") + `,` + entry("2010", "C", "0") + `]}`, "validation_failed", "/entries/0/amount"},
		"unknown field":   {`{"actor":"me",` + transfer[1:], "validation_failed", "/actor"},
		"reverses what":   {`{"reverses":"txn_` + uuid.NewString() + `",` + transfer[1:], "ledger_refused", "not_reversible"},
	} {
		a := w.post(uuid.NewString(), c.body)
		require.Equal(t, c.code, a.code(t), "%s: %s", name, a.body)
		require.Contains(t, string(a.body), c.contains, name)
	}
	require.Zero(t, w.posted("1020"))
}
