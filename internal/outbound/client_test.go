package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/outbound"
	"github.com/recourse/recourse/internal/txguard"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func get(ctx context.Context, t *testing.T, c *http.Client, url string) (int, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	res, err := c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func TestNoCallInsideATransaction(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	_, _, err := get(txguard.Mark(t.Context()), t, outbound.Client("stripe", 30*time.Second), url)
	require.ErrorIs(t, err, txguard.ErrInTransaction)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	status, _, err := get(t.Context(), t, outbound.Client("stripe", 30*time.Second), url)
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, status)
}

func TestALongAnswerIsAnErrorAndNotACutOne(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]error{outbound.MaxAnswer: nil, outbound.MaxAnswer + 1: outbound.ErrTooLong} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(bytes.Repeat([]byte("x"), size))
			if err != nil {
				t.Log(err)
			}
		})
		_, body, err := get(t.Context(), t, outbound.Client("stripe", 30*time.Second), url)
		if want != nil {
			require.ErrorIs(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Len(t, body, size)
	}
}

func TestACallHasADeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	t.Cleanup(func() { close(release) })
	_, _, err := get(t.Context(), t, outbound.Client("stripe", 50*time.Millisecond), url)
	var timeout net.Error
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
}
