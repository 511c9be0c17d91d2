package epcis_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// tokenizes is what encoding/xml makes of a document.
func tokenizes(document string) error {
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.RawToken(); err != nil { // names are compared by Token below
			if errors.Is(err, io.EOF) {
				break
			}
			return err
		}
	}
	d = xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// excused are documents that are well-formed and that encoding/xml refuses.
func excused(document string, err error) bool {
	for _, c := range document {
		if c > 0x7f { // its names are those of the fourth edition of XML 1.0, ours of the fifth
			return strings.Contains(err.Error(), "invalid XML name") || strings.Contains(err.Error(), "expected element name") ||
				strings.Contains(err.Error(), "expected attribute name")
		}
	}
	return false
}

// readAll goes on after events that are refused.
func readAll(r io.Reader) (doc *epcis.Document, events []*epcis.Event, refusals []*epcis.Error, err error) {
	rd, err := epcis.NewReader(r, epcis.Limits{Event: 1 << 20, Header: 1 << 20})
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		ev, err := rd.Next()
		var refused *epcis.Error
		switch {
		case err == nil:
			events = append(events, ev)
		case errors.Is(err, io.EOF):
			return rd.Document(), events, refusals, nil
		case errors.As(err, &refused) && refused.Resumable:
			refusals = append(refusals, refused)
		default:
			return nil, events, refusals, err
		}
	}
}

// agree requires that what is accepted here is accepted there, and that it does
// not matter in which pieces it comes.
func agree(t *testing.T, document string) (accepted bool) {
	t.Helper()
	doc, events, refusals, err := readAll(strings.NewReader(document))
	slowDoc, slow, slowRefusals, slowErr := readAll(iotest.OneByteReader(strings.NewReader(document)))
	require.Equal(t, err, slowErr)
	require.Equal(t, refusals, slowRefusals)
	require.Empty(t, cmp.Diff(events, slow))
	if err != nil {
		require.NotEmpty(t, err.Error())
		var refused *epcis.Error
		require.ErrorAs(t, err, &refused)
		require.NotEmpty(t, refused.Rule)
		return false
	}
	require.Empty(t, cmp.Diff(doc, slowDoc))
	document = strings.TrimPrefix(document, "\ufeff")
	if strings.HasPrefix(document, "\xff\xfe") || strings.HasPrefix(document, "\xfe\xff") {
		return true // encoding/xml reads no UTF-16
	}
	if err := tokenizes(document); err != nil && !excused(document, err) {
		require.NoError(t, err, "accepted here and refused by encoding/xml:\n%s", document)
	}
	return true
}

func seeds(tb testing.TB) (seeds []string) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.xml"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(tb, err)
		seeds = append(seeds, string(raw))
	}
	for _, tt := range eventCases {
		seeds = append(seeds, tt.document)
	}
	for _, tt := range documentCases {
		seeds = append(seeds, tt.document)
	}
	return seeds
}

// mutate changes a document at a few places, mostly by what means something in
// XML.
func mutate(r *rand.Rand, document string) string {
	pieces := []string{
		"<", ">", "/", "/>", "</", "&", ";", "\"", "'", "=", " ", "\n", "\r", "!", "?", "-", "--", "-->", "<!--", "]]>", "<![CDATA[",
		"<?a?>", "<?xml version=\"1.0\"?>", "<!DOCTYPE a>", "&amp;", "&#65;", "&#x41;", "&#0;", "&a;", ":", "xmlns", "xmlns:", "xml:", "v:",
		"e:", "a", "\x00", "\x7f", "\u0085", "\ufffe", "\xff", "é", "·", "1", "]", "<a/>", "<a>", "</a>", " a=\"b\"", " xmlns=\"\"",
	}
	b := []byte(document)
	for range 1 + r.IntN(3) {
		if len(b) == 0 {
			break
		}
		at := r.IntN(len(b))
		n := min(r.IntN(4), len(b)-at)
		if r.IntN(8) == 0 {
			n = min(r.IntN(60), len(b)-at)
		}
		piece := pieces[r.IntN(len(pieces))]
		if r.IntN(4) == 0 {
			from := r.IntN(len(b))
			piece = string(b[from : from+min(r.IntN(60), len(b)-from)])
		}
		b = append(b[:at:at], append([]byte(piece), b[at+n:]...)...)
	}
	return string(b)
}

func TestWhatIsAcceptedIsWellFormed(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	all := seeds(t)
	rounds := 5_000
	if os.Getenv("RECOURSE_LONG") != "" {
		rounds = 2_000_000
	}
	accepted := 0
	for range rounds {
		if agree(t, mutate(r, all[r.IntN(len(all))])) {
			accepted++
		}
	}
	require.Greater(t, accepted, rounds/50, "too few mutants are accepted to tell anything")
	t.Logf("%d of %d mutants accepted; RECOURSE_LONG=1 tries 2,000,000", accepted, rounds)
}

func FuzzReadXML(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, document []byte) { agree(t, string(document)) })
}
