package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/report"
)

const reportOutputs = "table, json, csv or xlsx"

// reports is recourse report NAME.
func reports(ctx context.Context, std streams, args []string) error {
	var names []string
	for _, d := range report.Definitions() {
		names = append(names, string(d.Name))
	}
	name, args, err := verb("report", args, names...)
	if err != nil {
		return err
	}
	return runReport(ctx, std, "report "+name, name, args)
}

func runReport(ctx context.Context, std streams, command, name string, args []string) error {
	f := flags(std, command)
	api := addAPIFlags(f, "finance_preparer")
	values := map[string]*string{
		"period":      f.String("period", "", "accounting period, such as 2026-10"),
		"from":        f.String("from", "", "instead of -period: recorded at or after this UTC time (2026-10-01T00:00:00Z)"),
		"to":          f.String("to", "", "and before this one"),
		"account":     f.String("account", "", "only this account, such as 1020"),
		"currency":    f.String("currency", "", "only this currency (ISO 4217, lower case)"),
		"transaction": f.String("transaction", "", "for audit_trail: the transaction (txn_…) or its number"),
		"line":        f.String("line", "", "for audit_trail: one line of it"),
		"entity":      f.String("entity", "", "legal entity; main if left out"),
	}
	output := f.String("output", "table", reportOutputs)
	file := f.String("file", "", "write to this file instead of stdout; it is there whole or not at all")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("%q is too much: use flags", rest[0])
	}
	q := url.Values{"format": {*output}}
	switch {
	case *output == "table":
		q.Set("format", "json")
	case !report.Format(*output).Known():
		return usagef("-output is %q: use %s", *output, reportOutputs)
	}
	for param, value := range values {
		if *value != "" {
			q.Set(param, *value)
		}
	}
	c, err := api.client()
	if err != nil {
		return err
	}
	path := "/v1/reports/" + name + "?" + q.Encode()
	if *output == "table" {
		if *file != "" {
			return usagef("-file is for -output json, csv or xlsx")
		}
		var raw bytes.Buffer
		if err := c.download(ctx, path, &raw); err != nil {
			return err
		}
		return reportTable(std, raw.Bytes())
	}
	if *file == "" {
		return c.download(ctx, path, std.out)
	}
	return c.save(ctx, path, *file)
}

// save downloads into a file that appears when all of it is there.
func (c *apiClient) save(ctx context.Context, path, name string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".report-*")
	if err != nil {
		return usagef("-file cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := errors.Join(c.download(ctx, path, tmp), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// download copies a report to w as it comes, and checks it against the digest
// at its end. A report may take longer than any other answer, so that only the
// time to its beginning is bounded, and may be larger.
func (c *apiClient) download(ctx context.Context, path string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.base, "/")+path, http.NoBody)
	if err != nil {
		return usagef("the address of the API is wrong: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	plain := &http.Client{
		Transport:     &http.Transport{ResponseHeaderTimeout: 3 * time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := plain.Do(req)
	if err != nil {
		return unreachableError{fmt.Errorf("the API at %s does not answer: %w", c.base, err)}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return refusedReport(res)
	}
	digest := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, digest), res.Body); err != nil {
		return unreachableError{fmt.Errorf("the report broke off: %w", err)}
	}
	if want := res.Trailer.Get("Repr-Digest"); want != "sha-256=:"+base64.StdEncoding.EncodeToString(digest.Sum(nil))+":" {
		return unreachableError{errors.New("what came is not what was sent: its digest is another one")}
	}
	return nil
}

// refusedReport is the API's problem.
func refusedReport(res *http.Response) error {
	var p struct {
		problem

		Errors []struct {
			Pointer string `json:"pointer"`
			Detail  string `json:"detail"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p); err != nil || p.Code == "" {
		return fmt.Errorf("the API answered %s", res.Status)
	}
	if p.Status == http.StatusServiceUnavailable {
		return unreachableError{p.problem}
	}
	if len(p.Errors) == 0 {
		return p.problem
	}
	var wrong []string
	for _, e := range p.Errors {
		wrong = append(wrong, strings.TrimPrefix(e.Pointer, "#/parameters/")+" "+e.Detail)
	}
	return usagef("%s", strings.Join(wrong, "; "))
}

// reportTable prints a report for people: rows on stdout, its cover on stderr.
func reportTable(std streams, raw []byte) error {
	var doc struct {
		Columns []struct {
			Name string      `json:"name"`
			Kind report.Kind `json:"kind"`
		} `json:"columns"`
		Rows  []map[string]any `json:"rows"`
		Cover struct {
			Entity      string `json:"entity"`
			Basis       string `json:"basis"`
			Final       bool   `json:"final"`
			GeneratedAt string `json:"generated_at"`
			RowCount    int64  `json:"row_count"`
			Totals      []struct {
				Currency string `json:"currency"`
				Column   string `json:"column"`
				Amount   int64  `json:"amount"`
			} `json:"control_totals"`
			Balanced   *bool `json:"balanced"`
			Checkpoint struct {
				Seq  int64  `json:"seq"`
				Hash string `json:"hash"`
			} `json:"checkpoint"`
			DataSHA256 string `json:"data_sha256"`
		} `json:"cover"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	var s sheet
	for _, c := range doc.Columns {
		s.Columns = append(s.Columns, c.Name)
	}
	for _, r := range doc.Rows {
		currency := fmt.Sprint(r["currency"])
		var row []string
		for _, c := range doc.Columns {
			cell := ""
			if v := r[c.Name]; v != nil {
				cell = fmt.Sprint(v)
			}
			if n, err := strconv.ParseInt(cell, 10, 64); err == nil && c.Kind == report.Money {
				cell = ledger.FormatAmount(n, currency)
			}
			row = append(row, cell)
		}
		s.Rows = append(s.Rows, row)
	}
	if err := s.write(std.out, "table"); err != nil {
		return err
	}
	v := doc.Cover
	fmt.Fprintf(std.err, "\n%d rows of %s by %s, generated %s, final: %t\n", v.RowCount, v.Entity, v.Basis, v.GeneratedAt, v.Final)
	for _, t := range v.Totals {
		fmt.Fprintf(std.err, "total %s %s %s\n", t.Column, ledger.FormatAmount(t.Amount, t.Currency), t.Currency)
	}
	if v.Balanced != nil {
		fmt.Fprintf(std.err, "balanced: %t\n", *v.Balanced)
	}
	fmt.Fprintf(std.err, "checkpoint %d %s\nsha256 of header and rows as CSV: %s\n", v.Checkpoint.Seq, v.Checkpoint.Hash, v.DataSHA256)
	return nil
}
