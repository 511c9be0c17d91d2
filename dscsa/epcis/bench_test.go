package epcis_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// The plain structs of someone who reads the same document with encoding/xml:
// no checks, no times, no vocabulary.
type plainDocument struct {
	Events []plainEvent `xml:"EPCISBody>EventList>ObjectEvent"`
	Packed []plainEvent `xml:"EPCISBody>EventList>AggregationEvent"`
}

type plainEvent struct {
	EventTime   string   `xml:"eventTime"`
	Zone        string   `xml:"eventTimeZoneOffset"`
	Parent      string   `xml:"parentID"`
	EPCs        []string `xml:"epcList>epc"`
	Children    []string `xml:"childEPCs>epc"`
	Action      string   `xml:"action"`
	BizStep     string   `xml:"bizStep"`
	Disposition string   `xml:"disposition"`
	ReadPoint   string   `xml:"readPoint>id"`
	BizLocation string   `xml:"bizLocation>id"`
	Lot         string   `xml:"extension>ilmd>lotNumber"`
	Expiry      string   `xml:"extension>ilmd>itemExpirationDate"`
	BizTx       []plain  `xml:"bizTransactionList>bizTransaction"`
	Sources     []plain  `xml:"extension>sourceList>source"`
	Dests       []plain  `xml:"extension>destinationList>destination"`
}

type plain struct {
	Type string `xml:"type,attr"`
	ID   string `xml:",chardata"`
}

const benchEvents = 9000

func document(tb testing.TB, events int) []byte {
	tb.Helper()
	raw, err := io.ReadAll(&generated{n: events})
	require.NoError(tb, err)
	return raw
}

func BenchmarkReadXML(b *testing.B) {
	raw := document(b, benchEvents)
	b.Run("epcis", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
			require.NoError(b, err)
			n := 0
			for {
				_, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			require.Equal(b, benchEvents, n)
		}
		perEvent(b)
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var doc plainDocument
			require.NoError(b, xml.Unmarshal(raw, &doc))
			require.Equal(b, benchEvents, len(doc.Events)+len(doc.Packed))
		}
		perEvent(b)
	})
}

func perEvent(b *testing.B) {
	b.Helper()
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / benchEvents
	b.ReportMetric(ns, "ns/event")
	b.ReportMetric(1e9/ns, "events/s")
}
