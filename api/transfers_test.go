package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/sandbox"
)

// goods is a world with the sandbox's companies and packages in it.
func goods(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	require.NoError(t, sandbox.Seed(t.Context(), w.db.Super(), w.tenant, ""))
	return w
}

func sale(ref string) string {
	return `{"order_ref":"` + ref + `","seller":"` + sandbox.Wholesaler + `","buyer":"` + sandbox.Pharmacy + `",
		"units":["urn:epc:id:sgtin:0379999.010130.100000000001","(01)00379999101303(21)100000000002",
		         "https://id.example.com/01/50379999101308/21/900000003","01003799991013032110000000000417290630"],
		"price":25000,"currency":"usd","payment_method":"pm_card_visa"}`
}

func (w *world) sell(ref string) string {
	w.Helper()
	a := w.do(call{method: "POST", path: "/v1/transfers", role: "marketplace", key: uuid.NewString(), body: sale(ref)})
	require.Equal(w, http.StatusAccepted, a.status, string(a.body))
	id, ok := a.json(w.T)["id"].(string)
	require.True(w, ok)
	return id
}

func TestATransferIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	w := goods(t)
	first := w.do(call{method: "POST", path: "/v1/transfers", role: "marketplace", key: "one", body: sale("PO-1")})
	again := w.do(call{method: "POST", path: "/v1/transfers", role: "marketplace", key: "one", body: sale("PO-1")})
	require.Equal(t, http.StatusAccepted, first.status, string(first.body))
	require.Equal(t, string(first.body), string(again.body))
	require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	require.Equal(t, 1, w.started.count())
	v := first.json(t)
	require.Equal(t, "transfer", v["type"])

	var request struct {
		Units         []string
		Seller, Buyer string
	}
	var raw []byte
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select request from app.saga`).Scan(&raw))
	require.NoError(t, json.Unmarshal(raw, &request))
	require.Equal(t, []string{
		sandbox.Unit(sandbox.Drug, 1), sandbox.Unit(sandbox.Drug, 2), sandbox.Case(3), "01/00379999101303/21/10000000000417290630",
	}, request.Units, "one key, whatever the spelling; a serial that is not ended by FNC1 goes on")
	require.Contains(t, request.Seller, "ptr_")

	a := w.do(call{method: "GET", path: fmt.Sprint("/v1/transfers/", v["id"]), role: "marketplace"})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, v["id"], a.json(t)["id"])
	other := w.do(call{method: "POST", path: "/v1/transfers", role: "marketplace", key: "two", body: sale("PO-1")})
	require.Equal(t, "order_ref_conflict", other.code(t))
}

func TestTransfersThatMeanNothing(t *testing.T) {
	t.Parallel()
	w := goods(t)
	with := func(old, new string) string {
		whole := sale("PO-1")
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, new, 1)
	}
	for name, tc := range map[string]struct {
		body, code, pointer string
		status              int
	}{
		"a company nobody knows":     {with(sandbox.Pharmacy, "0810000009015"), "partner_unknown", "/buyer", 422},
		"the same company":           {with(sandbox.Pharmacy, sandbox.Wholesaler), "same_partner", "/buyer", 422},
		"somebody else's dock":       {with(`"price"`, `"ship_to":"`+sandbox.Manufacturer+`","price"`), "partner_unknown", "/ship_to", 422},
		"a wrong check digit":        {with("00379999101303(21)", "00379999101304(21)"), "unit_invalid", "/units/1", 422},
		"not a unit":                 {with("(01)00379999101303(21)100000000002", "hello"), "unit_invalid", "/units/1", 422},
		"a card number":              {with("(01)00379999101303(21)100000000002", "4242424242424242"), "unit_invalid", "/units/1", 422},
		"a unit without its serial":  {with("(21)100000000002", ""), "unit_invalid", "/units/1", 422},
		"the same unit twice":        {with("(21)100000000002", "(21)100000000001"), "unit_invalid", "/units/1", 422},
		"a token that is none":       {with("pm_card_visa", "tok_visa"), "payment_method_invalid", "/payment_method", 422},
		"an unknown currency":        {with(`"usd"`, `"zzz"`), "unknown_currency", "/currency", 422},
		"no units":                   {`{"order_ref":"a","seller":"0810000001019","buyer":"0810000002016","units":[],"price":1,"currency":"usd","payment_method":"pm_x"}`, "validation_failed", "/units", 400},
		"a card number in reference": {with("PO-1", "4242 4242 4242 4242"), "card_number_refused", "/order_ref", 400},
	} {
		a := w.do(call{method: "POST", path: "/v1/transfers", role: "marketplace", key: strings.ReplaceAll(name, " ", "-"), body: tc.body})
		require.Equal(t, tc.status, a.status, "%s: %s", name, a.body)
		require.Equal(t, tc.code, a.code(t), name)
		require.Contains(t, pointers(a.json(t)), tc.pointer, name)
	}
	require.Zero(t, w.count("saga"))
	require.NotContains(t, w.log.String(), "4242")
}

func TestTheRegisterOfPartners(t *testing.T) {
	t.Parallel()
	w := goods(t)
	partner := func(gln string) string {
		return `{"name":"New Pharmacy","role":"dispenser","verified":true,"glns":["` + gln + `"],
			"address":{"street":"1 Main St","city":"Dayton","state":"OH","postal_code":"45402","country":"US"}}`
	}
	a := w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "one", body: partner("0810000009018")})
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, []string{"/glns/0"}, pointers(a.json(t)), "a wrong check digit")
	a = w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "one", body: partner("0810000009015")})
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	v := a.json(t)
	require.Equal(t, "pending_approval", v["verification"])
	w.agree(a, "recall_operator", http.StatusOK)
	a = w.do(call{method: "GET", path: a.header.Get("Location"), role: "operator"})
	require.Equal(t, "verified", a.json(t)["verification"])
	require.Equal(t, false, v["authorized"])
	require.Contains(t, string(a.body), `"code":"licence_missing"`)
	require.Contains(t, string(a.body), "21 USC 360eee(2)(D)")
	path := "/v1/partners/" + fmt.Sprint(v["id"])

	taken := w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "two", body: partner("0810000009015")})
	require.Equal(t, "gln_taken", taken.code(t))
	again := w.do(call{method: "POST", path: "/v1/partners", role: "operator", key: "two", body: partner("0810000009015")})
	require.Equal(t, string(taken.body), string(again.body), "a refusal is kept under its key")

	licence := func(key, expires string) answer {
		return w.do(call{method: "POST", path: path + "/licences", role: "recall_operator", key: key, body: `{"kind":"state_licence","number":"RX-1","state":"OH",
			"valid_from":"2026-01-01","expires_on":"` + expires + `","source":"state board"}`})
	}
	a = licence("l1", "2099-12-31")
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, false, a.json(t)["authorized"])
	w.agree(a, "operator", http.StatusOK)
	require.Equal(t, true, w.do(call{method: "GET", path: path, role: "operator"}).json(t)["authorized"])
	a = licence("l2", "2026-01-02")
	require.Equal(t, false, a.json(t)["authorized"], "newer evidence of the same licence counts")
	require.Contains(t, string(a.body), "licence_expired")
	require.Equal(t, http.StatusBadRequest, licence("l3", "2025-01-01").status)

	a = w.do(call{method: "GET", path: "/v1/partners/0810000009015", role: "auditor"})
	require.Equal(t, v["id"], a.json(t)["id"], "a GLN names it too")
	require.Equal(t, http.StatusNotFound, w.do(call{method: "GET", path: path, role: "other_auditor"}).status)

	var names []string
	cursor := ""
	for {
		a := w.do(call{method: "GET", path: "/v1/partners?limit=2" + cursor, role: "operator"})
		require.Equal(t, http.StatusOK, a.status, string(a.body))
		page := a.json(t)
		for _, one := range page["data"].([]any) {
			names = append(names, one.(map[string]any)["name"].(string))
		}
		if page["has_more"] != true {
			break
		}
		cursor = "&cursor=" + page["next_cursor"].(string)
	}
	require.Equal(t, []string{"New Pharmacy", "Formerly Example Drugs", "Example Pharmacy LLC", "Example Wholesale Inc", "Example Labs Inc"}, names)
}

func TestTheRegisterOfProducts(t *testing.T) {
	t.Parallel()
	w := goods(t)
	product := func(gtin, ndc string) string {
		return `{"gtin":"` + gtin + `","ndc":"` + ndc + `","name":"Examplol","strength":"10 mg","dosage_form":"TABLET","container_size":"100","manufacturer":"M"}`
	}
	for name, tc := range map[string]struct {
		body    string
		status  int
		pointer string
	}{
		"a wrong check digit":       {product("00369999123451", "69999-123-45"), 400, "/gtin"},
		"the GTIN of another NDC":   {product("00369999123450", "69999-123-46"), 400, "/gtin"},
		"an NDC of no layout":       {product("00369999123450", "6999-123-45"), 400, "/ndc"},
		"a drug":                    {product("00369999123450", "69999-123-45"), 201, ""},
		"a case of it, same NDC":    {product("50369999123455", "69999-123-45"), 201, ""},
		"a drug that is there":      {product(sandbox.Drug, "79999-101-30"), 409, ""},
		"a schedule that is unreal": {strings.Replace(product("30369999123451", "69999-123-45"), `"name"`, `"schedule":"CVI","name"`, 1), 400, "/schedule"},
	} {
		a := w.do(call{method: "POST", path: "/v1/products", role: "operator", key: strings.ReplaceAll(name, " ", "-"), body: tc.body})
		require.Equal(t, tc.status, a.status, "%s: %s", name, a.body)
		if tc.pointer != "" {
			require.Contains(t, pointers(a.json(t)), tc.pointer, name)
		}
		if tc.status == http.StatusCreated {
			require.Equal(t, "69999012345", a.json(t)["ndc11"])
		}
	}
	a := w.do(call{method: "GET", path: "/v1/products?limit=3", role: "marketplace"})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, true, a.json(t)["has_more"])
}

// A partner's key sees the transfers of its company and nothing else.
func TestAPartnersKeySeesItsOwnTransfers(t *testing.T) {
	t.Parallel()
	w := goods(t)
	id := w.sell("PO-1")
	see := func() int {
		return w.do(call{method: "GET", path: "/v1/transfers/" + id, role: "trading_partner"}).status
	}
	require.Equal(t, http.StatusNotFound, see(), "a key that speaks for nobody sees nothing")
	keyID := strings.Split(w.keys["trading_partner"], "_")[2]
	bind := func(gln, key string) answer {
		return w.do(call{method: "POST", path: "/v1/partners/" + gln + "/keys", role: "operator", key: key, body: `{"key_id":"` + keyID + `"}`})
	}
	require.Equal(t, http.StatusNotFound, w.do(call{method: "POST", path: "/v1/partners/" + sandbox.Pharmacy + "/keys", role: "operator", key: "none", body: `{"key_id":"0000000000000000"}`}).status)
	a := bind(sandbox.Pharmacy, "one")
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, http.StatusOK, see())
	require.Equal(t, "key_bound", bind(sandbox.Manufacturer, "two").code(t))
	for _, path := range []string{"/v1/sagas", "/v1/partners", "/v1/sagas/" + id} {
		require.Equal(t, http.StatusForbidden, w.do(call{method: "GET", path: path, role: "trading_partner"}).status)
	}
	a = w.do(call{method: "GET", path: "/v1/transfers/" + id + "/t3", role: "trading_partner"})
	require.Equal(t, "not_shipped", a.code(t))
	a = w.do(call{method: "POST", path: "/v1/transfers/" + id + "/receipt", role: "trading_partner", key: "r", body: `{"received":[]}`})
	require.Equal(t, "not_shipped", a.code(t))
	require.Equal(t, "not_held", w.do(call{method: "POST", path: "/v1/transfers/" + id + "/review", role: "operator", key: "v", body: `{"decision":"clear","reason":"r"}`}).code(t))
	a = w.do(call{method: "POST", path: "/v1/transfers/" + id + "/returns", role: "marketplace", key: "b", body: `{"order_ref":"R","units":["(01)00379999101303(21)100000000001"],"amount":1}`})
	require.Equal(t, "transfer_not_completed", a.code(t))
}

// An order that is held is decided about by two people, and the saga is woken.
func TestAHeldOrderIsDecidedByTwo(t *testing.T) {
	t.Parallel()
	w := goods(t)
	id := w.sell("PO-1")
	_, err := w.db.Super().Exec(t.Context(), `insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status, result)
		values ($1, $2, 'review', 'do', 4, 'running', '{"held_since":"2026-11-25T00:00:00Z","reasons":["much"]}')`, w.tenant, id)
	require.NoError(t, err)
	a := w.do(call{method: "POST", path: "/v1/transfers/" + id + "/review", role: "recall_operator", key: "one", body: `{"decision":"clear","reason":"They have a new clinic."}`})
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	path := a.header.Get("Location")
	require.Equal(t, "same_person", w.do(call{method: "POST", path: path + "/approve", role: "recall_operator", key: "two"}).code(t))
	a = w.do(call{method: "POST", path: path + "/approve", role: "operator", key: "three"})
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.Contains(t, w.told.words, "wake "+id+" review")
	var decision, approval string
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select decision, approval_id from custody.review where saga_id = $1`, id).Scan(&decision, &approval))
	require.Equal(t, "clear", decision)
	require.Equal(t, "/v1/approvals/"+approval, path)
}
