// Command faults breaks the product in every way the matrix lists while orders
// come in, and writes faults/report.json. It exits 1 when anything was lost,
// done twice, or left open.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/faults"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rows := flag.String("rows", "", "only these, such as F01,F34c; all when empty")
	n := flag.Int("n", 200, "orders a row")
	clients := flag.Int("clients", 8, "clients placing them")
	seed := flag.Uint64("seed", 1, "of the mix of orders")
	out := flag.String("out", "faults/report.json", "where the report goes")
	flag.Parse()

	system, err := devstack.Boot(ctx, devstack.Options{APIs: 2})
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return 3
	}
	defer func() { _ = system.Stop() }()
	defer devstack.RemoveBuilt()
	runner := &faults.Runner{System: system, N: *n, Clients: *clients, Seed: *seed, Talk: os.Stderr}
	report := struct {
		Commit string          `json:"commit"`
		Rows   []faults.Result `json:"rows"`
	}{Commit: commit(ctx)}
	bad := 0
	for _, row := range faults.Rows() {
		if *rows != "" && !wanted(*rows, row.ID) {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		r := runner.Run(ctx, row)
		report.Rows = append(report.Rows, r)
		word := "ok"
		if !r.OK() {
			word = "BROKEN"
			bad++
		}
		fmt.Fprintf(os.Stderr, "%-5s %-6s hits %4d  violations %3d  drained in %5.1f s  %s %v %s\n", r.ID, word, r.Hits, r.Violations, r.Drain, r.What, r.Figures, r.Error)
		for _, v := range r.Found {
			fmt.Fprintln(os.Stderr, "     ", v)
		}
	}
	raw, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		if i := strings.LastIndexByte(*out, '/'); i > 0 {
			err = os.MkdirAll((*out)[:i], 0o755) //nolint:gosec // a report is for everybody
		}
	}
	if err == nil {
		err = os.WriteFile(*out, append(raw, '\n'), 0o644) //nolint:gosec // a report is for everybody
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse: write the report:", err)
		return 3
	}
	if bad > 0 || len(report.Rows) == 0 {
		fmt.Fprintf(os.Stderr, "recourse: %d rows are broken\n", bad)
		return 1
	}
	return 0
}

func wanted(list, id string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.HasPrefix(id, one) {
			return true
		}
	}
	return false
}

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
