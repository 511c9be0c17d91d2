package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// pages answers an event query with one event a page; each page declares its
// own namespaces only, and gives the prefix ext to another one every time.
func pages(t *testing.T, events []epcis.Event, declared [][]epcis.Namespace) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		if token := r.URL.Query().Get("nextPageToken"); token != "" {
			_, err := fmt.Sscan(token, &n)
			if err != nil {
				http.Error(w, "no such page", http.StatusBadRequest)
				return
			}
		}
		if n+1 < len(events) {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s/epcis/events?nextPageToken=%d>; rel="next"`, r.Host, n+1))
		}
		w.Header().Set("Content-Type", "application/json")
		out, err := epcis.NewWriter(w, epcis.JSON20, &epcis.Document{
			Root: "EPCISQueryDocument", SchemaVersion: "2.0", CreationDate: events[0].EventTime, Query: &epcis.Query{Name: "SimpleEventQuery"},
			Namespaces: declared[n],
		})
		if err != nil || out.Write(&events[n]) != nil || out.Close() != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAnExportKeepsTheNamespacesOfEveryPage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const first, second, third = "http://one.example/ns", "http://two.example/ns", "http://three.example/ns"
	var events []epcis.Event
	for i, fields := range [][]epcis.Field{
		{{Name: epcis.Name{Space: first, Local: "batch"}, Value: "1"}},
		{
			{Name: epcis.Name{Space: second, Local: "batch"}, Value: "2"},
			{Name: epcis.Name{Space: third, Local: "deep"}, Children: []epcis.Field{{Name: epcis.Name{Space: first, Local: "leaf"}, Value: "x"}}},
		},
		{{Name: epcis.Name{Space: third, Local: "batch"}, Value: "3"}, {Name: epcis.Name{Space: "http://epcis.gs1us.org/hc/ns", Local: "directPurchase"}, Value: "true"}},
	} {
		events = append(events, epcis.Event{
			Type: epcis.ObjectEvent, EventID: fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-00000000000%d", i), EventTime: at.Add(time.Duration(i) * time.Hour),
			Zone: "+00:00", Action: epcis.Observe, BizStep: "shipping", EPCs: []string{"urn:epc:id:sgtin:0379999.010130.1"}, Extensions: fields,
		})
	}
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("sk_test"), 0o600))
	server := pages(t, events, [][]epcis.Namespace{
		{{Prefix: "ext", URI: first}}, {{Prefix: "ext", URI: second}, {Prefix: "own", URI: third}}, {{Prefix: "ext", URI: third}},
	})
	for _, format := range []epcis.Format{epcis.JSON20, epcis.XML20, epcis.XML12} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			code, out, talk := tool(t, "epcis", "export", "-api", server.URL, "-key-file", key, "-format", string(format), "EQ_bizStep=shipping")
			require.Equal(t, exitOK, code, talk)
			reader, err := epcis.NewReader(strings.NewReader(out), epcis.Limits{})
			require.NoError(t, err)
			for i := range events {
				e, err := reader.Next()
				require.NoError(t, err, out)
				require.Empty(t, cmp.Diff(events[i].Extensions, e.Extensions), out)
			}
			_, err = reader.Next()
			require.ErrorIs(t, err, io.EOF)
			require.Contains(t, out, "gs1ushc:directPurchase", "what everybody knows by its prefix keeps it, whichever page it is on")
		})
	}
}
