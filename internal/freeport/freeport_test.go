package freeport_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/freeport"
)

func TestAPortIsFreeAndNotOneOfTheSystems(t *testing.T) {
	t.Parallel()
	found := map[int]bool{}
	for range 40 { // what is found is nobody else's for a while
		port, err := freeport.Find(t.Context())
		require.NoError(t, err)
		require.False(t, found[port], "found twice")
		found[port] = true
		require.GreaterOrEqual(t, port, 20_000)
		require.Less(t, port, 32_000)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := freeport.Find(ended)
	require.ErrorIs(t, err, context.Canceled)
}
