// Package freeport finds a loopback port that a process started a moment later
// can listen on. The system hands out ports from 32768 on to outgoing
// connections, so a port it names as free may be taken before the process has
// started; these are below that range, and drawn at random, so that systems
// that start side by side do not meet.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

const (
	lowest = 20_000
	count  = 12_000
	tries  = 100
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
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("let go of port %d: %w", port, err)
		}
		return port, nil
	}
	return 0, errNone
}
