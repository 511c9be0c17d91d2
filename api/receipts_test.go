package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/sandbox"
	"github.com/recourse/recourse/internal/tenancy"
)

// speaks makes a key that speaks for a company.
func (w *world) speaks(name, gln string) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.db.URL("migrator"))
	require.NoError(w, err)
	defer func() { _ = conn.Close(context.WithoutCancel(w.Context())) }()
	k, err := auth.NewKey("test")
	require.NoError(w, err)
	require.NoError(w, tenancy.PutKey(w.Context(), conn, tenancy.Key{ID: k.ID, Tenant: w.tenant, Role: "trading_partner", Name: name, SecretSHA256: k.Digest}))
	w.keys[name] = k.Text
	a := w.do(call{method: "POST", path: "/v1/partners/" + gln + "/keys", role: "operator", key: uuid.NewString(), body: `{"key_id":"` + k.ID + `"}`})
	require.Equal(w, http.StatusCreated, a.status, string(a.body))
}

// The buyer says what came: not the seller, not somebody else, and once.
func TestAReceiptIsTheBuyersAndIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := goods(t)
	w.speaks("the buyer", sandbox.Pharmacy)
	w.speaks("the seller", sandbox.Wholesaler)
	w.speaks("a stranger", sandbox.Closed)
	id := w.completed("PO-1", 2)
	receipt := func(who, key, body string) answer {
		return w.do(call{method: "POST", path: "/v1/transfers/" + id + "/receipt", role: who, key: key, body: body})
	}
	const unit = `"urn:epc:id:sgtin:0379999.010130.100000000001"`
	all := `{"received":[` + unit + `]}`
	require.Equal(t, "not_shipped", receipt("the buyer", "early", all).code(t), "nothing is received before the owner has changed")
	_, err := w.db.Super().Exec(t.Context(), `insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status, started_at, finished_at)
		values ($1, $2, 'ship', 'do', 6, 'succeeded', clock_timestamp(), clock_timestamp())`, w.tenant, id)
	require.NoError(t, err)

	require.Equal(t, "forbidden", receipt("the seller", "s", all).code(t))
	require.Equal(t, "not_found", receipt("a stranger", "n", all).code(t))
	require.Equal(t, http.StatusNotFound, receipt("trading_partner", "u", all).status, "a key that speaks for nobody")
	for name, body := range map[string]string{
		"a kind that is none": `{"received":[],"exceptions":[{"unit":` + unit + `,"kind":"lost"}]}`,
		"no list":             `{"exceptions":[]}`,
		"an unknown member":   `{"received":[],"units":[]}`,
	} {
		require.Equal(t, "validation_failed", receipt("the buyer", strings.ReplaceAll(name, " ", "-"), body).code(t), name)
	}
	require.Equal(t, "unit_invalid", receipt("the buyer", "bad", `{"received":["hello"],"exceptions":[{"unit":"hello","kind":"damaged"}]}`).code(t))

	const other = `"urn:epc:id:sgtin:0379999.010130.100000000009"`
	foreign := receipt("the buyer", "foreign", `{"received":[`+unit+`,`+other+`],"exceptions":[{"unit":`+other+`,"kind":"damaged"},{"unit":`+other+`,"kind":"overage"}]}`)
	require.Equal(t, "unit_not_sold", foreign.code(t))
	require.ElementsMatch(t, []string{"/received/1", "/exceptions/0/unit"}, pointers(foreign.json(t)))

	// Delivery need not be confirmed: a buyer that has the goods says so.
	first := receipt("the buyer", "one", all)
	require.Equal(t, http.StatusAccepted, first.status, string(first.body))
	again := receipt("the buyer", "one", all)
	require.Equal(t, string(first.body), string(again.body))
	require.Equal(t, "already_received", receipt("the buyer", "two", all).code(t))
	require.Equal(t, "already_received", receipt("operator", "three", `{"received":[]}`).code(t))
	require.Contains(t, strings.Join(w.told.words, "\n"), "wake "+id+" receive")
	var by string
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select recorded_by from custody.receipt where saga_id = $1`, id).Scan(&by))
	require.Equal(t, strings.Split(w.keys["the buyer"], "_")[2], by)
}
