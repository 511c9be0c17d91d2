package check_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
)

var now = dscsatest.GoodsSeen

// shipment is a manufacturer's document as partners send it, in cases of 4.
func shipment(pallets int) ([]byte, int) {
	return dscsatest.Goods{Units: pallets * 40, Small: true}.Text()
}

func TestShipmentOfBenchmarksIsClean(t *testing.T) {
	t.Parallel()
	doc, events := shipment(3)
	r, err := check.Whole(bytes.NewReader(doc), epcis.Limits{}, check.Options{Now: now})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Equal(t, check.Accept, r.Verdict)
	require.Equal(t, events, r.Events)
	require.True(t, r.DSCSA)
}

// BenchmarkXML compares reading and checking with what the standard library
// does without any check.
func BenchmarkXML(b *testing.B) {
	doc, events := shipment(200)
	rate := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("read and check", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := check.Whole(bytes.NewReader(doc), epcis.Limits{}, check.Options{Now: now})
			require.NoError(b, err)
			require.Equal(b, check.Accept, r.Verdict)
		}
		rate(b)
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			in, err := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
			require.NoError(b, err)
			for err == nil {
				_, err = in.Next()
			}
		}
		rate(b)
	})
	b.Run("encoding xml", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			var d plainXML
			require.NoError(b, xml.Unmarshal(doc, &d))
		}
		rate(b)
	})
}

// BenchmarkExamples reads and checks every published document, and says how long
// the slowest of them takes; two seconds would be too long.
func BenchmarkExamples(b *testing.B) {
	pack := examples(b)
	var documents [][]byte
	require.NoError(b, filepath.WalkDir(pack, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		documents = append(documents, raw)
		return err
	}))
	var slowest time.Duration
	for b.Loop() {
		for _, doc := range documents {
			began := time.Now()
			_, err := check.Whole(bytes.NewReader(doc), epcis.Limits{}, check.Options{Now: now})
			require.NoError(b, err)
			slowest = max(slowest, time.Since(began))
		}
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
}

// BenchmarkCheck is the checks alone.
func BenchmarkCheck(b *testing.B) {
	doc, n := shipment(200)
	in, err := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
	require.NoError(b, err)
	events := make([]*epcis.Event, 0, n)
	for e, err := in.Next(); err == nil; e, err = in.Next() {
		events = append(events, e)
	}
	require.Len(b, events, n)
	b.ReportAllocs()
	for b.Loop() {
		c := check.New(check.Options{Now: now})
		c.Document(in.Document())
		for _, e := range events {
			c.Event(e)
		}
		require.Equal(b, check.Accept, c.Report().Verdict)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/event")
}

// plainXML holds the events as encoding/xml reads them.
type plainXML struct {
	Objects []plainEvent `xml:"EPCISBody>EventList>ObjectEvent"`
	Packs   []plainEvent `xml:"EPCISBody>EventList>AggregationEvent"`
}

type plainEvent struct {
	EventTime    string      `xml:"eventTime"`
	Zone         string      `xml:"eventTimeZoneOffset"`
	Parent       string      `xml:"parentID"`
	EPCs         []string    `xml:"epcList>epc"`
	Children     []string    `xml:"childEPCs>epc"`
	Action       string      `xml:"action"`
	BizStep      string      `xml:"bizStep"`
	Disposition  string      `xml:"disposition"`
	ReadPoint    string      `xml:"readPoint>id"`
	BizLocation  string      `xml:"bizLocation>id"`
	Transactions []plainText `xml:"bizTransactionList>bizTransaction"`
	Sources      []plainText `xml:"extension>sourceList>source"`
	Destinations []plainText `xml:"extension>destinationList>destination"`
	Lot          string      `xml:"extension>ilmd>lotNumber"`
	Expiry       string      `xml:"extension>ilmd>itemExpirationDate"`
}

type plainText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// plainJSON holds the events as encoding/json reads and writes them.
type plainJSON struct {
	Context       []any  `json:"@context"`
	Type          string `json:"type"`
	SchemaVersion string `json:"schemaVersion"`
	CreationDate  string `json:"creationDate"`
	Body          struct {
		Events []plainMember `json:"eventList"`
	} `json:"epcisBody"`
}

type plainMember struct {
	Type         string            `json:"type"`
	EventTime    string            `json:"eventTime"`
	Zone         string            `json:"eventTimeZoneOffset"`
	Parent       string            `json:"parentID,omitempty"`
	EPCs         []string          `json:"epcList,omitempty"`
	Children     []string          `json:"childEPCs,omitempty"`
	Action       string            `json:"action"`
	BizStep      string            `json:"bizStep"`
	Disposition  string            `json:"disposition"`
	ReadPoint    *plainPlace       `json:"readPoint,omitempty"`
	BizLocation  *plainPlace       `json:"bizLocation,omitempty"`
	Transactions []plainReference  `json:"bizTransactionList,omitempty"`
	Sources      []plainReference  `json:"sourceList,omitempty"`
	Destinations []plainReference  `json:"destinationList,omitempty"`
	ILMD         map[string]string `json:"ilmd,omitempty"`
}

type plainPlace struct {
	ID string `json:"id"`
}

type plainReference struct {
	Type        string `json:"type"`
	Transaction string `json:"bizTransaction,omitempty"`
	Source      string `json:"source,omitempty"`
	Destination string `json:"destination,omitempty"`
}

// shipmentJSON is shipment in JSON, without its header.
func shipmentJSON(tb testing.TB, pallets int) ([]byte, int) {
	tb.Helper()
	doc, n := shipment(pallets)
	in, err := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
	require.NoError(tb, err)
	out := plainJSON{
		Context: []any{"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"},
		Type:    "EPCISDocument", SchemaVersion: "2.0", CreationDate: "2026-03-02T15:00:00Z",
	}
	place := func(p epcis.Place) *plainPlace {
		if p.ID == "" {
			return nil
		}
		return &plainPlace{p.ID}
	}
	for e, err := in.Next(); err == nil; e, err = in.Next() {
		m := plainMember{
			Type: string(e.Type), EventTime: e.EventTime.Format(time.RFC3339), Zone: e.Zone, Parent: e.Parent, Action: string(e.Action),
			BizStep: e.BizStep, Disposition: e.Disposition, ReadPoint: place(e.ReadPoint), BizLocation: place(e.BizLocation),
		}
		if e.Type == epcis.AggregationEvent {
			m.Children = e.EPCs
		} else {
			m.EPCs = e.EPCs
		}
		for _, r := range e.BizTransactions {
			m.Transactions = append(m.Transactions, plainReference{Type: r.Type, Transaction: r.ID})
		}
		for _, r := range e.Sources {
			m.Sources = append(m.Sources, plainReference{Type: r.Type, Source: r.ID})
		}
		for _, r := range e.Destinations {
			m.Destinations = append(m.Destinations, plainReference{Type: r.Type, Destination: r.ID})
		}
		for _, f := range e.ILMD {
			if m.ILMD == nil {
				m.ILMD = map[string]string{}
			}
			m.ILMD["cbvmda:"+f.Name.Local] = f.Value
		}
		out.Body.Events = append(out.Body.Events, m)
	}
	raw, err := json.Marshal(out)
	require.NoError(tb, err)
	return raw, n
}

// BenchmarkJSON is BenchmarkXML with the same events in JSON-LD.
func BenchmarkJSON(b *testing.B) {
	doc, events := shipmentJSON(b, 200)
	rate := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("read and check", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := check.Whole(bytes.NewReader(doc), epcis.Limits{}, check.Options{Now: now})
			require.NoError(b, err)
			require.Equal(b, events, r.Events)
		}
		rate(b)
	})
	b.Run("encoding json", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			var d plainJSON
			require.NoError(b, json.Unmarshal(doc, &d))
		}
		rate(b)
	})
}
