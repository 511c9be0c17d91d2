package epcis_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
)

// The reader remembers of an event what the next one most often says again:
// its context, its names, its places, its offset. An event means the same
// whatever stands before it, and in whatever memory it is put.
func TestEventMeansTheSameAmongOthers(t *testing.T) {
	t.Parallel()
	contexts := []string{
		"", `"@context":{"a":"urn:x:"},`, `"@context":{"a":"urn:y:"},`, `"@context":[{"a":"urn:x:"}],`, `"@context":{"a":"urn:x:","b":"urn:z:"},`,
		`"@context":"https://example.org/foreign.jsonld",`, `"@context":{"a":"no uri"},`, `"@context":{"a":"urn:x:","a":"urn:y:"},`, `"@context":null,`, `"@context":7,`,
		`"@context":{"a":"d:x"},`,
	}
	places := []string{
		`{"id":"urn:epc:id:sgln:0369999.00001.0"}`, `{"id":"urn:epc:id:sgln:0369999.00002.0"}`, `{ "id" : "urn:epc:id:sgln:0369999.00001.0" }`,
		`{"id":"urn:x:1","a:b":"c"}`, `{"a:b":"c","id":"urn:x:1"}`, `{"id":"urn:x:1","id":"urn:x:2"}`, `{"id":"urn:x:1","other":1}`, `{}`, `{"id":""}`, `[]`, `{"id":7}`,
	}
	names := []string{`"a:b":"1"`, `"a:b":"2","b:b":"3"`, `"d:b":{"a:c":1,"a:b":[true,null]}`, `"urn:x:b":"1"`, `":b":"1"`, `"a:":"1"`, `"b":"1"`}
	zones := []string{"+00:00", "-05:00", "nowhere", ""}
	epcs := []string{`[]`, `["urn:epc:id:sgtin:0369999.012345.1"]`, `["urn:x:1","urn:x:2",""," urn:x:3 "]`, `["` + strings.Repeat("urn:x:long", 600) + `"]`, `[7]`, `"urn:x:1"`}
	event := rapid.Custom(func(t *rapid.T) string {
		one := func(of []string, label string) string { return rapid.SampledFrom(of).Draw(t, label) }
		return fmt.Sprintf(`{"type":"ObjectEvent",%s"eventTime":"2026-03-02T09:00:00Z","eventTimeZoneOffset":"%s","epcList":%s,"action":"OBSERVE","readPoint":%s,"bizLocation":%s,"ilmd":{%s},%s}`,
			one(contexts, "context"), one(zones, "zone"), one(epcs, "epcs"), one(places, "readPoint"), one(places, "bizLocation"), one(names, "ilmd"), one(names, "extension"))
	})
	type result struct {
		Event  *epcis.Event
		Rule   string
		Faults []epcis.Fault
	}
	each := func(t *rapid.T, recycle bool, look func(i int, x result), events ...string) {
		r, err := epcis.NewReader(strings.NewReader(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"d":"urn:document:"}],"type":"EPCISDocument","schemaVersion":"2.0",`+
			`"creationDate":"2026-03-02T15:00:00Z","epcisBody":{"eventList":[`+strings.Join(events, ",")+"]}}"), epcis.Limits{})
		require.NoError(t, err)
		for i := 0; ; i++ {
			e, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			x := result{Event: e}
			var refused *epcis.Error
			if errors.As(err, &refused) {
				x.Rule, x.Faults = refused.Rule, refused.Faults
			} else {
				require.NoError(t, err)
				x.Faults = e.Faults
			}
			for i := range x.Faults { // "event 3 …"
				_, x.Faults[i].Where, _ = strings.Cut(strings.TrimPrefix(x.Faults[i].Where, "event "), " ")
			}
			look(i, x)
			if refused != nil && !refused.Resumable {
				return
			}
			if e != nil && recycle {
				r.Recycle(e)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(event, 1, 20).Draw(t, "events")
		alone := make([]result, len(events))
		for i, e := range events {
			each(t, false, func(_ int, x result) { alone[i] = x }, e)
		}
		for _, recycle := range []bool{false, true} {
			each(t, recycle, func(i int, got result) {
				if diff := cmp.Diff(alone[i], got); diff != "" {
					t.Fatalf("event %d, alone and after others (memory used again: %t):\n%s", i+1, recycle, diff)
				}
			}, events...)
		}
	})
}
