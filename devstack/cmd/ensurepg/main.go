// Command ensurepg finds Postgres 15 or later and prints the folder of its
// programs. Where there is none it installs one with the system's package
// manager if that can be done without asking, and says what to type if not.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/recourse/recourse/internal/pglocal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	bin, err := ensure(ctx, pglocal.Find, installers(os.Geteuid() == 0), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "recourse:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
	fmt.Println(bin)
}

// ensure asks find for Postgres, trying each installer in turn while there is none.
func ensure(ctx context.Context, find func() (string, error), ways [][][]string, talk io.Writer) (string, error) {
	bin, err := find()
	for _, way := range ways {
		if err == nil || !errors.Is(err, pglocal.ErrNoPostgres) {
			break
		}
		fmt.Fprintf(talk, "recourse: there is no Postgres here; installing it with %s\n", way[0][0])
		for _, argv := range way {
			cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "HOMEBREW_NO_AUTO_UPDATE=1")
			cmd.Stdout, cmd.Stderr = talk, talk
			if failed := cmd.Run(); failed != nil {
				fmt.Fprintf(talk, "recourse: %s did not succeed: %v\n", argv[0], failed)
				break
			}
		}
		bin, err = find()
	}
	return bin, err
}

// installers are the ways that need no answer from anybody, as lists of
// commands. A package manager other than brew needs root.
func installers(root bool) [][][]string {
	all := [][][]string{}
	add := func(program string, way ...[]string) {
		if _, err := exec.LookPath(program); err == nil {
			all = append(all, way)
		}
	}
	if root {
		add("apt-get", []string{"apt-get", "update", "-q"}, []string{"apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"})
		add("dnf", []string{"dnf", "install", "-y", "postgresql-server"})
		add("apk", []string{"apk", "add", "--no-cache", "postgresql"})
	}
	add("brew", []string{"brew", "install", "postgresql@17"})
	return all
}
