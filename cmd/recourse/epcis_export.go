package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

const exportUsage = `recourse epcis export [QUERY]

Writes the events that answer a query as one EPCIS document to standard output.
QUERY is that of EPCIS 2.0, as in a URL; without one every event is written:
  recourse epcis export 'MATCH_anyEPC=urn:epc:id:sgtin:036999.0123450.1001'
  recourse epcis export -format xml-1.2 'EQ_bizStep=shipping&GE_eventTime=2026-11-01T00:00:00Z'
`

func exportDocuments(ctx context.Context, std streams, args []string) error {
	f := flags(std, "epcis export")
	f.Usage = func() {
		fmt.Fprint(std.err, exportUsage)
		f.PrintDefaults()
	}
	api := addAPIFlags(f, "operator")
	format := f.String("format", string(epcis.JSON20), "json-2.0, xml-2.0 or xml-1.2")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) > 1 {
		return usagef("give one query, in quotes")
	}
	if !slices.Contains([]epcis.Format{epcis.JSON20, epcis.XML20, epcis.XML12}, epcis.Format(*format)) {
		return usagef("-format is %q: use json-2.0, xml-2.0 or xml-1.2", *format)
	}
	query := url.Values{}
	if len(rest) == 1 {
		if query, err = url.ParseQuery(strings.TrimPrefix(rest[0], "?")); err != nil {
			return usagef("the query cannot be read: %w", err)
		}
	}
	if !query.Has("orderBy") {
		query.Set("orderBy", "eventTime")
		query.Set("orderDirection", "ASC")
	}
	query.Set("perPage", "1000")
	c, err := api.client()
	if err != nil {
		return err
	}
	return c.export(ctx, std.out, epcis.Format(*format), query)
}

// export reads page by page and writes as it reads.
func (c *apiClient) export(ctx context.Context, w io.Writer, format epcis.Format, query url.Values) error {
	var out *epcis.Writer
	for {
		res, raw, err := c.speak(ctx, http.MethodGet, "/epcis/events?"+query.Encode(), nil, "Accept", "application/json", "GS1-EPC-Format", "Never_Translates")
		if err != nil {
			return err
		}
		page, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		for {
			e, err := page.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if out == nil {
				if out, err = c.exported(w, format, page.Document()); err != nil {
					return err
				}
			}
			e.RecordTime = time.Time{} // what another repository would not take
			if err := out.Write(e); err != nil {
				return fmt.Errorf("%w; use another -format", err)
			}
		}
		next := nextPage(res.Header.Get("Link"))
		if next == "" {
			break
		}
		query.Set("nextPageToken", next)
	}
	if out == nil {
		var err error
		if out, err = c.exported(w, format, &epcis.Document{}); err != nil {
			return err
		}
	}
	return out.Close()
}

func (*apiClient) exported(w io.Writer, format epcis.Format, page *epcis.Document) (*epcis.Writer, error) {
	version := "2.0"
	if format == epcis.XML12 {
		version = "1.2"
	}
	out, err := epcis.NewWriter(w, format, &epcis.Document{
		Format: format, Root: "EPCISDocument", SchemaVersion: version, CreationDate: time.Now().UTC(), Namespaces: append(usual(), page.Namespaces...),
	})
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out, nil
}

// usual are the namespaces that everybody knows by their prefix. They are
// declared whatever the first page holds, since the pages after it cannot add
// to the document's head; any other namespace of theirs is declared with the
// event that brings it.
func usual() []epcis.Namespace {
	return []epcis.Namespace{{Prefix: "cbvmda", URI: "urn:epcglobal:cbv:mda"}, {Prefix: "gs1ushc", URI: "http://epcis.gs1us.org/hc/ns"}}
}

// nextPage is the token in a Link header (RFC 8288).
func nextPage(link string) string {
	target, _, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	if !ok {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Query().Get("nextPageToken")
}
