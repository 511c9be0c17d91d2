package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/sandbox"
)

const (
	unit11 = "(01)00379999101303(21)100000000011"
	unit12 = "(01)00379999101303(21)100000000012"
)

// The validator's table of decoders is global.
func init() { openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder) }

// change is a request by a role, under a key of its own.
func (w *world) change(role, path, body string) answer {
	w.Helper()
	return w.do(call{method: "POST", path: path, role: role, key: uuid.NewString(), body: body})
}

func (w *world) read(role, path string) map[string]any {
	w.Helper()
	a := w.do(call{method: "GET", path: path, role: role})
	require.Equal(w, http.StatusOK, a.status, string(a.body))
	return a.json(w.T)
}

// suspect opens an investigation of the wholesaler and returns its path.
func (w *world) suspect(what string) string {
	w.Helper()
	a := w.change("recall_operator", "/v1/investigations", `{"company":"`+sandbox.Wholesaler+`","suspicion":"counterfeit","summary":"The print is blurred.",`+what+`}`)
	require.Equal(w, http.StatusCreated, a.status, string(a.body))
	return a.header.Get("Location")
}

func (w *world) unit(key string) map[string]any {
	w.Helper()
	v, ok := w.trace(url.Values{"unit": {key}})["unit"].(map[string]any)
	require.True(w, ok)
	return v
}

func TestSuspectProductIsClearedWhenItIsVerified(t *testing.T) {
	t.Parallel()
	w := goods(t)
	path := w.suspect(`"units":["` + unit11 + `","` + unit12 + `"]`)
	v := w.read("auditor", path)
	require.Equal(t, "open", v["state"])
	require.Equal(t, map[string]any{"packages": 2.0, "required": 2.0, "verified": 0.0, "failed": 0.0}, v["progress"], "a wholesaler verifies all")
	require.Equal(t, "suspect", w.unit(unit11)["held_as"])

	hold := fmt.Sprint(v["quarantine"])
	a := w.change("operator", "/v1/quarantines/"+hold+"/release", `{"reason":"looks fine"}`)
	require.Equal(t, "under_investigation", a.code(t), "it ends with the investigation and by nothing else")

	const conclusion = `{"summary":"The manufacturer confirms both.","person":"Q. Person","position":"Responsible person"}`
	a = w.change("operator", path+"/clear", conclusion)
	require.Equal(t, "verification_incomplete", a.code(t))
	require.Contains(t, string(a.body), "Of 2 packages under investigation 2 are to be verified; 0 are")
	verify := func(unit, result, failure string) answer {
		more := ""
		if failure != "" {
			more = `,"failure":"` + failure + `"`
		}
		return w.change("operator", path+"/verifications", `{"verifications":[{"unit":"`+unit+`","result":"`+result+`","source":"manufacturer"`+more+`}]}`)
	}
	require.Equal(t, http.StatusCreated, verify(unit11, "verified", "").status)
	require.Equal(t, http.StatusCreated, verify(unit12, "not_verified", "No_match_GTIN_Serial_Lot").status)
	require.Equal(t, "verification_incomplete", w.change("operator", path+"/clear", conclusion).code(t))
	a = verify("(01)00379999101303(21)100000000013", "verified", "")
	require.Equal(t, "unit_not_under_investigation", a.code(t))
	require.Equal(t, []string{"/verifications/0/unit"}, pointers(a.json(t)))
	require.Equal(t, "validation_failed", verify(unit12, "not_verified", "").code(t), "a failure says why")
	a = verify("urn:epc:id:sgtin:0379999.010130.100000000012", "verified", "")
	require.Equal(t, map[string]any{"packages": 2.0, "required": 2.0, "verified": 2.0, "failed": 0.0}, a.json(t)["progress"], "the last word counts")
	require.Equal(t, "quarantined", w.unit(unit11)["state"])

	a = w.do(call{method: "POST", path: path + "/clear", role: "operator", key: "clear", body: conclusion})
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	again := w.do(call{method: "POST", path: path + "/clear", role: "operator", key: "clear", body: conclusion})
	require.Equal(t, string(a.body), string(again.body), "done twice is done once")
	require.Equal(t, "cleared", a.json(t)["state"])
	require.Equal(t, "in_stock", w.unit(unit11)["state"])
	require.Equal(t, "in_stock", w.unit(unit12)["state"])
	require.Equal(t, "investigation_ended", w.change("operator", path+"/determination", `{"evidence":"e","person":"p","position":"q"}`).code(t))
	require.Equal(t, "investigation_ended", verify(unit11, "verified", "").code(t))
	require.Equal(t, "not_illegitimate", w.change("operator", path+"/disposition", `{"method":"destroyed","concluded_on":"2026-11-01","summary":"s"}`).code(t))

	list := w.read("auditor", path+"/verifications?limit=2")
	require.Len(t, list["data"], 2)
	rest := w.read("auditor", path+"/verifications?limit=2&cursor="+fmt.Sprint(list["next_cursor"]))
	require.Len(t, rest["data"], 1)
	require.Equal(t, false, rest["has_more"])
	require.Len(t, w.read("auditor", "/v1/investigations?state=cleared")["data"], 1)
	require.Empty(t, w.read("auditor", "/v1/investigations?state=open")["data"])

	var class string
	var starts time.Time
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select class, starts_on from custody.retention where subject = $1`, strings.TrimPrefix(hold, "qtn_")).Scan(&class, &starts))
	require.Equal(t, "K3", class)
	require.WithinDuration(t, time.Now(), starts, 25*time.Hour, "kept for six years from the end of the investigation")
}

func TestFDAIsToldBeforeWhatItAskedAboutIsCleared(t *testing.T) {
	t.Parallel()
	w := goods(t)
	path := w.suspect(`"units":["` + unit11 + `"],"fda_request":{"requested_on":"2026-11-20","office":"OC/ODSIR, J. Inspector"}`)
	a := w.change("operator", path+"/verifications", `{"verifications":[{"unit":"`+unit11+`","result":"verified","source":"manufacturer"}]}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	notice := w.do(call{method: "GET", path: path + "/cleared_notice", role: "operator"})
	require.Equal(t, http.StatusOK, notice.status)
	for _, line := range []string{
		"Subject: Cleared Product Notification.", "Name of the product: Exampril", "Strength: 10 mg", "Dosage form: TABLET", "NDC: 79999-101-30",
		"Lot number: EX2601", "Expiration date: 2029-06-30", "Serial numbers: 100000000011", "Container size: 30 TABLET in 1 BOTTLE", "Number of containers: 1",
		"FDA office or employee who made it: OC/ODSIR, J. Inspector", "Date of FDA's request for verification: 2026-11-20",
		"Why the product was suspect: Counterfeit: The print is blurred.",
	} {
		require.Contains(t, string(notice.body), line)
	}
	conclusion := `{"summary":"It is genuine.","person":"Q. Person","position":"Responsible person"%s}`
	a = w.change("operator", path+"/clear", fmt.Sprintf(conclusion, ""))
	require.Equal(t, "fda_not_told", a.code(t))
	require.Equal(t, []string{"/fda_notified_at"}, pointers(a.json(t)))
	a = w.change("operator", path+"/clear", fmt.Sprintf(conclusion, `,"fda_notified_at":"2999-01-01T00:00:00Z"`))
	require.Equal(t, "time_impossible", a.code(t))
	require.Equal(t, "quarantined", w.unit(unit11)["state"])
	a = w.change("operator", path+"/clear", fmt.Sprintf(conclusion, `,"fda_notified_at":"2026-11-21T10:00:00Z"`))
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	notice = w.do(call{method: "GET", path: path + "/cleared_notice", role: "operator"})
	require.Contains(t, string(notice.body), "Cleared by: Q. Person, Responsible person")
	require.Contains(t, string(notice.body), "Summary of the investigation: It is genuine.")
	other := w.suspect(`"units":["` + unit12 + `"]`)
	require.Equal(t, http.StatusNotFound, w.do(call{method: "GET", path: other + "/cleared_notice", role: "operator"}).status, "FDA had not asked")
}

func TestIllegitimateProductIsNotifiedWithinADay(t *testing.T) {
	t.Parallel()
	w := goods(t)
	path := w.suspect(`"gtin":"` + sandbox.Drug + `","lot":"EX2601"`)
	require.Equal(t, map[string]any{"packages": 200.0, "required": 200.0, "verified": 0.0, "failed": 0.0}, w.read("operator", path)["progress"])
	a := w.change("operator", path+"/determination", `{"evidence":"The manufacturer never made <b>these</b> serials.","person":"Q. Person","position":"Responsible person"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	v := a.json(t)
	require.Equal(t, "illegitimate", v["state"])
	hold := v["conclusion"].(map[string]any)["quarantine"].(string) //nolint:forcetypeassert // a wrong type fails the test as well
	require.Equal(t, "illegitimate", w.unit(unit11)["held_as"])
	ids := v["notifications"].([]any) //nolint:forcetypeassert // as above
	require.Len(t, ids, 1)
	ntf := "/v1/notifications/" + ids[0].(string) //nolint:forcetypeassert // as above

	n := w.read("auditor", ntf)
	determined, err := time.Parse(time.RFC3339, fmt.Sprint(n["determined_at"]))
	require.NoError(t, err)
	due, err := time.Parse(time.RFC3339, fmt.Sprint(n["due_at"]))
	require.NoError(t, err)
	require.Equal(t, 24*time.Hour, due.Sub(determined))
	require.Equal(t, "due", n["state"])
	require.InDelta(t, 24*3600, n["seconds_left"], 3600)
	form := n["form"].(map[string]any) //nolint:forcetypeassert // as above
	for member, want := range map[string]any{
		"classification": "counterfeit", "name": "Exampril", "strength": "10 mg", "dosage_form": "TABLET", "quantity": 200.0, "unit": "packages",
		"ndc": []any{"79999-101-30"}, "lot_numbers": []any{"EX2601"}, "expiration_dates": []any{"2029-06-30"}, "company_category": "wholesaler",
	} {
		require.Equal(t, want, form[member], member)
	}
	require.Len(t, form["serial_numbers"], 200)
	list := w.read("operator", "/v1/notifications")["data"].([]any) //nolint:forcetypeassert // as above
	require.Len(t, list, 1)

	submit := func(body string) answer { return w.change("operator", ntf+"/submission", body) }
	a = submit(`{"person":"Q. Person","channel":"cder_nextgen"}`)
	require.Equal(t, "notification_incomplete", a.code(t))
	require.ElementsMatch(t, []string{
		"/form/drug_description", "/form/other_reports", "/form/contact/name", "/form/contact/phone", "/form/contact/email",
	}, pointers(a.json(t)))
	require.Equal(t, "notification_not_first", w.change("operator", path+"/notifications", `{"type":"follow_up"}`).code(t))
	require.Equal(t, "notification_not_first", w.change("operator", ntf+"/incident", `{"incident_number":"A-1"}`).code(t))
	require.Equal(t, "notified_to_fda", w.change("second_operator", "/v1/quarantines/"+hold+"/release", `{"reason":"r"}`).code(t))
	for body, pointer := range map[string]string{
		`{"expiration_dates":["June"]}`:               "/expiration_dates/0",
		`{"other_reports":["none","far"]}`:            "/other_reports",
		`{"contact":{"email":"nobody"}}`:              "/contact/email",
		`{"classification":"blurred"}`:                "/classification",
		`{"incident_number":"1"}`:                     "/incident_number",
		`{"description":"card 4242 4242 4242 4242 "}`: "/description",
	} {
		a := w.change("operator", ntf+"/form", body)
		require.Equal(t, http.StatusBadRequest, a.status, "%s: %s", body, a.body)
		require.Contains(t, pointers(a.json(t)), pointer, body)
	}
	a = w.change("operator", ntf+"/form", `{"drug_description":"Finished prescription drug","other_reports":["none"],
		"contact":{"name":"Q. Person","phone":"+1 614 555 0100","email":"quality@example.com"}}`)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.Empty(t, a.json(t)["missing"])
	require.Contains(t, string(a.body), `"version":2,`)
	require.Equal(t, "Exampril", a.json(t)["form"].(map[string]any)["name"], "what is not named stays") //nolint:forcetypeassert // as above
	require.Equal(t, "time_impossible", submit(`{"person":"Q","channel":"email","submitted_at":"2999-01-01T00:00:00Z"}`).code(t))
	require.Equal(t, "time_impossible", submit(`{"person":"Q","channel":"email","submitted_at":"2020-01-01T00:00:00Z"}`).code(t))

	text := w.do(call{method: "GET", path: ntf + "?format=text", role: "operator"})
	require.Contains(t, text.header.Get("Content-Type"), "text/plain")
	for _, line := range []string{"Initial Notification", "Counterfeit", "200 packages", "06/30/2029", "Wholesale distributor", "Recourse does not send it", "Finished prescription drug"} {
		require.Contains(t, string(text.body), line)
	}
	page := w.do(call{method: "GET", path: ntf + "?format=html", role: "operator"})
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	require.Contains(t, string(page.body), "never made &lt;b&gt;these&lt;/b&gt; serials")

	a = submit(`{"person":"Q. Person","channel":"cder_nextgen"}`)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.Equal(t, "submitted", a.json(t)["state"])
	require.Equal(t, false, a.json(t)["late"])
	require.Nil(t, a.json(t)["seconds_left"])
	require.Equal(t, "notification_submitted", submit(`{"person":"Q. Person","channel":"email"}`).code(t))
	require.Equal(t, "notification_submitted", w.change("operator", ntf+"/form", `{"name":"n"}`).code(t))
	require.Empty(t, w.read("operator", "/v1/notifications")["data"])
	require.Len(t, w.read("operator", "/v1/notifications?open=false")["data"], 1)

	// What follows names the incident.
	a = w.change("operator", path+"/notifications", `{"type":"termination"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, "draft", a.json(t)["state"])
	require.Nil(t, a.json(t)["due_at"])
	end := a.header.Get("Location")
	a = w.change("operator", end+"/submission", `{"person":"Q. Person","channel":"email"}`)
	require.ElementsMatch(t, []string{"/incident_number", "/form/termination_reason"}, pointers(a.json(t)))
	require.Equal(t, http.StatusOK, w.change("operator", ntf+"/incident", `{"incident_number":"2026-0042"}`).status)
	require.Equal(t, "incident_known", w.change("operator", ntf+"/incident", `{"incident_number":"2026-0043"}`).code(t))
	require.Equal(t, http.StatusOK, w.change("operator", end+"/form", `{"termination_reason":"All of it was destroyed."}`).status)

	a = w.change("operator", path+"/disposition", `{"method":"destroyed","concluded_on":"2999-01-01","summary":"Witnessed."}`)
	require.Equal(t, "time_impossible", a.code(t))
	a = w.change("operator", path+"/disposition", `{"method":"destroyed","concluded_on":"2026-11-24","summary":"Witnessed; two samples kept in safe 3."}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Equal(t, "disposed", a.json(t)["state"])
	require.Equal(t, "disposition_known", w.change("operator", path+"/disposition", `{"method":"destroyed","concluded_on":"2026-11-24","summary":"s"}`).code(t))
	var starts time.Time
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select starts_on from custody.retention where subject = $1 and class = 'K4'`, strings.TrimPrefix(hold, "qtn_")).Scan(&starts))
	require.Equal(t, "2026-11-24", starts.Format(time.DateOnly))

	a = w.change("operator", end+"/submission", `{"person":"Q. Person","channel":"email"}`)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.Equal(t, "same_person", w.change("operator", "/v1/quarantines/"+hold+"/release", `{"reason":"r"}`).code(t), "who determined it does not release it")
	require.Equal(t, http.StatusOK, w.change("recall_operator", "/v1/quarantines/"+hold+"/release", `{"reason":"FDA has terminated it."}`).status)
	require.Equal(t, "in_stock", w.unit(unit11)["state"])
}

// Product that comes in after a notice of its lot is kept at capture, and the
// investigation shows it.
func TestWhatComesInLaterAndMatchesIsKept(t *testing.T) {
	t.Parallel()
	w := goods(t)
	path := w.suspect(`"gtin":"` + dscsatest.GTIN + `","lot":"` + dscsatest.Lot + `"`)
	require.Equal(t, map[string]any{"packages": 0.0, "required": 0.0, "verified": 0.0, "failed": 0.0}, w.read("operator", path)["progress"], "nothing of it is here")
	a := w.change("operator", path+"/determination", `{"evidence":"A notice of the manufacturer.","person":"Q. Person","position":"Responsible person"}`)
	require.Equal(t, http.StatusCreated, a.status, string(a.body))
	require.Empty(t, w.read("operator", path+"/matches")["data"])

	made := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	units := []string{dscsatest.Unit("1"), dscsatest.Unit("2")}
	w.capture([]epcis.Event{
		dscsatest.Commission(made, dscsatest.Parties[0], units...), dscsatest.Ship(made.Add(time.Hour), dscsatest.Parties[0], sandbox.Wholesaler, units...),
	})
	w.capture([]epcis.Event{dscsatest.Receive(made.Add(24*time.Hour), sandbox.Wholesaler, units...)})
	for _, unit := range units {
		require.Equal(t, "quarantined", w.unit(unit)["state"])
		require.Equal(t, "illegitimate", w.unit(unit)["held_as"])
	}
	first := w.read("auditor", path+"/matches?limit=1")
	require.Equal(t, true, first["has_more"])
	rest := w.read("auditor", path+"/matches?limit=1&cursor="+fmt.Sprint(first["next_cursor"]))
	require.Equal(t, false, rest["has_more"])
	for i, page := range []map[string]any{first, rest} {
		m := page["data"].([]any)[0].(map[string]any) //nolint:forcetypeassert // a wrong type fails the test as well
		require.Equal(t, dscsatest.Key(units[i]), m["unit"])
		require.Equal(t, true, m["new"])
		require.Equal(t, sandbox.Wholesaler, m["owner_gln"])
		require.Contains(t, m["document"], "doc_")
		require.Equal(t, "commissioning", m["biz_step"])
	}
	rows := w.read("marketplace", "/v1/inventory?gtin="+dscsatest.GTIN)["data"].([]any) //nolint:forcetypeassert // as above
	require.Len(t, rows, 2)
	require.Equal(t, "unit_quarantined", rows[0].(map[string]any)["why_not"].(map[string]any)["code"]) //nolint:forcetypeassert // as above

	// A serial number that a notice names, before anything does.
	path = w.suspect(`"units":["` + dscsatest.Unit("77") + `"]`)
	require.Equal(t, map[string]any{"packages": 1.0, "required": 1.0, "verified": 0.0, "failed": 0.0}, w.read("operator", path)["progress"])
	w.capture([]epcis.Event{dscsatest.Commission(made.Add(time.Minute), dscsatest.Parties[0], dscsatest.Unit("77"))})
	m := w.read("auditor", path+"/matches")["data"].([]any) //nolint:forcetypeassert // as above
	require.Len(t, m, 1)
	require.Equal(t, true, m[0].(map[string]any)["new"]) //nolint:forcetypeassert // as above
}

// capture sends a document as an operator and waits for its job.
func (w *world) capture(events []epcis.Event) {
	w.Helper()
	var raw bytes.Buffer
	out, err := epcis.NewWriter(&raw, epcis.XML12, &epcis.Document{
		Root: "EPCISDocument", CreationDate: events[0].EventTime, Namespaces: []epcis.Namespace{{Prefix: "cbvmda", URI: "urn:epcglobal:cbv:mda"}},
	})
	require.NoError(w, err)
	for i := range events {
		require.NoError(w, out.Write(&events[i]))
	}
	require.NoError(w, out.Close())
	a := w.do(call{method: "POST", path: "/epcis/capture", role: "operator", body: raw.String(), header: map[string]string{
		"Content-Type": "application/xml", "Idempotency-Key": uuid.NewString(),
	}})
	require.Equal(w, http.StatusAccepted, a.status, string(a.body))
	job := w.read("operator", a.header.Get("Location")[strings.Index(a.header.Get("Location"), "/epcis/"):])
	require.Equal(w, true, job["success"], job)
}

func TestInvestigationsThatMeanNothing(t *testing.T) {
	t.Parallel()
	w := goods(t)
	const rest = `"suspicion":"stolen","summary":"s"`
	for name, tc := range map[string]struct {
		body, code, pointer string
		status              int
	}{
		"nobody":                 {`{` + rest + `,"units":["` + unit11 + `"]}`, "validation_failed", "/company", 400},
		"a company unknown":      {`{"company":"0810000009015",` + rest + `,"units":["` + unit11 + `"]}`, "partner_unknown", "/company", 422},
		"nothing":                {`{"company":"` + sandbox.Wholesaler + `",` + rest + `}`, "validation_failed", "/units", 400},
		"units and a lot":        {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"units":["` + unit11 + `"],"gtin":"` + sandbox.Drug + `","lot":"EX2601"}`, "validation_failed", "/units", 400},
		"a lot without its drug": {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"lot":"EX2601"}`, "validation_failed", "/lot", 400},
		"a wrong check digit":    {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"gtin":"00379999101304","lot":"EX2601"}`, "validation_failed", "/gtin", 400},
		"not a unit":             {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"units":["hello"]}`, "validation_failed", "/units/0", 400},
		"a unit twice":           {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"units":["` + unit11 + `","` + unit11 + `"]}`, "validation_failed", "/units/1", 400},
		"a suspicion of its own": {`{"company":"` + sandbox.Wholesaler + `","suspicion":"odd","summary":"s","units":["` + unit11 + `"]}`, "validation_failed", "/suspicion", 400},
		"no words":               {`{"company":"` + sandbox.Wholesaler + `","suspicion":"stolen","summary":"  ","units":["` + unit11 + `"]}`, "validation_failed", "/summary", 400},
		"FDA asks tomorrow":      {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"units":["` + unit11 + `"],"fda_request":{"requested_on":"2999-01-01","office":"o"}}`, "validation_failed", "/fda_request/requested_on", 400},
		"something nobody knows": {`{"company":"` + sandbox.Wholesaler + `",` + rest + `,"units":["` + unit11 + `"],"urgent":true}`, "validation_failed", "/urgent", 400},
	} {
		a := w.do(call{method: "POST", path: "/v1/investigations", role: "operator", key: strings.ReplaceAll(name, " ", "-"), body: tc.body})
		require.Equal(t, tc.status, a.status, "%s: %s", name, a.body)
		require.Equal(t, tc.code, a.code(t), name)
		require.Contains(t, pointers(a.json(t)), tc.pointer, name)
	}
	var n int
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select (select count(*) from custody.hold) + (select count(*) from custody.investigation)`).Scan(&n))
	require.Zero(t, n, "nothing half-written")
	require.Equal(t, "in_stock", w.unit(unit11)["state"])
}

func TestTheInventorySaysWhatCanBeSoldAndWhyNot(t *testing.T) {
	t.Parallel()
	w := goods(t)
	count := func(query string) (n int, whys map[string]int) {
		whys = map[string]int{}
		for cursor := ""; ; {
			page := w.read("marketplace", "/v1/inventory?limit=70"+query+cursor)
			data := page["data"].([]any) //nolint:forcetypeassert // a wrong type fails the test as well
			require.LessOrEqual(t, len(data), 70)
			for _, one := range data {
				row := one.(map[string]any) //nolint:forcetypeassert // as above
				n++
				if why, ok := row["why_not"].(map[string]any); ok {
					require.Equal(t, false, row["sellable"])
					whys[fmt.Sprint(why["code"])]++
				}
				for _, member := range []string{"gtin", "serial", "lot", "expiry_on", "manufacturer", "owner_gln", "ndc", "name"} {
					require.NotEmpty(t, row[member], member)
				}
			}
			if page["has_more"] != true {
				return n, whys
			}
			cursor = "&cursor=" + fmt.Sprint(page["next_cursor"])
		}
	}
	n, whys := count("")
	require.Equal(t, 600, n, "packages, and not what they are in")
	require.Empty(t, whys)
	n, _ = count("&gtin=" + sandbox.Drug)
	require.Equal(t, 300, n)
	n, _ = count("&lot=EX2601")
	require.Equal(t, 200, n)
	n, _ = count("&owner=" + sandbox.Manufacturer)
	require.Equal(t, 100, n)
	n, _ = count("&expiring_before=2029-01-01")
	require.Equal(t, 300, n)
	n, _ = count("&gtin=" + sandbox.Controlled + "&lot=EX2601")
	require.Zero(t, n)

	w.suspect(`"units":["(00)` + sandbox.Pallet + `"]`)
	n, whys = count("&sellable=false")
	require.Equal(t, 100, n, "all that is on the pallet")
	require.Equal(t, map[string]int{"unit_quarantined": 100}, whys)
	n, _ = count("&sellable=true")
	require.Equal(t, 500, n)
	for query, pointer := range map[string]string{
		"gtin=1": "#/parameters/gtin", "owner=me": "#/parameters/owner", "expiring_before=soon": "#/parameters/expiring_before",
		"sellable=perhaps": "#/parameters/sellable", "limit=1001": "#/parameters/limit", "cursor=forged": "#/parameters/cursor",
	} {
		a := w.do(call{method: "GET", path: "/v1/inventory?" + query, role: "auditor"})
		require.Equal(t, http.StatusBadRequest, a.status, query)
		require.Contains(t, pointers(a.json(t)), pointer, query)
	}
}
