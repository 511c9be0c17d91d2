// Command devstack brings the whole product up on this machine.
//
//	devstack up      everything, until Ctrl-C
//	devstack stack   Temporal and the simulators; started by up
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/recourse/recourse/devstack"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: devstack up [flags]")
		return 2
	}
	var err error
	switch os.Args[1] {
	case "up":
		f := flag.NewFlagSet("devstack up", flag.ContinueOnError)
		cfg, wrong := devstack.Flags(f, os.Args[2:])
		if errors.Is(wrong, flag.ErrHelp) {
			return 0
		}
		if wrong != nil {
			fmt.Fprintln(os.Stderr, "devstack up:", wrong)
			return 2
		}
		err = devstack.Up(ctx, cfg, os.Stdout)
	case "stack":
		err = devstack.RunStack(ctx, os.Stdout)
	default:
		fmt.Fprintf(os.Stderr, "devstack: there is no command %q; use up\n", os.Args[1])
		return 2
	}
	var inUse devstack.PortInUseError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &inUse):
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return 2
	default:
		fmt.Fprintln(os.Stderr, "recourse:", err)
		return 1
	}
}
