package epcis_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/epcis/epcistest"
)

var formats = []epcis.Format{epcis.XML12, epcis.XML20, epcis.JSON20}

// write writes a document whole.
func write(f epcis.Format, doc *epcis.Document, events ...*epcis.Event) ([]byte, error) {
	var b bytes.Buffer
	w, err := epcis.NewWriter(&b, f, doc)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

// sameTime is equality with the offset a time was written with.
var sameTime = cmp.Comparer(func(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return a.Equal(b) && x == y
})

// Reading what was written gives the same events and the same document, in
// every format.
func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				doc := epcistest.Document(f).Draw(t, "document")
				events := rapid.SliceOfN(epcistest.Event(f), 0, 3).Draw(t, "events")
				text, err := write(f, doc, events...)
				require.NoError(t, err)
				gotDoc, got, err := read(bytes.NewReader(text), epcis.Limits{})
				require.NoError(t, err, "%s", text)
				require.Empty(t, cmp.Diff(events, got, sameTime, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(epcis.Event{}, "Faults")), "%s", text)
				require.Empty(t, cmp.Diff(doc, gotDoc, sameTime, cmpopts.EquateEmpty(),
					cmpopts.IgnoreFields(epcis.Document{}, "Namespaces", "Faults"),
					// What a header says at least is written when it is not held.
					cmpopts.IgnoreFields(epcis.BusinessHeader{}, "Fields")), "%s", text)
				for _, e := range got {
					require.Empty(t, e.Faults)
				}
				again, err := write(f, doc, events...)
				require.NoError(t, err)
				require.Equal(t, text, again)
			})
		})
	}
}

// Documents found in the wild read the same after they were written, in every
// format that can hold them.
func TestExamplesReadTheSameWhenWritten(t *testing.T) {
	t.Parallel()
	root := pack(t)
	written := map[epcis.Format]int{}
	for _, path := range slices.Concat(examples(t, root), jsonExamples(t, root)) {
		doc, events, err := readFile(t, filepath.Join(root, path))
		if err != nil || len(events) == 0 {
			continue // what is refused and what holds no events has tests of its own
		}
		for _, f := range formats {
			head := &epcis.Document{Root: doc.Root, Query: doc.Query, CreationDate: time.Unix(0, 0), Namespaces: doc.Namespaces}
			if f == doc.Format && !doc.CreationDate.IsZero() {
				head = doc
			}
			var text bytes.Buffer
			w, err := epcis.NewWriter(&text, f, head)
			require.NoError(t, err, path)
			var can []*epcis.Event
			for _, e := range events {
				if err := w.Write(e); err != nil {
					var refused *epcis.Error
					require.ErrorAs(t, err, &refused, path)
					require.NotEqual(t, doc.Format, f, "%s: %v", path, err)
					continue
				}
				can = append(can, e)
			}
			require.NoError(t, w.Close())
			_, got, err := read(&text, epcis.Limits{})
			require.NoError(t, err, "%s as %s", path, f)
			require.Empty(t, cmp.Diff(settled(can), settled(got), sameTime, cmpopts.EquateEmpty()), "%s as %s", path, f)
			written[f] += len(got)
		}
	}
	t.Log("events written and read:", written)
	for _, f := range formats {
		require.Greater(t, written[f], 300)
	}
}

// settled is an event as two formats agree on it: without the order of fields
// of other names, and with no word on whether JSON wrote quotes.
func settled(events []*epcis.Event) []*epcis.Event {
	list := make([]*epcis.Event, len(events))
	for i, of := range events {
		e := *of
		e.Faults = nil
		e.Extensions, e.ILMD = settledFields(e.Extensions), settledFields(e.ILMD)
		e.ReadPoint.Extensions = settledFields(e.ReadPoint.Extensions)
		e.BizLocation.Extensions = settledFields(e.BizLocation.Extensions)
		if e.Error != nil {
			d := *e.Error
			d.Extensions = settledFields(d.Extensions)
			e.Error = &d
		}
		e.Sensors = slices.Clone(e.Sensors)
		for k := range e.Sensors {
			s := &e.Sensors[k]
			s.Metadata, s.Extensions, s.Reports = settledFields(s.Metadata), settledFields(s.Extensions), slices.Clone(s.Reports)
			for r := range s.Reports {
				s.Reports[r] = settledFields(s.Reports[r])
			}
		}
		list[i] = &e
	}
	return list
}

func settledFields(fields []epcis.Field) []epcis.Field {
	var list []epcis.Field
	for _, f := range fields {
		if f.Kind == epcis.List && len(f.Children) == 0 {
			continue
		}
		f.Kind = epcis.Text
		f.Attrs, f.Children = settledFields(f.Attrs), settledFields(f.Children)
		list = append(list, f)
	}
	slices.SortStableFunc(list, func(a, b epcis.Field) int {
		return cmpOr(strings.Compare(a.Name.Space, b.Name.Space), strings.Compare(a.Name.Local, b.Name.Local))
	})
	return list
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}
