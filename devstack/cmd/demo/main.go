// Command demo shows the main jobs as a person would want to see them: a booking
// that completes, and one whose hotel refuses, in both payment flows; a drug
// transfer with its documents, its return, and two that a licence keeps from
// being shipped; and that everything written of them verifies. It uses the
// running stack, or boots one of its own. Exit 0 only if each ended as it should.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
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
		*dir = system.Dir
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
	if err := verify(ctx, *dir); err != nil {
		fmt.Printf("\n  This is not how it should have ended: %v\n", err)
		good = false
	}
	if !good {
		return 1
	}
	fmt.Println("\nAll of them ended as they should.")
	return 0
}

// verify recomputes what the stories have left behind, with the program beside
// this one.
func verify(ctx context.Context, dir string) error {
	fmt.Print("\nEverything is recomputed and held against the signed checkpoints\n----------------------------------------------------------------\n  recourse verify\n")
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(self), "recourse"), "verify", "-dev", filepath.Join(dir, "dev.json"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return nil
}
