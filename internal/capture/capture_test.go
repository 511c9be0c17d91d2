package capture_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	custody "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/query"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/capture"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/internal/tradebook"
)

var now = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

type bundle struct {
	t       *testing.T
	db      *pgtest.DB
	tenant  uuid.UUID
	custody *custody.Store
	service *capture.Service
	server  *httptest.Server
	who     auth.Principal
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.New(t)
	pool := db.Pool("app_api")
	b := &bundle{t: t, db: db, tenant: db.Tenant(), custody: custody.New(pool)}
	b.who = auth.Principal{Tenant: b.tenant, KeyID: "key_operator", Role: "operator"}
	clock := func() time.Time { return now }
	b.service = capture.New(pool, b.custody, tradebook.New(pool), clock)
	b.server = httptest.NewServer(epcisapi.New(epcisapi.Config{
		Repository: b.service, Who: func(*http.Request) auth.Principal { return b.who }, Log: slog.New(slog.DiscardHandler), Now: clock, BaseURL: "http://self.example",
	}))
	t.Cleanup(b.server.Close)
	return b
}

const (
	gln   = "urn:epc:id:sgln:036999.900001.0"
	buyer = "urn:epc:id:sgln:086000.123410.0"
)

func sgtin(serial int) string { return fmt.Sprintf("urn:epc:id:sgtin:036999.0123450.%d", 1000+serial) }

// made commissions n units of a drug and packs them into a container.
func made(n int) []epcis.Event {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	e := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: at, Zone: "+00:00", Action: epcis.Add, BizStep: "commissioning", Disposition: "active",
		ReadPoint: epcis.Place{ID: gln}, BizLocation: epcis.Place{ID: gln},
		ILMD: []epcis.Field{
			{Name: epcis.Name{Space: "urn:epcglobal:cbv:mda", Local: "lotNumber"}, Value: "L1"},
			{Name: epcis.Name{Space: "urn:epcglobal:cbv:mda", Local: "itemExpirationDate"}, Value: "2028-09-30"},
		},
	}
	box := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: at, Zone: "+00:00", Action: epcis.Add, BizStep: "commissioning", Disposition: "active",
		ReadPoint: epcis.Place{ID: gln}, BizLocation: epcis.Place{ID: gln}, EPCs: []string{"urn:epc:id:sscc:036999.00000000001"},
	}
	pack := epcis.Event{
		Type: epcis.AggregationEvent, EventTime: at.Add(time.Hour), Zone: "+00:00", Action: epcis.Add, BizStep: "packing", Disposition: "in_progress",
		ReadPoint: epcis.Place{ID: gln}, BizLocation: epcis.Place{ID: gln}, Parent: box.EPCs[0],
	}
	for i := range n {
		e.EPCs = append(e.EPCs, sgtin(i))
		pack.EPCs = append(pack.EPCs, sgtin(i))
	}
	return []epcis.Event{e, box, pack}
}

func written(t *testing.T, f epcis.Format, events ...epcis.Event) []byte {
	t.Helper()
	doc := &epcis.Document{Format: f, Root: "EPCISDocument", SchemaVersion: "1.2", CreationDate: now, Namespaces: []epcis.Namespace{{Prefix: "cbvmda", URI: "urn:epcglobal:cbv:mda"}}}
	if f != epcis.XML12 {
		doc.SchemaVersion = "2.0"
	}
	var out bytes.Buffer
	w, err := epcis.NewWriter(&out, f, doc)
	require.NoError(t, err)
	for i := range events {
		require.NoError(t, w.Write(&events[i]))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func (b *bundle) take(document []byte, proceed bool) epcisapi.Job {
	b.t.Helper()
	job, err := b.service.Capture(b.t.Context(), b.who, epcisapi.Submission{Document: document, Proceed: proceed})
	require.NoError(b.t, err)
	return job
}

// captured captures beside others, which a slow machine lets wait for longer
// than the role may: again, as a client would.
func (b *bundle) captured(document []byte) (epcisapi.Job, error) {
	for {
		job, err := b.service.Capture(b.t.Context(), b.who, epcisapi.Submission{Document: document})
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "55P03" {
			return job, err
		}
	}
}

func (b *bundle) count(table string) int {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.db.SuperURL())
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(b.t.Context())) }()
	var n int
	require.NoError(b.t, conn.QueryRow(b.t.Context(), "select count(*) from custody."+table).Scan(&n))
	return n
}

func TestADocumentIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := written(t, epcis.XML12, made(5)...)
	job := b.take(document, false)
	require.True(t, job.Success, "%+v", job.Findings)
	require.Equal(t, 3, job.Events)

	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			again, err := b.captured(document)
			if err != nil || again.ID != job.ID {
				t.Errorf("again: %v %v", again.ID, err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, b.count("document"))
	require.Equal(t, 3, b.count("event"))
	units, err := b.custody.Units(t.Context(), b.tenant, []string{sgtin(0)})
	require.NoError(t, err)
	require.Equal(t, "L1", units[0].Lot)
}

func TestTheSameBytesFromEverybodyAtOnceAreOneDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := written(t, epcis.JSON20, made(3)...)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			job, err := b.captured(document)
			if err != nil {
				t.Error(err)
			}
			ids[i] = job.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Equal(t, 1, b.count("document"))
}

func TestWhatCannotBeTakenLeavesItsJobAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	events := made(2)
	events[2].EPCs[1] = "urn:epc:id:sgtin:036999.123450.1001" // a digit short
	document := written(t, epcis.XML12, events...)
	job := b.take(document, false)
	require.False(t, job.Success)
	require.Equal(t, "reject", job.Verdict)
	require.NotEmpty(t, job.Findings)
	require.Zero(t, b.count("document"))
	require.Zero(t, b.count("event"))
	require.Equal(t, 1, b.count("capture_job"))

	job = b.take(document, true)
	require.False(t, job.Success)
	require.Equal(t, 2, job.Events, "the events that can be taken are")
	require.Equal(t, 1, b.count("document"))
	kept, err := b.service.Job(t.Context(), b.who, job.ID)
	require.NoError(t, err)
	require.Equal(t, job.Findings, kept.Findings)
	other := b.who
	other.Tenant = b.db.Tenant()
	_, err = b.service.Job(t.Context(), other, job.ID)
	require.ErrorIs(t, err, epcisapi.ErrNotFound, "another tenant's job is not there")

	job = b.take([]byte("<epcis:EPCISDocument"), false)
	require.Equal(t, "reject", job.Verdict)
}

func TestUnitsOfAFlaggedDocumentAreHeld(t *testing.T) {
	t.Parallel()
	b := setup(t)
	events := made(2)
	events[0].ILMD = nil // no lot, no expiry
	job := b.take(written(t, epcis.XML12, events...), false)
	require.Equal(t, "flag", job.Verdict, "%+v", job.Findings)
	require.True(t, job.Success)
	units, err := b.custody.Units(t.Context(), b.tenant, []string{sgtin(0)})
	require.NoError(t, err)
	require.Equal(t, dscsa.Quarantined, units[0].Shown())
}

func TestWhoSendsIsWhoTheDocumentSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ship := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Zone: "+00:00", Action: epcis.Observe, BizStep: "shipping",
		Disposition: "in_transit", ReadPoint: epcis.Place{ID: gln}, EPCs: []string{"urn:epc:id:sscc:036999.00000000001"},
		Sources: []epcis.Reference{{Type: "owning_party", ID: gln}}, Destinations: []epcis.Reference{{Type: "owning_party", ID: buyer}},
	}
	document := written(t, epcis.XML12, append(made(2), ship)...)

	conn, err := pgx.Connect(t.Context(), b.db.SuperURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	key, err := auth.NewKey("test")
	require.NoError(t, err)
	require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: key.ID, Tenant: b.tenant, Role: "trading_partner", SecretSHA256: key.Digest}))
	b.who = auth.Principal{Tenant: b.tenant, KeyID: key.ID, Role: "trading_partner"}
	_, err = b.service.Capture(t.Context(), b.who, epcisapi.Submission{Document: document})
	require.ErrorIs(t, err, epcisapi.ErrSender, "a key that is nobody's")

	bind := func(partner, number string) {
		require.NoError(t, pgtenant.Tx(t.Context(), b.db.Pool("app_api"), b.tenant, func(ctx context.Context, tx pgx.Tx) error {
			return tradebook.AddPartnerTx(ctx, tx, b.tenant, dscsa.Partner{
				ID: partner, Name: "Somebody", Role: dscsa.Manufacturer, GLNs: []string{number}, Address: dscsa.Address{Country: "US"},
			}, "key", now)
		}))
	}
	bind("ptr_00000000000000000000000001", "0860001234107")
	bind("ptr_00000000000000000000000002", "0369999000010")
	b.bindKey("ptr_00000000000000000000000001", key.ID)
	_, err = b.service.Capture(t.Context(), b.who, epcisapi.Submission{Document: document})
	require.ErrorIs(t, err, epcisapi.ErrSender, "the buyer's key")
	require.Zero(t, b.count("document"))

	other, err := auth.NewKey("test")
	require.NoError(t, err)
	require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: other.ID, Tenant: b.tenant, Role: "trading_partner", SecretSHA256: other.Digest}))
	b.bindKey("ptr_00000000000000000000000002", other.ID)
	b.who.KeyID = other.ID
	job := b.take(document, false)
	require.True(t, job.Success, "%+v", job.Findings)

	// Each sees what it sent or was sent, and its own jobs.
	seen := func(who auth.Principal) int {
		found, _, err := b.service.Events(t.Context(), who, query.Query{OrderBy: query.ByRecordTime}, "", 10)
		require.NoError(t, err)
		return len(found)
	}
	require.Equal(t, 4, seen(b.who))
	buyer := auth.Principal{Tenant: b.tenant, KeyID: key.ID, Role: "trading_partner"}
	require.Equal(t, 4, seen(buyer))
	_, err = b.service.Job(t.Context(), buyer, job.ID)
	require.ErrorIs(t, err, epcisapi.ErrNotFound, "the seller's job")
	require.Zero(t, seen(auth.Principal{Tenant: b.tenant, KeyID: "key_of_nobody", Role: "trading_partner"}))
	bind("ptr_00000000000000000000000003", "0860005678204")
	third, err := auth.NewKey("test")
	require.NoError(t, err)
	require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: third.ID, Tenant: b.tenant, Role: "trading_partner", SecretSHA256: third.Digest}))
	b.bindKey("ptr_00000000000000000000000003", third.ID)
	require.Zero(t, seen(auth.Principal{Tenant: b.tenant, KeyID: third.ID, Role: "trading_partner"}), "a partner that has no part in it")
}

func (b *bundle) bindKey(partner, key string) {
	b.t.Helper()
	require.NoError(b.t, pgtenant.Tx(b.t.Context(), b.db.Pool("app_api"), b.tenant, func(ctx context.Context, tx pgx.Tx) error {
		return tradebook.BindKeyTx(ctx, tx, b.tenant, partner, key, "key")
	}))
}

func TestAnOperatorImportsForAnybody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ship := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Zone: "+00:00", Action: epcis.Observe, BizStep: "shipping",
		Disposition: "in_transit", ReadPoint: epcis.Place{ID: gln}, EPCs: []string{"urn:epc:id:sscc:036999.00000000001"},
		Sources: []epcis.Reference{{Type: "owning_party", ID: gln}}, Destinations: []epcis.Reference{{Type: "owning_party", ID: buyer}},
	}
	job := b.take(written(t, epcis.XML20, append(made(2), ship)...), false)
	require.True(t, job.Success, "%+v", job.Findings)
	require.Equal(t, 2, b.count("partner"), "seller and buyer are met")
}

// do sends a request and reads its answer.
func (b *bundle) do(method, path string, body []byte, header ...string) (*http.Response, []byte) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, bytes.NewReader(body))
	require.NoError(b.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := b.server.Client().Do(r)
	require.NoError(b.t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp, raw
}

func TestCaptureAndQueryOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	resp, _ := b.do("POST", "/epcis/capture", written(t, epcis.JSON20, made(4)...), "Content-Type", "application/ld+json")
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	require.Equal(t, "2.0.0", resp.Header.Get("GS1-EPCIS-Version"))
	location := strings.TrimPrefix(resp.Header.Get("Location"), "http://self.example")
	resp, raw := b.do("GET", location, nil)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var job map[string]any
	require.NoError(t, json.Unmarshal(raw, &job))
	require.Equal(t, true, job["success"])
	require.Equal(t, false, job["running"])
	require.Equal(t, "rollback", job["captureErrorBehaviour"])
	resp, raw = b.do("GET", location, nil, "Accept", "application/xml")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, string(raw), `<epcis:EPCISCaptureJob xmlns:epcis="urn:epcglobal:epcis:xsd:2" running="false" success="true"`)

	for _, c := range []struct {
		accept, max string
		format      epcis.Format
	}{{"", "", epcis.JSON20}, {"application/xml", "", epcis.XML20}, {"text/xml;q=0.9", "1.2", epcis.XML12}} {
		header := []string{"GS1-EPC-Format", "Never_Translates"}
		if c.accept != "" {
			header = append(header, "Accept", c.accept)
		}
		if c.max != "" {
			header = append(header, "GS1-EPCIS-Max", c.max)
		}
		resp, raw = b.do("GET", "/epcis/events?orderBy=eventTime&orderDirection=ASC&EQ_bizStep=packing", nil, header...)
		require.Equal(t, http.StatusOK, resp.StatusCode, string(raw))
		r, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
		require.NoError(t, err)
		e, err := r.Next()
		require.NoError(t, err, string(raw))
		require.Equal(t, c.format, r.Document().Format)
		require.Equal(t, made(4)[2].EPCs, e.EPCs)
		require.NotEmpty(t, e.EventID, "an event without an id is given one")
		require.False(t, e.RecordTime.IsZero())
		_, err = r.Next()
		require.ErrorIs(t, err, io.EOF)
		resp, raw = b.do("GET", "/epcis/events/"+url.PathEscape(e.EventID), nil)
		require.Equal(t, http.StatusOK, resp.StatusCode, string(raw))
		require.Contains(t, string(raw), "https://id.gs1.org/01/00369991234505/21/1000")
	}

	// Page by page, every event once.
	seen := 0
	for path := "/epcis/events?perPage=1"; path != ""; {
		resp, raw = b.do("GET", path, nil)
		require.Equal(t, http.StatusOK, resp.StatusCode, string(raw))
		seen += strings.Count(string(raw), `"eventTime"`)
		path = ""
		if link := resp.Header.Get("Link"); link != "" {
			path = strings.TrimPrefix(link[1:strings.IndexByte(link, '>')], "http://self.example")
		}
	}
	require.Equal(t, 3, seen)

	for path, want := range map[string]string{
		"/epcis":                               "capture",
		"/epcis/eventTypes":                    "AssociationEvent",
		"/epcis/bizSteps":                      "commissioning",
		"/epcis/dispositions":                  "active",
		"/epcis/epcs?perPage=2":                "01/00369991234505/21/1000",
		"/epcis/bizLocations":                  "414/0369999000010",
		"/epcis/readPoints":                    "414/0369999000010",
		"/epcis/bizSteps/packing/events":       "AggregationEvent",
		"/epcis/eventTypes/ObjectEvent/events": "ObjectEvent",
		"/epcis/epcs/" + url.PathEscape("https://id.gs1.org/01/00369991234505/21/1001") + "/events": "21/1001",
	} {
		resp, raw = b.do("GET", path, nil)
		require.Equal(t, http.StatusOK, resp.StatusCode, path+string(raw))
		require.Contains(t, string(raw), want, path)
	}
	resp, _ = b.do("OPTIONS", "/epcis/capture", nil)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	require.Equal(t, "all", resp.Header.Get("GS1-Capture-Error-Behaviour"))
}

func TestWhatTheDialectRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		method, path string
		body         string
		header       []string
		status       int
		exception    string
	}{
		{"POST", "/epcis/capture", "x", []string{"Content-Type", "text/plain"}, 415, "UnsupportedMediaTypeException"},
		{"POST", "/epcis/capture", "", []string{"Content-Type", "application/json"}, 400, "ValidationException"},
		{"POST", "/epcis/capture", "{}", []string{"Content-Type", "application/json", "GS1-Capture-Error-Behaviour", "maybe"}, 400, "ValidationException"},
		{"POST", "/epcis/events", `{"type":"ObjectEvent"}`, []string{"Content-Type", "application/json"}, 400, "ValidationException"},
		{"GET", "/epcis/events?EQ_colour=red", "", nil, 400, "QueryParameterException"},
		{"GET", "/epcis/events?nextPageToken=zzz", "", nil, 400, "QueryParameterException"},
		{"GET", "/epcis/events?perPage=-1", "", nil, 400, "QueryParameterException"},
		{"GET", "/epcis/bizSteps/packing/events?EQ_bizStep=shipping", "", nil, 400, "QueryParameterException"},
		{"GET", "/epcis/events", "", []string{"Accept", "text/html"}, 406, "NotAcceptableException"},
		{"GET", "/epcis/events?EQ_eventID=" + strings.Repeat("x", 20_000), "", nil, 414, "URITooLongException"},
		{"GET", "/epcis/events/urn:uuid:none", "", nil, 404, "NoSuchResourceException"},
		{"GET", "/epcis/capture/none", "", nil, 404, "NoSuchResourceException"},
		{"GET", "/epcis/nowhere", "", nil, 404, "NoSuchResourceException"},
	} {
		resp, raw := b.do(c.method, c.path, []byte(c.body), c.header...)
		require.Equal(t, c.status, resp.StatusCode, c.path+string(raw))
		var problem map[string]any
		require.NoError(t, json.Unmarshal(raw, &problem), c.path)
		require.Equal(t, "epcisException:"+c.exception, problem["type"], c.path)
		require.NotEmpty(t, problem["detail"])
	}
}

func TestMoreThanWasAllowedIsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.True(t, b.take(written(t, epcis.XML12, made(2)...), false).Success)
	resp, _ := b.do("GET", "/epcis/events?maxEventCount=2", nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	resp, raw := b.do("GET", "/epcis/events?maxEventCount=3", nil)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, 3, strings.Count(string(raw), `"eventTime"`))
	_, raw = b.do("GET", "/epcis/events?eventCountLimit=2", nil)
	require.Equal(t, 2, strings.Count(string(raw), `"eventTime"`))
}

// The first event of a job is the first that was taken.
func TestAJobNamesNoEventThatWasLeftOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wrong := made(1)[0]
	wrong.EPCs, wrong.EventID = []string{"urn:epc:id:sscc:036999.0000000001"}, "urn:uuid:5f0b5b1c-0000-4000-8000-000000000001"
	events := append([]epcis.Event{wrong}, made(2)...)
	events[1].EventID = "urn:uuid:5f0b5b1c-0000-4000-8000-000000000002"
	job := b.take(written(t, epcis.XML12, events...), true)
	require.Equal(t, 3, job.Events, "%+v", job.Findings)
	require.Equal(t, events[1].EventID, job.EventID)
	stored, err := b.service.Job(t.Context(), b.who, job.ID)
	require.NoError(t, err)
	require.Equal(t, events[1].EventID, stored.EventID)
}

// A document with more events than the header of the answer says is refused,
// however short they are, and leaves nothing.
func TestADocumentOfTooManyEventsIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := written(t, epcis.JSON20, made(1)...)
	list := regexp.MustCompile(`"eventList"\s*:\s*\[`).FindIndex(document)
	require.NotNil(t, list)
	many := slices.Concat(document[:list[1]], bytes.Repeat([]byte("{},"), epcisapi.MaxEvents-2), document[list[1]:])
	answer, raw := b.do("POST", "/epcis/capture", many, "Content-Type", "application/json")
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode, string(raw))
	require.Equal(t, "500000", answer.Header.Get("GS1-EPCIS-Capture-Limit"))
	var problem struct{ Type, Detail string }
	require.NoError(t, json.Unmarshal(raw, &problem))
	require.Equal(t, "epcisException:CaptureLimitExceededException", problem.Type)
	require.Contains(t, problem.Detail, "500000 events")
	require.Zero(t, b.count("document"))
	require.Zero(t, b.count("capture_job"))
}
