package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadInputNamesTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(old, new string) string {
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, new, 1)
	}
	cases := map[string]struct {
		body    string
		status  int
		code    string
		pointer string
	}{
		"unknown member":             {with(`"currency"`, `"discount":5,"currency"`), 400, "validation_failed", "/discount"},
		"unknown member deep inside": {with(`"nights"`, `"stars":5,"nights"`), 400, "validation_failed", "/hotel/stars"},
		"missing member":             {with(`"order_ref":"A-1001",`, ``), 400, "validation_failed", "/order_ref"},
		"missing deep inside":        {with(`,"email":"ada@example.com"`, ``), 400, "validation_failed", "/traveler/email"},
		"wrong type":                 {with(`90000`, `"90000"`), 400, "validation_failed", "/flight/price"},
		"a fraction":                 {with(`90000`, `900.5`), 400, "validation_failed", "/flight/price"},
		"negative price":             {with(`90000`, `-1`), 400, "validation_failed", "/flight/price"},
		"zero price":                 {with(`90000`, `0`), 400, "validation_failed", "/flight/price"},
		"price beyond 2^53":          {with(`90000`, `9007199254740992`), 400, "validation_failed", "/flight/price"},
		"price beyond int64":         {with(`90000`, `92233720368547758080`), 400, "validation_failed", "/flight/price"},
		"sum beyond 2^53":            {with(`90000`, `9007199254740991`), 422, "amount_out_of_range", ""},
		"unknown currency":           {with(`"usd"`, `"zzz"`), 422, "unknown_currency", "/currency"},
		"currency in capitals":       {with(`"usd"`, `"USD"`), 400, "validation_failed", "/currency"},
		"mixed currency":             {with(`"price":45000`, `"price":45000,"currency":"eur"`), 422, "mixed_currency", "/hotel/currency"},
		"same currency said twice":   {with(`"price":45000`, `"price":45000,"currency":"usd"`), 202, "", ""},
		"nothing ordered":            {`{"order_ref":"A-2","currency":"usd","payment_method":"pm_card_visa","traveler":{"name":"A","email":"a@b.c"}}`, 422, "nothing_ordered", ""},
		"null part":                  {with(`{"sku":"CAR-JFK-ECON","price":15000}`, `null`), 400, "validation_failed", "/car"},
		"no nights":                  {with(`,"nights":3`, ``), 400, "validation_failed", "/hotel/nights"},
		"unknown flow":               {with(`"authorize"`, `"later"`), 400, "validation_failed", "/payment_flow"},
		"empty sku":                  {with(`"FL-LHR-JFK-0612"`, `""`), 400, "validation_failed", "/flight/sku"},
		"markup in the sku":          {with(`"FL-LHR-JFK-0612"`, `"<b>"`), 400, "validation_failed", "/flight/sku"},
		"not a payment method":       {with(`"pm_card_visa"`, `"tok_visa"`), 422, "payment_method_invalid", "/payment_method"},
		"a card number":              {with(`"pm_card_visa"`, `"4242 4242 4242 4242"`), 400, "card_number_refused", "/payment_method"},
		"a card number as a number":  {with(`"pm_card_visa"`, `4242424242424242`), 400, "card_number_refused", "/payment_method"},
		"a card number in a name":    {with(`Ada Example`, `Ada 5555-5555-5555-4444`), 400, "card_number_refused", "/traveler/name"},
		"a secret":                   {with(`Ada Example`, `sk_live_abc`), 400, "secret_refused", "/traveler/name"},
		"a member twice":             {with(`"currency"`, `"currency":"eur","currency"`), 400, "invalid_json", "/currency"},
		"not an object":              {`[1]`, 400, "invalid_json", ""},
		"two objects":                {whole + whole, 400, "invalid_json", ""},
		"not utf-8":                  {with(`Ada`, "\xff"), 400, "invalid_json", ""},
		"deep":                       {`{"metadata":` + strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat(`}`, 1001), 400, "invalid_json", ""},
		"one megabyte":               {`{"order_ref":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large", ""},
		"a long metadata key":        {with(`"currency"`, `"metadata":{"`+strings.Repeat("k", 41)+`":"v"},"currency"`), 422, "metadata_invalid", "/metadata/" + strings.Repeat("k", 41)},
		"metadata that is no text":   {with(`"currency"`, `"metadata":{"k":1},"currency"`), 400, "validation_failed", "/metadata/k"},
		"a long reference":           {with(`A-1001`, strings.Repeat("r", 256)), 400, "validation_failed", "/order_ref"},
	}
	for name, tc := range cases {
		a := w.do(post(strings.ReplaceAll(name, " ", "-"), tc.body))
		require.Equal(t, tc.status, a.status, "%s: %s", name, a.body)
		if tc.status == http.StatusAccepted {
			continue
		}
		require.Equal(t, tc.code, a.code(t), "%s: %s", name, a.body)
		if tc.pointer != "" {
			require.Contains(t, fmt.Sprint(pointers(a.json(t))), tc.pointer, name)
		}
	}
	require.Equal(t, 1, w.count("saga"))
	for _, secret := range []string{"4242424242", "4242 4242", "5555-5555", "sk_live_abc", "ada@example.com", "pm_card_visa"} {
		require.NotContains(t, w.log.String(), secret, "the log holds nothing of a body")
	}
}

func TestAllFieldsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(post("one", `{"order_ref":"","currency":"US","payment_method":"pm_card_visa","traveler":{"name":"Ada"},"hotel":{"sku":"H","price":-5}}`))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.ElementsMatch(t, []string{"/order_ref", "/currency", "/traveler/email", "/hotel/price", "/hotel/nights"}, pointers(a.json(t)))
}

func pointers(problem map[string]any) []string {
	var out []string
	list, _ := problem["errors"].([]any)
	for _, one := range list {
		if e, ok := one.(map[string]any); ok {
			out = append(out, fmt.Sprint(e["pointer"]))
		}
	}
	return out
}
