package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// longWay reads the body of a posting as it is read when it is not plain; nil
// if it is refused.
type longWay struct {
	server *server
	engine *gin.Engine
	op     operation
}

func newLongWay(t require.TestingT) longWay {
	document, err := openapi3.NewLoader().LoadFromData(contract)
	require.NoError(t, err)
	routes, err := operations(document)
	require.NoError(t, err)
	gin.SetMode(gin.ReleaseMode)
	return longWay{&server{document: document}, gin.New(), routes["POST /v1/ledger/transactions"]}
}

func (l longWay) read(t require.TestingT, body []byte) *posting {
	if inspect(body) != nil {
		return nil
	}
	c := gin.CreateTestContextOnly(httptest.NewRecorder(), l.engine)
	request, err := http.NewRequest(http.MethodPost, "/v1/ledger/transactions", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	c.Request = request
	w := &where{operation: l.op, body: body}
	c.Request = c.Request.WithContext(withWhere(request.Context(), w))
	if l.server.validate(c); c.IsAborted() {
		return nil
	}
	var b PostTransactionJSONRequestBody
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	p, err := asked(&b)
	if err != nil {
		return nil
	}
	return p
}

// same reports that a body that is read plainly is read the same the long way.
func (l longWay) same(t require.TestingT, body []byte) (plain bool) {
	p := readPlainly(body)
	if p == nil {
		return false
	}
	require.Equal(t, l.read(t, body), p, "%s", body)
	if bytes.Contains(body, []byte(`\u`)) { // middleware asks for its canonical form
		require.Fail(t, "an escape is not plain")
	}
	return true
}

const (
	plainest   = `{"purpose":"order.fee","entries":[{"account_code":"1020","side":"D","amount":7,"currency":"usd"},{"account_code":"2010","side":"C","amount":7,"currency":"usd"}]}`
	everything = `{"kind":"post_pending","entity":"north_2","resolves":"txn_0190a000-0000-7000-8000-00000000000a","reverses":"txn_0190a000-0000-7000-8000-00000000000b",
		"purpose":"order.fee","effective_on":"2026-11-25","reason":"because: \"no\"","order_ref":"A-1","document":"ch_1",
		"entries":[ {"currency":"usd","amount":9007199254740991 , "side":"D","account_code":"A:b.c_d-9"},{"account_code":"2010","side":"C","amount":9007199254740991,"currency":"usd"}]}`
)

// with puts another value in the place of a member's.
func with(member, value string) string {
	body := strings.Replace(everything, `"because: \"no\""`, `"because"`, 1)
	at := strings.Index(body, `"`+member+`":`) + len(member) + 3
	end := at + strings.IndexAny(body[at:], ",}")
	if member == "entries" {
		end = len(body) - 1
	}
	return body[:at] + value + body[end:]
}

// What is at the bounds of the contract is read plainly or not at all, and a
// contract that changes is noticed here.
func TestWhatIsReadPlainlyIsWhatTheContractAllows(t *testing.T) {
	t.Parallel()
	long := newLongWay(t)
	schema := long.server.document.Components.Schemas["TransactionRequest"].Value
	members := slices.Sorted(maps.Keys(schema.Properties))
	require.Equal(t, members, slices.Sorted(slices.Values(append(slices.Clone(plainMembers), "expires_at"))))
	entry := schema.Properties["entries"].Value.Items.Value
	require.Equal(t, slices.Sorted(maps.Keys(entry.Properties)), slices.Sorted(slices.Values(plainEntry)))
	require.Equal(t, []string{"purpose"}, schema.Required)
	require.ElementsMatch(t, plainEntry, entry.Required)

	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	one := `{"account_code":"1020","side":"D","amount":7,"currency":"usd"}`
	many := func(n int) string { return `[` + strings.Repeat(one+",", n-1) + one + `]` }
	for _, body := range []string{
		plainest, strings.ReplaceAll(plainest, ",", " ,\r\n\t"), `{"purpose":"p"}`, with("reason", `""`),
		with("purpose", text(1)), with("purpose", text(100)), with("reason", text(2000)), with("order_ref", text(255)), with("document", text(200)),
		with("entity", text(63)), with("entity", `"a-_9"`), with("kind", `"posted"`), with("kind", `"void_pending"`), with("kind", `"expire_pending"`), with("kind", `"pending"`),
		with("effective_on", `"2024-02-29"`), with("effective_on", `"0001-01-01"`), with("effective_on", `"9999-12-31"`), with("account_code", text(64)),
		with("amount", "1"), with("amount", "9007199254740991"), with("entries", many(1000)), with("side", `"C"`),
		with("purpose", `"ünïcode ✓ 😀"`), with("reason", `"4242 4242 4242 4241 is no card"`), with("document", `"sk_liver"`),
		" \n" + plainest + "\t\r\n ",
	} {
		require.True(t, long.same(t, []byte(body)), body)
	}
	for _, body := range []string{
		``, `{}`, `[]`, `{"purpose":"p"`, `{"purpose":"p"}}`, `{"purpose":"p",}`, `{"purpose":"p","purpose":"p"}`, `{"purpose":"p" "reason":"r"}`, `{"Purpose":"p"}`,
		`{"purpose":"p","actor":"me"}`, plainest + plainest, "\ufeff" + plainest, everything, "{\"purpose\":\"\xff\"}", "{\"purpose\":\"a\nb\"}", `{"purpose":null}`, `{"purpose":7}`,
		with("purpose", text(0)), with("purpose", text(101)), with("reason", text(2001)), with("order_ref", text(0)), with("order_ref", text(256)), with("document", text(0)),
		with("document", text(201)), with("entity", text(0)), with("entity", text(64)), with("entity", `"_a"`), with("entity", `"-a"`), with("entity", `"A"`), with("kind", `"Posted"`), with("kind", `""`),
		with("effective_on", `"2025-02-29"`), with("effective_on", `"2025-2-28"`), with("effective_on", `"0000-13-01"`), with("effective_on", `"2025-01-01T00:00:00Z"`),
		with("resolves", `"0190a000-0000-7000-8000-00000000000a"`), with("resolves", `"txn_0190A000-0000-7000-8000-00000000000a"`), with("resolves", `"txn_0190a00000007000800000000000000a0000"`),
		with("account_code", text(0)), with("account_code", text(65)), with("account_code", `".a"`), with("account_code", `"_a"`), with("account_code", `"a b"`), with("account_code", `"é"`),
		with("amount", "0"), with("amount", "-1"), with("amount", "01"), with("amount", "1.0"), with("amount", "1e2"), with("amount", "9007199254740992"), with("amount", "92233720368547758080"),
		with("amount", `"1"`), with("amount", "null"), with("currency", `"usD"`), with("currency", `"us"`), with("currency", `"usdt"`), with("side", `"d"`), with("side", `""`),
		with("entries", "{}"), with("entries", many(1001)), with("entries", "[{}]"), with("entries", `[`+one+`,]`), with("entries", `[`+one), with("entries", `[`+strings.Replace(one, `"side":"D",`, "", 1)+`]`),
		with("entries", `[`+strings.Replace(one, `"side":"D",`, `"side":"D","side":"D",`, 1)+`]`), with("entries", `[`+strings.Replace(one, `{`, `{"memo":"m",`, 1)+`]`),
		with("reason", `"4242 4242 4242 4242"`), with("order_ref", `"4242424242424242"`), with("account_code", `"4242424242424242"`), with("document", `"sk_live_1"`), with("purpose", `"a whsec_b"`),
	} {
		require.Nil(t, readPlainly([]byte(body)), body)
	}
}

// Whatever is put together of parts that are mostly right, and then perhaps
// spoilt in one place, is read the same both ways or the long way only.
func TestWhatIsReadPlainlyIsReadTheSame(t *testing.T) {
	t.Parallel()
	long := newLongWay(t)
	word := func(good ...string) *rapid.Generator[string] {
		return rapid.OneOf(rapid.SampledFrom(good), rapid.SampledFrom(good), rapid.SampledFrom([]string{`""`, `null`, `1`, `"é"`, `"x"`, `"4242424242424242"`, `" "`, `"\n"`, `{}`, `[]`}))
	}
	values := map[string]*rapid.Generator[string]{
		"purpose": word(`"order.fee"`, `"p"`), "reason": word(`"r"`, `"sk_live_x"`), "order_ref": word(`"A-1"`), "document": word(`"ch_1"`),
		"kind": word(`"posted"`, `"pending"`), "entity": word(`"main"`, `"north-1"`), "resolves": word(`"txn_0190a000-0000-7000-8000-00000000000a"`),
		"reverses": word(`"txn_0190a000-0000-7000-8000-00000000000b"`), "effective_on": word(`"2026-11-25"`, `"2026-02-30"`), "expires_at": word(`"2026-11-25T10:00:00Z"`),
		"account_code": word(`"1020"`, `"a.b"`), "side": word(`"D"`, `"C"`), "amount": word("1", "12", "10.0", "1E1", "-0", "9007199254740991"), "currency": word(`"usd"`, `"eur"`), "other": word(`"o"`),
	}
	object := func(rt *rapid.T, names []string, entries string) string {
		var parts []string
		for _, name := range rapid.Permutation(names).Draw(rt, "order") {
			value := entries
			if g := values[name]; g != nil {
				value = g.Draw(rt, name)
			}
			parts = append(parts, rapid.SampledFrom([]string{"", " ", "\n"}).Draw(rt, "space")+`"`+name+`":`+value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	var plain int
	rapid.Check(t, func(rt *rapid.T) {
		list := make([]string, rapid.IntRange(1, 3).Draw(rt, "entries"))
		for i := range list {
			list[i] = object(rt, plainEntry, "")
		}
		names := append([]string{"purpose", "entries"}, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"reason", "order_ref", "document", "kind", "entity", "resolves", "reverses", "effective_on", "expires_at", "other",
		}), 0, 4, rapid.ID).Draw(rt, "members")...)
		body := []byte(object(rt, names, "["+strings.Join(list, ",")+"]"))
		if rapid.IntRange(0, 3).Draw(rt, "spoil") == 0 {
			at := rapid.IntRange(0, len(body)-1).Draw(rt, "at")
			body[at] = rapid.SampledFrom([]byte("\"\\{}[],: 0aé\x00\xff")).Draw(rt, "with")
		}
		if long.same(rt, body) {
			plain++
		}
	})
	require.Positive(t, plain, "some are plain")
}

func FuzzWhatIsReadPlainlyIsReadTheSame(f *testing.F) {
	long := newLongWay(f)
	for _, seed := range []string{plainest, everything, with("amount", "1e2"), with("purpose", `"\ud83d"`), with("entity", `"a"`), `{"purpose":"p"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { long.same(t, body) })
}
