package epcis_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/epcis/epcistest"
)

// What is written is valid against the standard's own schemas: generated
// documents of both kinds, and what the pack holds written in every format.
func TestWhatIsWrittenIsValid(t *testing.T) {
	t.Parallel()
	root := pack(t)
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			validate := validator(t, root, f)
			var documents, queries [][]byte
			add := func(text []byte) {
				if bytes.Contains(text[:min(len(text), 400)], []byte("EPCISQueryDocument")) {
					queries = append(queries, text)
				} else {
					documents = append(documents, text)
				}
			}
			rapid.Check(t, func(t *rapid.T) {
				doc := epcistest.Document(f).Draw(t, "document")
				events := rapid.SliceOfN(epcistest.Event(f), 0, 3).Draw(t, "events")
				text, err := write(f, doc, events...)
				require.NoError(t, err)
				add(text)
			})
			for _, root := range []string{"EPCISDocument", "EPCISQueryDocument"} { // whatever was drawn
				text, err := write(f, &epcis.Document{Root: root, CreationDate: noon}, observed(nil))
				require.NoError(t, err)
				add(text)
			}
			validate(documents, false)
			validate(queries, true)
		})
	}
}

// jsonSchemaMissesPart are documents with a persistentDisposition in an event
// type that the JSON schema's list of member names leaves it out of. The standard
// (EPCIS 2.0 section 7.4.1, of all events) and the XSD have it there, and so do we.
var jsonSchemaMissesPart = map[string]bool{
	"oepcis_AggregationEvent_with_persistentDisposition.xml": true,
}

func TestExamplesAreValidWhenWritten(t *testing.T) {
	t.Parallel()
	root := pack(t)
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			validate := validator(t, root, f)
			var documents [][]byte
			for _, path := range slices.Concat(examples(t, root), jsonExamples(t, root)) {
				doc, events, err := readFile(t, filepath.Join(root, path))
				if err != nil || len(events) == 0 || f == epcis.JSON20 && jsonSchemaMissesPart[filepath.Base(path)] {
					continue
				}
				var b bytes.Buffer
				w, err := epcis.NewWriter(&b, f, &epcis.Document{CreationDate: time.Unix(0, 0).UTC(), Namespaces: doc.Namespaces})
				require.NoError(t, err)
				for _, e := range events {
					if err := w.Write(e); err != nil {
						var refused *epcis.Error
						require.ErrorAs(t, err, &refused)
					}
				}
				require.NoError(t, w.Close())
				documents = append(documents, b.Bytes())
			}
			require.Greater(t, len(documents), 100)
			validate(documents, false)
		})
	}
}

// validator checks documents against the schema of a format.
func validator(t *testing.T, root string, f epcis.Format) func(documents [][]byte, queries bool) {
	t.Helper()
	if f == epcis.JSON20 {
		schema := jsonSchema(t, root)
		return func(documents [][]byte, _ bool) {
			for _, text := range documents {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				require.NoError(t, err)
				require.NoError(t, schema.Validate(v), "%s", text)
			}
		}
	}
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	schemas := map[epcis.Format][2]string{
		epcis.XML12: {"xsd-1.2/EPCglobal-epcis-1_2.xsd", "xsd-1.2/EPCglobal-epcis-query-1_2.xsd"},
		epcis.XML20: {"xsd-2.0/EPCglobal-epcis-2_0.xsd", "xsd-2.0/EPCglobal-epcis-query-2_0.xsd"},
	}
	return func(documents [][]byte, queries bool) {
		dir := t.TempDir()
		args := []string{"--noout", "--nonet", "--schema", filepath.Join(root, "schemas", schemas[f][0])}
		if queries {
			args[3] = filepath.Join(root, "schemas", schemas[f][1])
		}
		for i, text := range documents {
			path := filepath.Join(dir, strconv.Itoa(i)+".xml")
			require.NoError(t, os.WriteFile(path, text, 0o600))
			args = append(args, path)
		}
		out, err := exec.Command(xmllint, args...).CombinedOutput()
		var wrong []string
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(line, " validates\n") {
				wrong = append(wrong, line)
			}
		}
		require.Empty(t, wrong)
		require.NoError(t, err)
	}
}

func jsonSchema(t *testing.T, root string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "schemas", "json-2.0", "EPCIS-JSON-Schema.json"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	raw, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(lookahead)
	c.AssertFormat()
	require.NoError(t, c.AddResource("epcis.json", raw))
	schema, err := c.Compile("epcis.json")
	require.NoError(t, err)
	return schema
}

// lookahead runs the schema's patterns, which say "not one of these" in a way
// Go's expressions have no word for.
func lookahead(pattern string) (jsonschema.Regexp, error) {
	body, negated := strings.CutPrefix(pattern, "^(?!(")
	if !negated {
		return regexp.Compile(pattern)
	}
	re, err := regexp.Compile("^(?:" + strings.TrimSuffix(body, "))") + ")")
	return noneOf{re}, err
}

type noneOf struct{ *regexp.Regexp }

func (n noneOf) MatchString(s string) bool { return !n.Regexp.MatchString(s) }

// EPCISHeader of 2.0 has no place for the transaction statement: it stands
// beside the body, where partners put it, and is read from there.
func TestStatementBesideTheBody(t *testing.T) {
	t.Parallel()
	root := pack(t)
	for _, f := range formats[1:] {
		doc := &epcis.Document{
			CreationDate: noon, HeaderFields: epcistest.Statement(),
			Header: epcistest.Header("urn:epc:id:sgln:0369999.00001.0", "urn:epc:id:sgln:0860001234.10.0", "D-1", noon),
		}
		text, err := write(f, doc, observed(nil))
		require.NoError(t, err)
		validator(t, root, f)([][]byte{text}, false)
		got, _, err := read(bytes.NewReader(text), epcis.Limits{})
		require.NoError(t, err)
		require.Equal(t, doc.HeaderFields, got.Extensions)
		require.Equal(t, doc.Header.Sender[0].ID, got.Header.Sender[0].ID)
	}
}
