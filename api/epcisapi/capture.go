package epcisapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// capture takes a document: POST /epcis/capture.
func (s *server) capture(w http.ResponseWriter, r *http.Request) {
	job, err := s.take(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	announce(w.Header())
	w.Header().Set("Location", s.BaseURL+"/epcis/capture/"+job.ID)
	w.WriteHeader(http.StatusAccepted)
}

// captureEvent takes one bare event: POST /epcis/events. Its answer comes with
// the event taken, or says why it was not.
func (s *server) captureEvent(w http.ResponseWriter, r *http.Request) {
	job, err := s.take(w, r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !job.Success:
		s.fail(w, r, invalid(first(job.Findings)))
	default:
		announce(w.Header())
		w.Header().Set("Location", s.BaseURL+"/epcis/events/"+url.PathEscape(job.EventID))
		w.WriteHeader(http.StatusCreated)
	}
}

// bodyPatience is how long a document may take to arrive.
const bodyPatience = 2 * time.Minute

func (s *server) take(w http.ResponseWriter, r *http.Request) (Job, error) {
	proceed := false
	switch r.Header.Get("GS1-Capture-Error-Behaviour") {
	case "", "rollback":
	case "proceed":
		proceed = true
	default:
		return Job{}, invalid("GS1-Capture-Error-Behaviour is rollback or proceed.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil, r.Header.Get("Content-Encoding") != "":
		kind = ""
	}
	switch kind {
	case "application/json", "application/ld+json", "application/xml", "text/xml", "application/soap+xml":
	default:
		return Job{}, refused("UnsupportedMediaTypeException", http.StatusUnsupportedMediaType, "The document's type is not taken",
			"Send application/json, application/ld+json, application/xml, text/xml or application/soap+xml, not compressed.")
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return Job{}, ErrBusy
	}
	in := http.NewResponseController(w)
	_ = in.SetReadDeadline(time.Now().Add(bodyPatience)) // the network's time, whatever the dialect's
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument))
	_ = in.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		limits(w.Header())
		return Job{}, tooLarge
	case err != nil:
		return Job{}, invalid("The document broke off. Send it again.")
	case len(document) == 0:
		return Job{}, invalid("There is no document in the body.")
	}
	job, err := s.Repository.Capture(r.Context(), s.Who(r), Submission{Document: document, Proceed: proceed})
	if errors.Is(err, ErrTooMany) {
		limits(w.Header())
		return Job{}, tooLarge
	}
	return job, err
}

var tooLarge = refused("CaptureLimitExceededException", http.StatusRequestEntityTooLarge, "The document is too large",
	"Nothing of it was kept. Split it into documents of at most "+itoa(maxDocument)+" bytes and "+itoa(MaxEvents)+" events.")

// limits says how large a document may be.
func limits(h http.Header) {
	h.Set("GS1-EPCIS-Capture-Limit", itoa(MaxEvents))
	h.Set("GS1-EPCIS-Capture-File-Size-Limit", itoa(maxDocument))
}

func first(findings []Finding) string {
	for _, f := range findings {
		if f.Severity == "error" {
			return f.Message
		}
	}
	return "The document cannot be taken."
}

// job shows how a capture went: GET /epcis/capture/{captureID}.
func (s *server) job(w http.ResponseWriter, r *http.Request) {
	job, err := s.Repository.Job(r.Context(), s.Who(r), r.PathValue("captureID"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	announce(w.Header())
	switch media := prefer(r.Header.Values("Accept"), "application/json", "application/ld+json", "application/xml", "text/xml"); media {
	case "application/xml", "text/xml":
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, xml.Header)
		_ = xml.NewEncoder(w).Encode(jobXML(job))
	case "":
		s.fail(w, r, unacceptable("A capture job is given as application/json or application/xml."))
	default:
		w.Header().Set("Content-Type", media)
		_ = json.NewEncoder(w).Encode(jobJSON(job))
	}
}

// jobs lists captures, newest first: GET /epcis/capture.
func (s *server) jobs(w http.ResponseWriter, r *http.Request) {
	after, limit, err := pageOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	jobs, err := s.Repository.Jobs(r.Context(), s.Who(r), after, limit+1)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	next := ""
	if len(jobs) > limit {
		jobs = jobs[:limit]
		next = jobs[limit-1].ID
	}
	out := make([]captureJob, len(jobs))
	for i, j := range jobs {
		out[i] = jobJSON(j)
	}
	announce(w.Header())
	linkNext(w, r, s.BaseURL, next)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// captureJob is a job as the standard shows it. Members beside the standard's
// say more about what the checks found.
type captureJob struct {
	ID         string     `json:"captureID"`
	CreatedAt  string     `json:"createdAt"`
	FinishedAt string     `json:"finishedAt,omitempty"`
	Running    bool       `json:"running"`
	Success    bool       `json:"success"`
	Behaviour  string     `json:"captureErrorBehaviour"`
	Errors     []jobError `json:"errors"`
	Verdict    string     `json:"verdict"`
	Events     int        `json:"eventsStored"`
	Findings   []Finding  `json:"findings"`
}

type jobError struct {
	Type   string `json:"type" xml:"type"`
	Title  string `json:"title" xml:"title"`
	Status int    `json:"status" xml:"status"`
	Detail string `json:"detail" xml:"detail"`
}

func jobJSON(j Job) captureJob {
	out := captureJob{
		ID: j.ID, CreatedAt: stamp(j.CreatedAt), FinishedAt: stamp(j.FinishedAt), Success: j.Success, Behaviour: behaviour(j),
		Errors: jobErrors(j), Verdict: j.Verdict, Events: j.Events, Findings: j.Findings,
	}
	if out.Findings == nil {
		out.Findings = []Finding{}
	}
	return out
}

func behaviour(j Job) string {
	if j.Proceed {
		return "proceed"
	}
	return "rollback"
}

// jobErrors are what kept events from being taken.
func jobErrors(j Job) []jobError {
	out := []jobError{}
	if j.Success {
		return out
	}
	for _, f := range j.Findings {
		if f.Severity == "error" {
			out = append(out, jobError{Type: "epcisException:ValidationException", Title: f.Rule, Status: http.StatusBadRequest, Detail: f.Where + ": " + f.Message})
		}
	}
	return out
}

// captureJobXML is the job as the standard's schema has it: the element
// belongs to the namespace, what is in it does not.
type captureJobXML struct {
	XMLName    xml.Name   `xml:"epcis:EPCISCaptureJob"`
	Space      string     `xml:"xmlns:epcis,attr"`
	Running    bool       `xml:"running,attr"`
	Success    bool       `xml:"success,attr"`
	ID         string     `xml:"captureID,attr"`
	Behaviour  string     `xml:"captureErrorBehaviour"`
	CreatedAt  string     `xml:"createdAt"`
	FinishedAt string     `xml:"finishedAt,omitempty"`
	Errors     []jobError `xml:"errors>error,omitempty"`
}

func jobXML(j Job) captureJobXML {
	return captureJobXML{
		Space: "urn:epcglobal:epcis:xsd:2", Success: j.Success, ID: j.ID, Behaviour: behaviour(j),
		CreatedAt: stamp(j.CreatedAt), FinishedAt: stamp(j.FinishedAt), Errors: jobErrors(j),
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
