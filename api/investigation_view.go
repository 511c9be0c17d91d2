package api

import (
	"strconv"
	"time"

	"github.com/recourse/recourse/internal/investigation"
)

type investigationView struct {
	ID            string           `json:"id"`
	Object        string           `json:"object"`
	State         string           `json:"state"`
	Company       string           `json:"company"`
	CompanyName   string           `json:"company_name"`
	Role          string           `json:"role"`
	Suspicion     string           `json:"suspicion"`
	Summary       string           `json:"summary"`
	Units         []string         `json:"units,omitempty"`
	GTIN          string           `json:"gtin,omitempty"`
	Lot           string           `json:"lot,omitempty"`
	Quarantine    string           `json:"quarantine"`
	FDARequest    *fdaRequestView  `json:"fda_request,omitempty"`
	OpenedAt      stamp            `json:"opened_at"`
	OpenedBy      string           `json:"opened_by"`
	Progress      *progressView    `json:"progress"`
	Conclusion    *conclusionView  `json:"conclusion,omitempty"`
	Disposition   *dispositionView `json:"disposition,omitempty"`
	Notifications []string         `json:"notifications"`
}

type fdaRequestView struct {
	RequestedOn string `json:"requested_on"`
	Office      string `json:"office"`
}

type progressView struct {
	Packages int64 `json:"packages"`
	Required int64 `json:"required"`
	Verified int64 `json:"verified"`
	Failed   int64 `json:"failed"`
}

type conclusionView struct {
	Outcome    string `json:"outcome"`
	At         stamp  `json:"at"`
	By         string `json:"by"`
	Person     string `json:"person"`
	Position   string `json:"position"`
	Summary    string `json:"summary"`
	FDATold    *stamp `json:"fda_notified_at,omitempty"`
	Quarantine string `json:"quarantine,omitempty"`
}

type dispositionView struct {
	Method      string `json:"method"`
	ConcludedOn string `json:"concluded_on"`
	Summary     string `json:"summary"`
	At          stamp  `json:"at"`
	By          string `json:"by"`
}

func quarantineID(hold int64) string { return quarantinePrefix + strconv.FormatInt(hold, 10) }

func viewInvestigation(v *investigation.Investigation, notifications []*investigation.Notification) investigationView {
	p := progressView(v.Progress)
	out := investigationView{
		ID: v.ID, Object: "investigation", State: string(v.State), Company: v.Company, CompanyName: v.CompanyName, Role: string(v.Role),
		Suspicion: string(v.Suspicion), Summary: v.Summary, Units: v.Units, GTIN: v.GTIN, Lot: v.Lot, Quarantine: quarantineID(v.Hold),
		OpenedAt: stamp(v.OpenedAt), OpenedBy: v.OpenedBy, Progress: &p, Notifications: []string{},
	}
	if v.FDAAskedOn != nil {
		out.FDARequest = &fdaRequestView{v.FDAAskedOn.Format(time.DateOnly), v.FDAOffice}
	}
	if e := v.End; e != nil {
		out.Conclusion = &conclusionView{
			Outcome: string(investigation.Cleared), At: stamp(e.At), By: e.By, Person: e.Person, Position: e.Position, Summary: e.Summary,
			FDATold: orNoStamp(e.FDAToldAt),
		}
		if e.Hold != 0 {
			out.Conclusion.Outcome, out.Conclusion.Quarantine = string(investigation.Illegitimate), quarantineID(e.Hold)
		}
	}
	if d := v.Disposition; d != nil {
		out.Disposition = &dispositionView{d.Method, d.ConcludedOn.Format(time.DateOnly), d.Summary, stamp(d.At), d.By}
	}
	for _, n := range notifications {
		out.Notifications = append(out.Notifications, n.ID)
	}
	return out
}

type verificationView struct {
	Object  string `json:"object"`
	Unit    string `json:"unit"`
	Result  string `json:"result"`
	Failure string `json:"failure,omitempty"`
	Source  string `json:"source"`
	Note    string `json:"note,omitempty"`
	At      stamp  `json:"at"`
	By      string `json:"by"`
}

func viewVerification(v investigation.Verification) verificationView {
	return verificationView{"verification", v.Unit, v.Result, v.Failure, v.Source, v.Note, stamp(v.At), v.By}
}

type matchView struct {
	Object    string `json:"object"`
	Unit      string `json:"unit"`
	GTIN      string `json:"gtin"`
	Serial    string `json:"serial"`
	Lot       string `json:"lot"`
	State     string `json:"state"`
	Owner     string `json:"owner_gln"`
	New       bool   `json:"new"`
	Event     int64  `json:"event"`
	BizStep   string `json:"biz_step"`
	EventTime stamp  `json:"event_time"`
	Document  string `json:"document"`
	Sender    string `json:"sender"`
}

func viewMatch(m investigation.Match) matchView {
	return matchView{
		"match", m.Unit, m.GTIN, m.Serial, m.Lot, string(m.State), m.Owner, m.New, m.Event, m.BizStep, stamp(m.EventTime),
		"doc_" + strconv.FormatInt(m.Document, 10), m.Sender,
	}
}
