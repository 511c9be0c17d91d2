// Command bench measures the running product. Each result is one JSON line with
// its baseline of the same run; talk goes to standard error.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/dscsabench"
	"github.com/recourse/recourse/devstack/ledgerbench"
)

// A line is one result.
type line struct {
	Bench         string  `json:"bench"`
	Shape         string  `json:"shape"`
	Clients       int     `json:"clients"`
	Value         float64 `json:"value"`
	Unit          string  `json:"unit"`
	Baseline      string  `json:"baseline,omitempty"`
	BaselineValue float64 `json:"baseline_value,omitempty"`
	Ratio         float64 `json:"ratio,omitempty"`
}

func print(l line) {
	if l.BaselineValue > 0 {
		l.Ratio = l.Value / l.BaselineValue
	}
	raw, err := json.Marshal(l)
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return
	}
	fmt.Println(string(raw))
}

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bench := flag.String("bench", "all", "which family: booking, ledger, dscsa, or all")
	n := flag.Int("n", 100, "bookings measured one after another")
	load := flag.Int("load", 500_000, "transfers that make the ledger's history")
	flag.Parse()
	if flag.Arg(0) == dscsabench.PartCommand {
		if err := dscsabench.Part(flag.Args()[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "recourse:", err)
			return 1
		}
		return 0
	}
	if !slices.Contains([]string{"all", "booking", "ledger", "dscsa"}, *bench) {
		fmt.Fprintf(os.Stderr, "recourse: there is no benchmark %q; there are booking, ledger and dscsa\n", *bench)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, time.Hour+time.Duration(*load)*time.Second/2000) // at the least that a loaded machine does
	defer cancel()
	printed := func(l ledgerbench.Line) {
		print(line{Bench: l.Bench, Shape: l.Shape, Clients: l.Clients, Value: l.Value, Unit: l.Unit, Baseline: l.Baseline, BaselineValue: l.BaselineValue})
	}
	if *bench == "all" || *bench == "dscsa" {
		if err := dscsabench.Run(ctx, os.Stderr, printed); err != nil {
			fmt.Fprintln(os.Stderr, "recourse:", err)
			return 1
		}
	}
	if *bench == "dscsa" {
		return 0
	}
	if *bench != "booking" {
		if err := ledgerbench.Run(ctx, *load, os.Stderr, printed); err != nil {
			fmt.Fprintln(os.Stderr, "recourse:", err)
			return 1
		}
	}
	system, err := devstack.Boot(ctx, devstack.Options{Durable: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return 3
	}
	defer func() { _ = system.Stop() }()
	dev, err := system.Dev()
	if err == nil && *bench != "booking" {
		err = ledgerbench.RunHTTP(ctx, dev.Postgres, dev.API, dev.Keys["marketplace"], os.Stderr, printed)
	}
	if err == nil && *bench != "ledger" {
		err = booking(ctx, dev, *n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return 1
	}
	return 0
}
