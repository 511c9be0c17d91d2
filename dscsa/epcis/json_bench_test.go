package epcis_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// jsonDocument is a document of n events as a wholesaler sends them: for each
// case one commissioning, one packing and one shipping event.
func jsonDocument(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"gs1ushc":"http://epcis.gs1us.org/hc/ns"}],` +
		`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-02T15:00:00Z","epcisBody":{"eventList":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		jsonEvent(&b, i)
	}
	b.WriteString("]}}")
	return b.Bytes()
}

func jsonEvent(b *bytes.Buffer, i int) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second).Format(time.RFC3339)
	head := fmt.Sprintf(`"eventTime":"%s","eventTimeZoneOffset":"-05:00","eventID":"urn:uuid:5a1f2c3d-0000-4000-8000-%012d",`, at, i)
	where := `"readPoint":{"id":"urn:epc:id:sgln:0369999.00002.0"},"bizLocation":{"id":"urn:epc:id:sgln:0369999.00002.0"}`
	units := ""
	for k := range 4 {
		units += fmt.Sprintf(`"urn:epc:id:sgtin:0369999.012345.%d",`, 10_000_000+4*(i/3)+k)
	}
	units = units[:len(units)-1]
	parent := fmt.Sprintf(`"urn:epc:id:sgtin:0369999.512345.%d"`, 90_000_000+i/3)
	switch i % 3 {
	case 0:
		fmt.Fprintf(b, `{"type":"ObjectEvent",%s"epcList":[%s],"action":"ADD","bizStep":"commissioning","disposition":"active",%s,`+
			`"ilmd":{"cbvmda:lotNumber":"LX%d","cbvmda:itemExpirationDate":"2028-06-30"}}`, head, units, where, i)
	case 1:
		fmt.Fprintf(b, `{"type":"AggregationEvent",%s"parentID":%s,"childEPCs":[%s],"action":"ADD","bizStep":"packing","disposition":"in_progress",%s}`,
			head, parent, units, where)
	default:
		fmt.Fprintf(b, `{"type":"ObjectEvent",%s"epcList":[%s],"action":"OBSERVE","bizStep":"shipping","disposition":"in_transit",`+
			`"readPoint":{"id":"urn:epc:id:sgln:0369999.00002.0"},"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:0860001234107:PO-%d"},`+
			`{"type":"desadv","bizTransaction":"urn:epcglobal:cbv:bt:0369999000017:ASN-%d"}],"sourceList":[{"type":"owning_party","source":"urn:epc:id:sgln:0369999.00001.0"},`+
			`{"type":"location","source":"urn:epc:id:sgln:0369999.00002.0"}],"destinationList":[{"type":"owning_party","destination":"urn:epc:id:sgln:0860001234.10.0"},`+
			`{"type":"location","destination":"urn:epc:id:sgln:0860001234.20.0"}],"gs1ushc:dropShipment":"false"}`, head, parent, i, i)
	}
}

const jsonBenchEvents = 3000

// BenchmarkReadJSON is the reader with every check of form it makes.
func BenchmarkReadJSON(b *testing.B) {
	doc := jsonDocument(jsonBenchEvents)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
		require.NoError(b, err)
		n := 0
		for ; ; n++ {
			if _, err := r.Next(); err != nil {
				require.ErrorIs(b, err, io.EOF)
				break
			}
		}
		require.Equal(b, jsonBenchEvents, n)
	}
	b.ReportMetric(float64(jsonBenchEvents)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// plainJSON is the least one would write to read the same events with
// encoding/json.
type plainJSON struct {
	Type, EventTime, EventTimeZoneOffset, EventID, ParentID, Action, BizStep, Disposition string

	EpcList, ChildEPCs     []string
	ReadPoint, BizLocation struct{ ID string }
	BizTransactionList     []struct{ Type, BizTransaction string }
	SourceList             []struct{ Type, Source string }
	DestinationList        []struct{ Type, Destination string }
	ILMD                   map[string]string
}

// BenchmarkEncodingJSON is the baseline: encoding/json into plain structs,
// event by event, checking nothing.
func BenchmarkEncodingJSON(b *testing.B) {
	doc := jsonDocument(jsonBenchEvents)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		d := json.NewDecoder(bytes.NewReader(doc))
		for tok := json.Token(nil); tok != "eventList"; {
			var err error
			tok, err = d.Token()
			require.NoError(b, err)
		}
		_, err := d.Token()
		require.NoError(b, err)
		n := 0
		for ; d.More(); n++ {
			var e plainJSON
			require.NoError(b, d.Decode(&e))
		}
		require.Equal(b, jsonBenchEvents, n)
	}
	b.ReportMetric(float64(jsonBenchEvents)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkHash is the event hash of the same events.
func BenchmarkHash(b *testing.B) {
	_, events, err := read(bytes.NewReader(jsonDocument(jsonBenchEvents)), epcis.Limits{})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range events {
			epcis.Hash(e)
		}
	}
	b.ReportMetric(float64(jsonBenchEvents)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkWrite is the same document written in each format.
func BenchmarkWrite(b *testing.B) {
	doc, events, err := read(bytes.NewReader(jsonDocument(jsonBenchEvents)), epcis.Limits{})
	require.NoError(b, err)
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, err := epcis.NewWriter(io.Discard, f, &epcis.Document{CreationDate: noon, Namespaces: doc.Namespaces})
				require.NoError(b, err)
				for _, e := range events {
					require.NoError(b, w.Write(e))
				}
				require.NoError(b, w.Close())
			}
			b.ReportMetric(float64(jsonBenchEvents)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
