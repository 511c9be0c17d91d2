package participants

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/recourse/recourse/sim/internal/fault"
)

// A delivery is a document in a trading partner's inbox, under the sender's key.
type delivery struct {
	GLN      string
	Key      string
	SHA256   string
	OrderRef string   // of the purchase order, or of the return
	Units    []string // what was shipped, as it was written
	At       time.Time
	Puts     int
}

// document is as much of an EPCIS document as an inbox looks at.
type document struct {
	Events []struct {
		EPCs         []string `xml:"epcList>epc"`
		BizStep      string   `xml:"bizStep"`
		Transactions []struct {
			Type string `xml:"type,attr"`
			ID   string `xml:",chardata"`
		} `xml:"bizTransactionList>bizTransaction"`
	} `xml:"EPCISBody>EventList>ObjectEvent"`
}

// read finds what the last shipping event of a document ships, and for which
// order.
func read(raw []byte) (d delivery, ok bool) {
	var doc document
	if err := xml.Unmarshal(raw, &doc); err != nil {
		return d, false
	}
	for _, e := range doc.Events {
		if !strings.HasSuffix(e.BizStep, ":shipping") {
			continue
		}
		d.Units, ok = e.EPCs, true
		for _, t := range e.Transactions {
			if strings.HasSuffix(t.Type, ":po") || strings.HasSuffix(t.Type, ":rma") {
				last := t.ID[strings.LastIndexByte(t.ID, ':')+1:]
				if ref, err := url.PathUnescape(last); err == nil {
					d.OrderRef = ref
				}
			}
		}
	}
	return d, ok
}

// take puts a document into an inbox. A fault rule's route is "deliver".
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	s.inboxed(w, r, "deliver", func(gln, key string) (fault.Answer, bool) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
		if err != nil {
			return plain(http.StatusRequestEntityTooLarge, "too_large", "The document is too large."), false
		}
		d, ok := read(raw)
		if !ok {
			return plain(http.StatusBadRequest, "no_shipment", "The document ships nothing."), false
		}
		sum := sha256.Sum256(raw)
		before, known := s.inbox[gln+"/"+key]
		d.GLN, d.Key, d.SHA256, d.At, d.Puts = gln, key, hex.EncodeToString(sum[:]), s.cfg.Clock().UTC(), before.Puts+1
		if known {
			d.At = before.At
		}
		switch {
		case known && before.SHA256 != "" && before.SHA256 != d.SHA256:
			return plain(http.StatusConflict, "key_reused", "The key was used for another document."), false
		case suffix(d.OrderRef, "REJECT"):
			return plain(http.StatusUnprocessableEntity, "not_ours", "We did not order this."), false
		case suffix(d.OrderRef, "FLAKY2") && d.Puts <= 2:
			d.SHA256 = "" // not taken
		}
		if err := s.journal.Append(change{Delivery: &d}); err != nil {
			return plain(http.StatusInternalServerError, "internal", "The journal cannot be written."), false
		}
		s.inbox[gln+"/"+key] = d
		if d.SHA256 == "" {
			return plain(http.StatusServiceUnavailable, "unavailable", "Nothing was taken. Send it again."), false
		}
		return encoded(http.StatusOK, map[string]string{"key": key, "sha256": d.SHA256}), suffix(d.OrderRef, "DONETIMEOUT") && d.Puts == 1
	})
}

// A receipt as partners say it.
type receipt struct {
	Received   []string    `json:"received"`
	Exceptions []exception `json:"exceptions"`
	ReceivedAt time.Time   `json:"received_at"`
}

type exception struct {
	Unit string `json:"unit"`
	Kind string `json:"kind"`
	Note string `json:"note,omitempty"`
}

// receipt answers whether the goods of a document came: at once, unless the
// order's reference says otherwise.
func (s *Server) receipt(w http.ResponseWriter, r *http.Request) {
	s.inboxed(w, r, "receipt", func(gln, key string) (fault.Answer, bool) {
		d, known := s.inbox[gln+"/"+key]
		late := suffix(d.OrderRef, "LATE") && s.cfg.Clock().Before(d.At.Add(s.cfg.LateAfter))
		if !known || d.SHA256 == "" || late || suffix(d.OrderRef, "SILENT") {
			return plain(http.StatusNotFound, "not_received", "Nothing has come yet."), false
		}
		out := receipt{Received: d.Units, Exceptions: []exception{}, ReceivedAt: d.At}
		kind := map[bool]string{suffix(d.OrderRef, "SHORT"): "shortage", suffix(d.OrderRef, "DAMAGED"): "damaged"}[true]
		if kind != "" {
			out.Received = d.Units[1:]
			out.Exceptions = append(out.Exceptions, exception{Unit: d.Units[0], Kind: kind, Note: "said the simulator"})
		}
		return encoded(http.StatusOK, out), false
	})
}

// inboxed answers one call to an inbox, with the fault that is planted for it.
func (s *Server) inboxed(w http.ResponseWriter, r *http.Request, op string, act func(gln, key string) (a fault.Answer, silent bool)) {
	if !s.allowed(r) {
		send(w, r, plain(http.StatusUnauthorized, "unauthorized", "The credential is not valid."), fault.None, 0)
		return
	}
	gln, key := r.PathValue("gln"), r.PathValue("key")
	saga, _, _ := strings.Cut(key, ":")
	planted, delay := s.faults.Match(r.Method, op, saga)
	switch planted {
	case fault.TooMany:
		send(w, r, plain(http.StatusTooManyRequests, "too_many_requests", "Nothing was done. Ask later."), fault.None, 0)
		return
	case fault.Before500, fault.Conflict:
		send(w, r, plain(http.StatusInternalServerError, "internal", "Something went wrong."), fault.None, 0)
		return
	case fault.TimeoutBeforeExecute:
		fault.Hold(r, s.cfg.HangFor)
		fault.Cut()
	default:
	}
	s.mu.Lock()
	a, silent := act(gln, key)
	s.mu.Unlock()
	if silent {
		fault.Hold(r, s.cfg.HangFor)
		fault.Cut()
	}
	if planted == fault.ExecuteThen500 {
		a = plain(http.StatusInternalServerError, "internal", "Something went wrong.")
	}
	send(w, r, a, planted, delay)
}

// An InboxLine is a document as the book shows it.
type InboxLine struct {
	SagaID string    `json:"saga_id"`
	GLN    string    `json:"gln"`
	SHA256 string    `json:"sha256"`
	Units  []string  `json:"units"`
	At     time.Time `json:"at"`
	Puts   int       `json:"puts"`
}

// inboxBook is every document that was taken.
func (s *Server) inboxBook() []InboxLine {
	out := []InboxLine{}
	for _, d := range s.inbox {
		if d.SHA256 != "" {
			saga, _, _ := strings.Cut(d.Key, ":")
			out = append(out, InboxLine{SagaID: saga, GLN: d.GLN, SHA256: d.SHA256, Units: d.Units, At: d.At, Puts: d.Puts})
		}
	}
	return out
}
