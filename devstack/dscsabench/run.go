package dscsabench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/recourse/recourse/devstack/ledgerbench"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
)

// Run measures and prints each result as it is there. The program must hand
// PartCommand to Part.
func Run(ctx context.Context, talk io.Writer, print func(ledgerbench.Line)) error {
	dir, err := os.MkdirTemp("", "recourse-bench-*")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	const pallets = 834
	for _, g := range []dscsatest.Goods{{Units: pallets * dscsatest.PerPallet}, {Units: pallets * 40, Small: true}} {
		if err := reader(ctx, dir, g, talk, print); err != nil {
			return err
		}
	}
	if err := memory(ctx, talk, print); err != nil {
		return err
	}
	return custody(ctx, talk, print)
}

// reader measures reading and checking on one core.
func reader(ctx context.Context, dir string, g dscsatest.Goods, talk io.Writer, print func(ledgerbench.Line)) error {
	raw, events := g.Text()
	asXML, asJSON, empty := filepath.Join(dir, "shipment.xml"), filepath.Join(dir, "shipment.json"), filepath.Join(dir, "empty.xml")
	if err := os.WriteFile(asXML, raw, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(empty, []byte("<a/>\n"), 0o600); err != nil {
		return err
	}
	if err := convert(asXML, asJSON); err != nil {
		return fmt.Errorf("write the document as JSON: %w", err)
	}
	shape := fmt.Sprintf("%d events, %s; processor time of one core", events, g.Shape())
	took := map[string]float64{}
	rate := func(pass, path string) error {
		s, err := part(ctx, "pass", pass, path)
		if err != nil {
			return err
		}
		if s.Events != events {
			return fmt.Errorf("%s found %d of %d events in %s", pass, s.Events, events, path)
		}
		took[pass+filepath.Ext(path)] = float64(events) / s.median().Seconds()
		return nil
	}
	fmt.Fprintf(talk, "recourse: reading %d events, %d kB of XML\n", events, len(raw)>>10)
	for _, x := range [][2]string{{"encoding/xml", asXML}, {"read", asXML}, {"check", asXML}, {"encoding/json", asJSON}, {"read", asJSON}, {"check", asJSON}} {
		if err := rate(x[0], x[1]); err != nil {
			return err
		}
	}
	line := func(bench, ours, baseline, theirs string) {
		print(ledgerbench.Line{
			Bench: bench, Shape: shape, Clients: 1, Value: took[ours], Unit: "events/s", Baseline: baseline, BaselineValue: took[theirs],
		})
	}
	const plain = " Unmarshal into plain structs, no checks"
	line("dscsa.xml.check", "check.xml", "encoding/xml"+plain, "encoding/xml.xml")
	line("dscsa.xml.read", "read.xml", "encoding/xml"+plain, "encoding/xml.xml")
	xmllint, err := exec.LookPath("xmllint")
	if err == nil {
		whole, err := lint(ctx, xmllint, asXML)
		if err != nil {
			return err
		}
		start, err := lint(ctx, xmllint, empty)
		if err != nil {
			return err
		}
		took["libxml2"] = float64(events) / (whole - start).Seconds()
		const streaming = "xmllint --stream --noout, well-formedness only, less its start"
		line("dscsa.xml.check", "check.xml", streaming, "libxml2")
		line("dscsa.xml.read", "read.xml", streaming, "libxml2")
	} else {
		fmt.Fprintln(talk, "recourse: no xmllint here (Debian: libxml2-utils): nothing is compared with libxml2")
	}
	line("dscsa.json.check", "check.json", "encoding/json"+plain, "encoding/json.json")
	line("dscsa.json.read", "read.json", "encoding/json"+plain, "encoding/json.json")
	return nil
}

// convert writes a document as EPCIS 2.0 JSON-LD.
func convert(from, to string) error {
	src, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := os.Create(filepath.Clean(to))
	if err != nil {
		return err
	}
	in, err := epcis.NewReader(src, epcis.Limits{})
	if err != nil {
		return err
	}
	first, err := in.Next() // the header is known with it
	if err != nil {
		return err
	}
	out, err := epcis.NewWriter(dst, epcis.JSON20, in.Document())
	for e := first; err == nil; {
		if err = out.Write(e); err == nil {
			e, err = in.Next()
		}
	}
	if err != io.EOF { //nolint:errorlint // as Next promises
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return dst.Close()
}

// memory measures the most memory a process has while it streams a document.
func memory(ctx context.Context, talk io.Writer, print func(ledgerbench.Line)) error {
	const long, short = 500 << 20, 50 << 20
	for _, way := range []string{"read", "check"} {
		fmt.Fprintf(talk, "recourse: memory, %s\n", way)
		var peaks [2]float64
		for i, size := range []int{long, short} {
			s, err := part(ctx, "memory", way, fmt.Sprint(size))
			if err != nil {
				return err
			}
			peaks[i] = float64(s.Peak) / (1 << 20)
		}
		print(ledgerbench.Line{
			Bench: "dscsa.xml." + way + ".memory", Shape: "500 MB streamed, peak resident memory of the whole process", Clients: 1, Value: peaks[0], Unit: "MB",
			Baseline: "the same with 50 MB", BaselineValue: peaks[1],
		})
	}
	return nil
}
