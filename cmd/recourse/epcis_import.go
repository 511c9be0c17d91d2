package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/recourse/recourse/internal/outbound"
)

const importUsage = `recourse epcis import FILE…

Sends EPCIS documents to the running product and prints one JSON line for each
file: the capture job, the verdict, how many events were stored, the findings.
The same bytes again change nothing. An operator may import for any sender; a
sender nobody has met becomes a partner that is not verified.
Exit code: 0 every file was taken as it is, 1 a file was flagged or rejected, 2
wrong usage, 3 the product cannot be reached.
`

// importedFile is the line that import prints for a file.
type importedFile struct {
	File     string          `json:"file"`
	Job      string          `json:"job"`
	Verdict  string          `json:"verdict"`
	Stored   int             `json:"events_stored"`
	Findings json.RawMessage `json:"findings"`
}

func importDocuments(ctx context.Context, std streams, args []string) error {
	f := flags(std, "epcis import")
	f.Usage = func() {
		fmt.Fprint(std.err, importUsage)
		f.PrintDefaults()
	}
	api := addAPIFlags(f, "operator")
	proceed := f.Bool("proceed", false, "store the events that can be stored though others cannot; else all or nothing")
	files, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("name the files to import")
	}
	c, err := api.client()
	if err != nil {
		return err
	}
	c.http = outbound.Client("recourse-epcis", 3*time.Minute) // a large document takes its time
	out := json.NewEncoder(std.out)
	out.SetEscapeHTML(false)
	problems := 0
	for _, name := range files {
		line, err := c.importFile(ctx, name, *proceed)
		if err != nil {
			return err
		}
		if line.Verdict != "accept" {
			problems++
		}
		if err := out.Encode(line); err != nil {
			return fmt.Errorf("write what was imported: %w", err)
		}
	}
	if problems > 0 {
		return problemsError{problems}
	}
	return nil
}

func (c *apiClient) importFile(ctx context.Context, name string, proceed bool) (importedFile, error) {
	document, err := os.ReadFile(name)
	if err != nil {
		return importedFile{}, usagef("%w", err)
	}
	kind := "application/xml"
	if rest := bytes.TrimLeft(bytes.TrimPrefix(document, []byte("\xef\xbb\xbf")), " \t\r\n"); len(rest) > 0 && rest[0] != '<' && rest[0] < 0x80 {
		kind = "application/json"
	}
	behaviour := "rollback"
	if proceed {
		behaviour = "proceed"
	}
	res, _, err := c.speak(ctx, http.MethodPost, "/epcis/capture", document, "Content-Type", kind, "GS1-Capture-Error-Behaviour", behaviour)
	if err != nil {
		return importedFile{}, fmt.Errorf("%s: %w", name, err)
	}
	id := res.Header.Get("Location")
	id = id[strings.LastIndexByte(id, '/')+1:]
	_, raw, err := c.speak(ctx, http.MethodGet, "/epcis/capture/"+url.PathEscape(id), nil, "Accept", "application/json")
	if err != nil {
		return importedFile{}, fmt.Errorf("%s: %w", name, err)
	}
	var job struct {
		Verdict  string          `json:"verdict"`
		Stored   int             `json:"eventsStored"`
		Findings json.RawMessage `json:"findings"`
	}
	if err := json.Unmarshal(raw, &job); err != nil {
		return importedFile{}, errors.New("the API's answer is not the JSON this program knows: are both of one version?")
	}
	return importedFile{File: name, Job: id, Verdict: job.Verdict, Stored: job.Stored, Findings: job.Findings}, nil
}

// speak sends a request in the dialect of EPCIS and takes the answer whole.
func (c *apiClient) speak(ctx context.Context, method, path string, body []byte, header ...string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, usagef("the address of the API is wrong: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, nil, unreachableError{fmt.Errorf("the API at %s does not answer: %w", c.base, err)}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, unreachableError{fmt.Errorf("the API's answer broke off: %w", err)}
	}
	if res.StatusCode < 300 {
		return res, raw, nil
	}
	var p problem
	if err := json.Unmarshal(raw, &p); err != nil || p.Title == "" {
		return nil, nil, fmt.Errorf("the API answered %s", res.Status)
	}
	if res.StatusCode == http.StatusServiceUnavailable {
		return nil, nil, unreachableError{p}
	}
	return nil, nil, p
}
