// Command demo shows the main jobs as a person would want to see them: a booking
// that completes, and one whose hotel refuses, in both payment flows; a drug
// transfer with its documents, its return, and two that a licence keeps from
// being shipped. It uses the running stack, or boots one of its own. Exit 0 only if each ended as it
// should.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/recourse/recourse/devstack"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir := flag.String("dir", ".recourse", "folder of the running stack")
	flag.Parse()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()

	dev, err := devstack.ReadDev(*dir)
	if err != nil {
		fmt.Println("Nothing is running in", *dir+"; starting a stack for the demo.")
		system, err := devstack.Boot(ctx, devstack.Options{})
		if err != nil {
			fmt.Fprintln(os.Stderr, "recourse:", err)
			return 3
		}
		defer func() { _ = system.Stop() }()
		if dev, err = system.Dev(); err != nil {
			fmt.Fprintln(os.Stderr, "recourse:", err)
			return 3
		}
	}
	good := true
	for _, s := range stories() {
		if err := s.tell(ctx, dev); err != nil {
			fmt.Printf("\n  This is not how it should have ended: %v\n", err)
			good = false
		}
	}
	if err := trade(ctx, dev); err != nil {
		fmt.Printf("\n  This is not how it should have ended: %v\n", err)
		good = false
	}
	if !good {
		return 1
	}
	fmt.Println("\nAll of them ended as they should.")
	return 0
}
