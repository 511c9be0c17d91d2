package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// body is an event as it is stored: all of it, in short JSON, from which every
// format can be written again. Its fields are those of epcis.Event.
type body struct {
	Type             epcis.EventType              `json:"type"`
	EventTime        time.Time                    `json:"at"`
	Zone             string                       `json:"zone"`
	RecordTime       time.Time                    `json:"-"` // the entry's
	EventID          string                       `json:"id,omitempty"`
	Error            *epcis.ErrorDeclaration      `json:"error,omitempty"`
	Action           epcis.Action                 `json:"action,omitempty"`
	BizStep          string                       `json:"step,omitempty"`
	Disposition      string                       `json:"disp,omitempty"`
	Persistent       *epcis.PersistentDisposition `json:"persistent,omitempty"`
	ReadPoint        epcis.Place                  `json:"read,omitzero"`
	BizLocation      epcis.Place                  `json:"loc,omitzero"`
	Parent           string                       `json:"parent,omitempty"`
	EPCs             []string                     `json:"epcs,omitempty"`
	Quantities       []epcis.Quantity             `json:"qty,omitempty"`
	InputEPCs        []string                     `json:"in,omitempty"`
	OutputEPCs       []string                     `json:"out,omitempty"`
	InputQuantities  []epcis.Quantity             `json:"inQty,omitempty"`
	OutputQuantities []epcis.Quantity             `json:"outQty,omitempty"`
	TransformationID string                       `json:"xform,omitempty"`
	BizTransactions  []epcis.Reference            `json:"tx,omitempty"`
	Sources          []epcis.Reference            `json:"src,omitempty"`
	Destinations     []epcis.Reference            `json:"dst,omitempty"`
	ILMD             []epcis.Field                `json:"ilmd,omitempty"`
	Sensors          []epcis.Sensor               `json:"sensors,omitempty"`
	Certifications   []string                     `json:"cert,omitempty"`
	Extensions       []epcis.Field                `json:"ext,omitempty"`
	Faults           []epcis.Fault                `json:"-"` // in the document's findings
}

func encodeEvent(e *epcis.Event) ([]byte, error) {
	raw, err := json.Marshal(body(*e))
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return raw, nil
}

func decodeEvent(raw []byte) (epcis.Event, error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return epcis.Event{}, fmt.Errorf("decode a stored event: %w", err)
	}
	return epcis.Event(b), nil
}

// Roles of an item in an event, as the table numbers them.
const (
	roleEPC int16 = iota
	roleParent
	roleChild
	roleInput
	roleOutput
)

// Kinds of references.
const (
	refTransaction int16 = iota + 1
	refSource
	refDestination
)

// record is an event made ready: what is asked for beside it taken out, things
// and places by their keys, nothing of it dependent on the database yet.
type record struct {
	ordinal  int32
	fact     dscsa.Fact // Members, Outputs and Parent still to be numbered
	body     []byte
	eventID  string // as given, or made of the hash
	given    bool   // it was given
	parent   string
	members  []string
	outputs  []string
	role     int16 // of the members
	read     string
	location string
	xform    string
	refs     []ref
	classes  []class
	seq      int64 // once it is to be recorded
}

type ref struct {
	kind   int16
	typ    string
	target string
}

type class struct {
	role        int16
	place       int32
	key         string
	amount, uom string
}

// things collects the identifiers of a batch, once each.
type things map[string]gs1.ID

func (t things) add(s string) string {
	key, id := dscsa.KeyOf(s)
	if _, ok := t[key]; !ok {
		t[key] = id
	}
	return key
}

func (t things) all(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = t.add(s)
	}
	return out
}

func keyOf(s string) string {
	if s == "" {
		return ""
	}
	key, _ := dscsa.KeyOf(s)
	return key
}

// make makes an event ready. seen gets the things it names.
func (r *record) make(e *epcis.Event, ordinal int32, hash [32]byte, seen things) error {
	raw, err := encodeEvent(e)
	if err != nil {
		return err
	}
	*r = record{
		ordinal: ordinal, fact: dscsa.FactOf(e), body: raw, eventID: e.EventID, given: e.EventID != "",
		read: keyOf(e.ReadPoint.ID), location: keyOf(e.BizLocation.ID), xform: e.TransformationID,
	}
	r.fact.Hash = hash
	if !r.given {
		r.eventID = madeID(hash)
		r.fact.EventID = r.eventID
	}
	if e.Parent != "" {
		r.parent = seen.add(e.Parent)
	}
	switch e.Type {
	case epcis.TransformationEvent:
		r.role, r.members, r.outputs = roleInput, seen.all(e.InputEPCs), seen.all(e.OutputEPCs)
		r.addClasses(roleInput, e.InputQuantities)
		r.addClasses(roleOutput, e.OutputQuantities)
	case epcis.AggregationEvent, epcis.AssociationEvent:
		r.role, r.members = roleChild, seen.all(e.EPCs)
		r.addClasses(roleChild, e.Quantities)
	case epcis.ObjectEvent, epcis.TransactionEvent, epcis.QuantityEvent:
		r.role, r.members = roleEPC, seen.all(e.EPCs)
		r.addClasses(roleEPC, e.Quantities)
	}
	for kind, list := range [...][]epcis.Reference{e.BizTransactions, e.Sources, e.Destinations} {
		for _, x := range list {
			r.refs = append(r.refs, ref{kind: refTransaction + int16(kind), typ: x.Type, target: keyOf(x.ID)})
		}
	}
	return nil
}

func (r *record) addClasses(role int16, list []epcis.Quantity) {
	for i, q := range list {
		r.classes = append(r.classes, class{role: role, place: int32(i + 1), key: keyOf(q.Class), amount: q.Amount, uom: q.UOM})
	}
}

// The CBV event hash as a URI is also the id of an event that came without one
// (EPCIS 2.0 section 8.2.7: the same for whoever computes it).
const (
	hashBefore = "ni:///sha-256;"
	hashAfter  = "?ver=CBV2.0"
)

func madeID(hash [32]byte) string { return hashBefore + hex.EncodeToString(hash[:]) + hashAfter }

// eventHash is the digest in an event hash, which is the same for the same
// event in every format and spelling, whatever it is called and whether it is
// declared an error.
func eventHash(uri string) (hash [32]byte, err error) {
	if _, err := hex.Decode(hash[:], []byte(strings.TrimSuffix(strings.TrimPrefix(uri, hashBefore), hashAfter))); err != nil {
		return hash, fmt.Errorf("the event hash %q: %w", uri, err)
	}
	return hash, nil
}

// eventContent is the hash of what the chain's entry of an event covers.
func eventContent(document int64, ordinal int32, hash [32]byte, raw []byte) [32]byte {
	h := sha256.New()
	head := eventHead(document, ordinal, hash)
	h.Write(head[:])
	h.Write(raw)
	return [32]byte(h.Sum(nil))
}

// eventBytes is what the chain's entry of an event covers.
func eventBytes(document int64, ordinal int32, hash [32]byte, raw []byte) []byte {
	head := eventHead(document, ordinal, hash)
	return append(head[:], raw...)
}

func eventHead(document int64, ordinal int32, hash [32]byte) (head [44]byte) {
	binary.BigEndian.PutUint64(head[:], uint64(document))
	binary.BigEndian.PutUint32(head[8:], uint32(ordinal))
	copy(head[12:], hash[:])
	return head
}

// packed is a list of items in one value, 8 bytes each.
func packed(ids []int64) []byte {
	out := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		out = binary.BigEndian.AppendUint64(out, uint64(id))
	}
	return out
}

func unpacked(raw []byte) []int64 {
	out := make([]int64, 0, len(raw)/8)
	for ; len(raw) >= 8; raw = raw[8:] {
		out = append(out, int64(binary.BigEndian.Uint64(raw)))
	}
	return out
}

// persistent dispositions in one text: "+recalled -damaged".
func packDispositions(set, unset []string) string {
	var b strings.Builder
	for i, list := range [2][]string{set, unset} {
		for _, d := range list {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteByte("+-"[i])
			b.WriteString(d)
		}
	}
	return b.String()
}

func unpackDispositions(s string) (set, unset []string) {
	for _, d := range strings.Fields(s) {
		if d[0] == '+' {
			set = append(set, d[1:])
		} else {
			unset = append(unset, d[1:])
		}
	}
	return set, unset
}
