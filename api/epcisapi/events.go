package epcisapi

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/query"
)

// parameters is the query parameter that a path under a collection stands for
// (/bizSteps/shipping/events).
var parameters = map[Collection][]string{
	EPCs:         {"MATCH_anyEPC"},
	BizSteps:     {"EQ_bizStep"},
	Dispositions: {"EQ_disposition"},
	ReadPoints:   {"EQ_readPoint"},
	BizLocations: {"EQ_bizLocation"},
	EventTypes:   {"eventType"},
}

// maxQuery bounds the length of a query.
const maxQuery = 16 << 10

// events answers a query: GET /epcis/events and its relatives. of is the
// parameter that the path stands for.
func (s *server) events(of []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.RawQuery) > maxQuery {
			s.fail(w, r, refused("URITooLongException", http.StatusRequestURITooLong, "The query is too long", "Ask for fewer values at a time."))
			return
		}
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			s.fail(w, r, wrongParameter("the query cannot be read: escape it as a URL"))
			return
		}
		after, limit, err := pageOf(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		delete(values, "perPage")
		delete(values, "nextPageToken")
		for _, name := range of {
			if values.Has(name) {
				s.fail(w, r, wrongParameter(name+": is what the path says already"))
				return
			}
			values.Set(name, r.PathValue("name"))
		}
		q, err := query.Parse(values)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, r, q, after, limit)
	}
}

// event answers with one event and what declares it an error: GET
// /epcis/events/{eventID}.
func (s *server) event(w http.ResponseWriter, r *http.Request) {
	q := query.Query{EventIDs: []string{r.PathValue("eventID")}, OrderBy: query.ByRecordTime, Ascending: true}
	s.answer(w, r, q, "", maxPage)
}

// answer writes a page of events. It is made whole before its first byte, so
// that an answer that says 200 is one.
func (s *server) answer(w http.ResponseWriter, r *http.Request, q query.Query, after string, limit int) {
	f, err := formOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if q.CountLimit > 0 {
		limit = min(limit, q.CountLimit)
	}
	if q.MaxCount > 0 {
		limit = min(q.MaxCount+1, maxPage)
	}
	found, next, err := s.Repository.Events(r.Context(), s.Who(r), q, after, limit)
	switch {
	case err != nil:
	case q.MaxCount > 0 && (len(found) > q.MaxCount || next != ""):
		err = refused("QueryTooLargeException", http.StatusRequestEntityTooLarge, "More events match than the query allows",
			"Narrow the query, or raise maxEventCount or leave it out and read page by page.")
	case len(found) == 0 && r.PathValue("eventID") != "":
		err = ErrNotFound
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if q.CountLimit > 0 && len(found) >= q.CountLimit {
		next = ""
	}
	var out bytes.Buffer
	if err := s.write(&out, f, found); err != nil {
		s.fail(w, r, err)
		return
	}
	announce(w.Header())
	w.Header().Set("GS1-EPC-Format", f.spelled)
	linkNext(w, r, s.BaseURL, next)
	w.Header().Set("Content-Type", f.media)
	_, _ = w.Write(out.Bytes())
}

func (s *server) write(out *bytes.Buffer, f form, found []Recorded) error {
	version := "2.0"
	if f.format == epcis.XML12 {
		version = "1.2"
	}
	doc := &epcis.Document{
		Format: f.format, Root: "EPCISQueryDocument", SchemaVersion: version, CreationDate: s.Now().UTC(),
		Query: &epcis.Query{Name: "SimpleEventQuery"}, Namespaces: namespaces(found),
	}
	w, err := epcis.NewWriter(out, f.format, doc)
	if err != nil {
		return cannotHold(err)
	}
	for _, e := range found {
		event := spell(e.Event, f.spelled)
		event.RecordTime = e.RecordedAt.UTC()
		if err := w.Write(event); err != nil {
			return cannotHold(err)
		}
	}
	return cannotHold(w.Close())
}

// cannotHold says that the form asked for has no place for something: EPCIS
// 1.2 knows no association.
func cannotHold(err error) error {
	if err == nil {
		return nil
	}
	return unacceptable("The events cannot be given in this form (" + err.Error() + "). Ask for application/json.")
}

// namespaces collects those of the events' own fields, with prefixes made for
// them.
func namespaces(found []Recorded) []epcis.Namespace {
	var uris []string
	var walk func([]epcis.Field)
	walk = func(fields []epcis.Field) {
		for _, f := range fields {
			if f.Name.Space != "" && !slices.Contains(uris, f.Name.Space) {
				uris = append(uris, f.Name.Space)
			}
			walk(f.Attrs)
			walk(f.Children)
		}
	}
	for _, r := range found {
		e := r.Event
		walk(e.ILMD)
		walk(e.Extensions)
		walk(e.ReadPoint.Extensions)
		walk(e.BizLocation.Extensions)
		if e.Error != nil {
			walk(e.Error.Extensions)
		}
		for _, sensor := range e.Sensors {
			walk(sensor.Metadata)
			walk(sensor.Extensions)
			for _, report := range sensor.Reports {
				walk(report)
			}
		}
	}
	slices.Sort(uris)
	out := make([]epcis.Namespace, len(uris))
	for i, uri := range uris {
		out[i] = epcis.Namespace{Prefix: prefixOf(uri, i), URI: uri}
	}
	return out
}

// prefixOf keeps the prefixes that everybody uses.
func prefixOf(uri string, i int) string {
	switch uri {
	case "urn:epcglobal:cbv:mda":
		return "cbvmda"
	case "http://epcis.gs1us.org/hc/ns":
		return "gs1ushc"
	default:
		return "ext" + itoa(i+1)
	}
}
