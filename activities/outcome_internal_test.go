package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAttemptsAreSpread(t *testing.T) {
	t.Parallel()
	for attempt, middle := range map[int32]time.Duration{1: shortest, 2: 2 * shortest, 4: 8 * shortest, 7: longest, 1000: longest} {
		low, high := time.Hour, time.Duration(0)
		for range 1000 {
			wait := spread(attempt)
			low, high = min(low, wait), max(high, wait)
			require.GreaterOrEqual(t, wait, middle/2)
			require.Less(t, wait, middle/2+middle)
		}
		require.Less(t, low, middle*6/10, "attempt %d: all waits are long", attempt)
		require.Greater(t, high, middle*14/10, "attempt %d: all waits are short", attempt)
	}
}
