// Command recourse is the whole product in one binary: the API, the worker and
// the tools of the people who look after them.
//
// Stdout is data, stderr is talk. Exit codes: 0 ok, 1 problems found, 2 wrong
// usage or settings, 3 something needed could not be reached.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
)

// version is set by the linker.
var version = "dev"

// The exit codes of every subcommand.
const (
	exitOK          = 0
	exitProblems    = 1
	exitUsage       = 2
	exitUnreachable = 3
)

// A command is one subcommand. run gets the arguments after its name.
type command struct {
	summary string
	example string
	run     func(ctx context.Context, std streams, args []string) error
}

// streams are where a command talks: data to out, everything else to err.
type streams struct {
	out io.Writer
	err io.Writer
}

func commands() map[string]command {
	return map[string]command{
		"serve":     {"run the API", "recourse serve", serve},
		"worker":    {"run sagas: workflows, activities, starter and sweeper", "recourse worker", work},
		"migrate":   {"bring the database to this program's schema", "recourse migrate up", migrate},
		"sim":       {"run the Stripe and participant simulators", "recourse sim -stripe 127.0.0.1:12111 -participants 127.0.0.1:12112", simulate},
		"keys":      {"create, list and revoke API keys", "recourse keys create -tenant 'Demo Marketplace' -role marketplace", keys},
		"saga":      {"list, show, cancel and resolve sagas", "recourse saga list -status attention", sagas},
		"ledger":    {"read the books and propose what goes into them", "recourse ledger trial-balance -output csv", books},
		"report":    {"finance's reports as table, JSON, CSV or XLSX", "recourse report trial_balance -period 2026-10 -output xlsx -file trial-balance.xlsx", reports},
		"period":    {"show, close and reopen accounting periods", "recourse period close 2026-10 -reason 'month end'", periods},
		"approvals": {"list, show and decide what others proposed", "recourse approvals approve apr_…", approvals},
		"epcis":     {"check, import and export EPCIS documents", "recourse epcis validate shipment.xml", documents},
		"custody":   {"how long records are kept, legal holds, purges", "recourse custody purge -dry-run", custody},
		"trace":     {"where a lot is, or what happened to a unit", "recourse trace lot -gtin 00369991234505 -lot AB1234", trace},
		"verify":    {"recompute the books and custody: chains, trees, checkpoints", "recourse verify -output json", verify},

		"sealer":       {"sign checkpoints of books and custody; sealer key makes its key", "recourse sealer key -name books.example.com/ledger -file ledger.key", runSealer},
		"witness":      {"co-sign checkpoints; witness key makes its key", "recourse witness key -name witness.example.com/w1 -file witness.key -state witness.json", runWitness},
		"prove":        {"print the proof of a transaction, an event or a purge, to be checked offline", "recourse prove transaction txn_0190a000-0000-7000-8000-000000000001 > proof.json", prove},
		"verify-proof": {"check a proof: no database, no network", "recourse verify-proof proof.json -key ledger.pub", verifyProof},
	}
}

// usageError is a mistake in how a command was called or set up.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// problemsError means the command worked and found something wrong.
type problemsError struct{ n int }

func (e problemsError) Error() string { return fmt.Sprintf("%d problems found", e.n) }

// unreachableError means that something the command needs did not answer.
type unreachableError struct{ err error }

func (e unreachableError) Error() string { return e.err.Error() }
func (e unreachableError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, streams{os.Stdout, os.Stderr}, os.Args[1:]))
}

func run(ctx context.Context, std streams, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(std.err)
		if len(args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	if args[0] == "version" || args[0] == "--version" {
		fmt.Fprintln(std.out, version)
		return exitOK
	}
	c, ok := commands()[args[0]]
	if !ok {
		fmt.Fprintf(std.err, "recourse: there is no command %q\n\n", args[0])
		usage(std.err)
		return exitUsage
	}
	err := c.run(ctx, std, args[1:])
	var asked usageError
	var found problemsError
	var away unreachableError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(std.err, "example:\n  %s\n", c.example)
		return exitOK
	case errors.As(err, &asked):
		fmt.Fprintf(std.err, "recourse %s: %v\nexample:\n  %s\n", args[0], err, c.example)
		return exitUsage
	case errors.As(err, &found):
		fmt.Fprintf(std.err, "recourse %s: %v\n", args[0], err)
		return exitProblems
	case errors.As(err, &away):
		fmt.Fprintf(std.err, "recourse %s: %v\n", args[0], err)
		return exitUnreachable
	default:
		fmt.Fprintf(std.err, "recourse %s: %v\n", args[0], err)
		return exitProblems
	}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "recourse <command> [flags]")
	fmt.Fprintln(w)
	all := commands()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "  %-12s %s\n", name, all[name].summary)
	}
	fmt.Fprintln(w, "\nrecourse <command> -h shows a command's flags and an example.")
}

// flags makes a flag set that reports its errors instead of leaving.
func flags(std streams, name string) *flag.FlagSet {
	f := flag.NewFlagSet("recourse "+name, flag.ContinueOnError)
	f.SetOutput(std.err)
	return f
}

// parse reads flags that may stand before or after the positional arguments
// and returns the latter.
func parse(f *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err}
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, f.Arg(0))
		args = f.Args()[1:]
	}
}

// verb takes the first argument as the verb of a command.
func verb(command string, args []string, known ...string) (string, []string, error) {
	for _, k := range known {
		if len(args) > 0 && args[0] == k {
			return k, args[1:], nil
		}
	}
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		return "", nil, flag.ErrHelp
	}
	return "", nil, usagef("say what to do: recourse %s %s", command, strings.Join(known, "|"))
}
