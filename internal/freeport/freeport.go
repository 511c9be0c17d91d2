// Package freeport finds a loopback port that a process started a moment later
// can listen on. The system hands out ports from 32768 on to outgoing
// connections, so a port it names as free may be taken before the process has
// started; these are below that range, and drawn at random. A port that was
// found is marked in the system's folder for temporary files, so that no other
// process finds it before somebody listens there.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	lowest = 20_000
	count  = 12_000
	tries  = 100

	// kept is how long a port that was found is nobody else's: longer than a
	// process takes to listen on it.
	kept = 5 * time.Minute
)

var errNone = errors.New("no port between 20000 and 32000 is free")

// Find returns a port nobody listens on.
func Find(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	for range tries {
		port := lowest + rand.IntN(count) //nolint:gosec // not a secret
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err != nil {
			continue
		}
		ours := mark(port)
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("let go of port %d: %w", port, err)
		}
		if ours {
			return port, nil
		}
	}
	return 0, errNone
}

// mark makes a port ours, unless somebody else has found it a moment ago. Where
// nothing can be marked, chance has to do.
func mark(port int) bool {
	dir := filepath.Join(os.TempDir(), "recourse-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil { //nolint:gosec // for every user of the machine
		return true
	}
	path := filepath.Join(dir, strconv.Itoa(port))
	if at, err := os.Stat(path); err == nil && time.Since(at.ModTime()) > kept {
		_ = os.Remove(path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return !errors.Is(err, os.ErrExist)
	}
	_ = f.Close()
	return true
}
