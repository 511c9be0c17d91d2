package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
)

// lotTrace is where a lot is.
type lotTrace struct {
	Object  string       `json:"object"`
	GTIN    string       `json:"gtin"`
	Lot     string       `json:"lot"`
	At      stamp        `json:"at"`
	Units   []tracedUnit `json:"units"`
	Holders []holder     `json:"holders"`
	Owners  []string     `json:"owners_in_history"`
	Balance massBalance  `json:"mass_balance"`
}

type tracedUnit struct {
	GTIN       string `json:"gtin"`
	Serial     string `json:"serial"`
	Unit       string `json:"unit"`
	Lot        string `json:"lot"`
	ExpiryOn   string `json:"expiry_on,omitempty"`
	State      string `json:"state"`
	HeldAs     string `json:"held_as,omitempty"`
	HolderGLN  string `json:"holder_gln"`
	OwnerGLN   string `json:"owner_gln"`
	Location   string `json:"location_gln,omitempty"`
	Parent     string `json:"parent,omitempty"`
	LastSeenAt stamp  `json:"last_seen_at"`
}

type holder struct {
	GLN   string `json:"gln"`
	Units int    `json:"units"`
}

// massBalance is what has become of a lot: commissioned is the sum of the
// others. Unaccounted units are named in documents and no event says where they
// are.
type massBalance struct {
	Commissioned   int `json:"commissioned"`
	InStock        int `json:"in_stock"`
	InTransit      int `json:"in_transit"`
	Quarantined    int `json:"quarantined"`
	Returned       int `json:"returned"`
	Dispensed      int `json:"dispensed"`
	Destroyed      int `json:"destroyed"`
	Decommissioned int `json:"decommissioned"`
	Unaccounted    int `json:"unaccounted"`
}

// unitTrace is what happened to one unit.
type unitTrace struct {
	Object string        `json:"object"`
	Unit   tracedUnit    `json:"unit"`
	Owners []ownerChange `json:"owners"`
	Events []tracedEvent `json:"events"`
}

type ownerChange struct {
	From string `json:"from_gln"`
	To   string `json:"to_gln"`
	At   stamp  `json:"at"`
}

type tracedEvent struct {
	Seq         int64  `json:"seq"`
	EventID     string `json:"event_id"`
	Document    string `json:"document,omitempty"` // it first came in
	Type        string `json:"type"`
	Action      string `json:"action,omitempty"`
	BizStep     string `json:"biz_step,omitempty"`
	Disposition string `json:"disposition,omitempty"`
	EventTime   stamp  `json:"event_time"`
	ReadPoint   string `json:"read_point,omitempty"`
	BizLocation string `json:"biz_location,omitempty"`
	Declared    bool   `json:"declared_wrong,omitempty"`
	RecordedAt  stamp  `json:"recorded_at"`
}

// Trace answers where a lot is, or what happened to a unit.
func (s *server) Trace(ctx context.Context, request TraceRequestObject) (TraceResponseObject, error) {
	p := request.Params
	bad := func(name, detail string) error {
		return &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/" + name, Code: "invalid", Detail: detail}}}
	}
	var gtin string
	if p.Gtin != nil {
		gtin = ("00000000000000" + *p.Gtin)[len(*p.Gtin):]
		if !gs1.ValidGTIN(gtin) {
			return nil, bad("gtin", "is no GTIN: its check digit is wrong")
		}
	}
	switch {
	case p.Unit != nil && gtin == "" && p.Lot == nil && p.Serial == nil:
		key, ok := unitKey(*p.Unit)
		if !ok {
			return nil, bad("unit", "is neither a package (GTIN with serial) nor an SSCC; check its digits and its spelling")
		}
		return s.traceUnit(ctx, key)
	case gtin != "" && p.Serial != nil && p.Lot == nil && p.Unit == nil:
		return s.traceUnit(ctx, gs1.ID{Kind: gs1.SGTIN, Number: gtin, Serial: *p.Serial}.Key())
	case gtin != "" && p.Lot != nil && p.Serial == nil && p.Unit == nil:
		var at time.Time
		if p.At != nil {
			at = p.At.UTC()
		}
		return s.traceLot(ctx, gtin, *p.Lot, at)
	}
	return nil, bad("gtin", "give gtin and lot for a lot; unit, or gtin and serial, for one unit")
}

func (s *server) traceLot(ctx context.Context, gtin, lot string, at time.Time) (Answer, error) {
	tenant := whereOf(ctx).who.Tenant
	units, err := s.cfg.Custody.LotAt(ctx, tenant, gtin, lot, at)
	if err != nil {
		return Answer{}, err
	}
	owners, err := s.cfg.Custody.OwnersOfLot(ctx, tenant, gtin, lot)
	if err != nil {
		return Answer{}, err
	}
	if at.IsZero() {
		at = s.cfg.Now()
	}
	out := lotTrace{Object: "lot_trace", GTIN: gtin, Lot: lot, At: stamp(at), Units: []tracedUnit{}, Holders: []holder{}, Owners: append([]string{}, owners...)}
	held := map[string]int{}
	for i := range units {
		u := viewUnit(&units[i])
		out.Units = append(out.Units, u)
		out.Balance.add(dscsa.State(u.State))
		if !units[i].State.Ended() && u.HolderGLN != "" {
			held[u.HolderGLN]++
		}
	}
	for gln, n := range held {
		out.Holders = append(out.Holders, holder{GLN: gln, Units: n})
	}
	slices.SortFunc(out.Holders, func(a, b holder) int { return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.GLN, b.GLN)) })
	return jsonAnswer(http.StatusOK, out)
}

func (m *massBalance) add(state dscsa.State) {
	m.Commissioned++
	switch state {
	case dscsa.InStock:
		m.InStock++
	case dscsa.InTransit:
		m.InTransit++
	case dscsa.Quarantined:
		m.Quarantined++
	case dscsa.Returned:
		m.Returned++
	case dscsa.Dispensed:
		m.Dispensed++
	case dscsa.Destroyed:
		m.Destroyed++
	case dscsa.Decommissioned:
		m.Decommissioned++
	case dscsa.Unknown:
		m.Unaccounted++
	}
}

func viewUnit(u *dscsa.Unit) tracedUnit {
	v := tracedUnit{
		GTIN: u.GTIN, Serial: u.Serial, Unit: u.Key, Lot: u.Lot, State: string(u.Shown()), HolderGLN: u.Holder, OwnerGLN: u.Owner,
		Location: u.Location, Parent: u.Parent, LastSeenAt: stamp(u.LastTime),
	}
	if !u.Expiry.IsZero() {
		v.ExpiryOn = u.Expiry.Format(time.DateOnly)
	}
	switch {
	case len(u.Holds) > 0:
		v.HeldAs = string(u.Holds[0].Class)
	case u.Blocked != "":
		v.HeldAs = u.Blocked
	case u.ConflictWhy != "":
		v.HeldAs = u.ConflictWhy
	}
	return v
}

func (s *server) traceUnit(ctx context.Context, key string) (Answer, error) {
	unit, events, hops, err := s.cfg.Custody.History(ctx, whereOf(ctx).who.Tenant, key)
	if errors.Is(err, custodypg.ErrUnknown) {
		return Answer{}, &refusal{code: "not_found", detail: "No document names this unit."}
	}
	if err != nil {
		return Answer{}, err
	}
	out := unitTrace{Object: "unit_trace", Unit: viewUnit(&unit), Owners: []ownerChange{}, Events: []tracedEvent{}}
	for _, h := range hops {
		out.Owners = append(out.Owners, ownerChange{From: h.From, To: h.To, At: stamp(h.At)})
	}
	for i := range events {
		e := &events[i]
		document := ""
		if e.Document != 0 {
			document = documentPrefix + strconv.FormatInt(e.Document, 10)
		}
		out.Events = append(out.Events, tracedEvent{
			Seq: e.Seq, Document: document, EventID: e.EventID, Type: string(e.Type), Action: string(e.Action), BizStep: e.BizStep, Disposition: e.Disposition,
			EventTime: stamp(e.EventTime), ReadPoint: e.ReadPoint.ID, BizLocation: e.BizLocation.ID, Declared: e.Error != nil, RecordedAt: stamp(e.RecordedAt),
		})
	}
	return jsonAnswer(http.StatusOK, out)
}
