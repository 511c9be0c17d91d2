package check

import (
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// wrongClocks is by how much a sender's clock may run ahead.
const wrongClocks = 10 * time.Minute

// firstTime is before anything an EPCIS document tells (version 1.0 is of 2007;
// serials are older, but not that much).
var firstTime = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *Checker) future(t time.Time) bool {
	return !c.now.IsZero() && t.After(c.now.Add(wrongClocks))
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func (c *Checker) times(e *epcis.Event) {
	switch {
	case e.Zone == "":
		if !c.told(e, "bad-zone") {
			c.missing(e, "missing-zone", "eventTimeZoneOffset", "write the offset of the place where it happened, as -05:00")
		}
	case !validZone(e.Zone):
		if !c.told(e, "bad-zone") {
			c.find("bad-zone", c.here("eventTimeZoneOffset"), "the offset is %q: write it from -14:00 to +14:00, as -05:00", brief(e.Zone))
		}
	}
	t := e.EventTime
	if t.IsZero() {
		return
	}
	if c.future(t) {
		c.find("event-time-future", c.here("eventTime"), "the event happens at %s, which has not come yet", stamp(t))
	} else if t.Before(firstTime) {
		c.find("event-time-implausible", c.here("eventTime"), "the event happened in %d", t.Year())
	}
	if !e.RecordTime.IsZero() && e.RecordTime.Before(t) {
		c.find("record-time-before-event", c.here("recordTime"), "recorded at %s, before it happened; recordTime of a captured event is set by who captures it", stamp(e.RecordTime))
	}
	if c.doc != nil && !c.doc.CreationDate.IsZero() && t.After(c.doc.CreationDate.Add(wrongClocks)) {
		c.find("event-after-document", c.here("eventTime"), "the event happens at %s, after the document was made (%s)", stamp(t), stamp(c.doc.CreationDate))
	}
}

// validZone tells sign, hours to 14, colon, minutes to 59, 14:00 at most.
func validZone(s string) bool {
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return false
	}
	for _, i := range [...]int{1, 2, 4, 5} {
		if s[i]-'0' > 9 {
			return false
		}
	}
	h, m := int(s[1]-'0')*10+int(s[2]-'0'), int(s[4]-'0')*10+int(s[5]-'0')
	return h < 14 && m < 60 || h == 14 && m == 0
}
