package witness_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/witness"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/seal"
)

// tree is a small log: fewer leaves than a tile.
type tree []seal.Hash

func (l tree) Hashes(_ context.Context, _ int, from, to int64) ([]seal.Hash, error) {
	return l[from:to], nil
}

func grow(n int, salt string) tree {
	var l tree
	for i := range n {
		l = append(l, seal.Leaf(sha256.Sum256(fmt.Appendf(nil, "%s %d", salt, i))))
	}
	return l
}

type fixture struct {
	t      *testing.T
	log    *seal.Key
	key    *seal.Key
	state  string
	origin string
	now    time.Time
}

func setUp(t *testing.T) fixture {
	t.Helper()
	log, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	key, err := seal.NewKey("witness.example/w1", seal.ForWitness)
	require.NoError(t, err)
	f := fixture{
		t: t, log: log, key: key, state: filepath.Join(t.TempDir(), "state.json"),
		origin: ledger.Main(uuid.New()).Origin(log.Name), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
	}
	require.NoError(t, witness.Create(f.state, key.PublicKey))
	return f
}

func (f fixture) open() *witness.Witness {
	f.t.Helper()
	w, err := witness.New(witness.Config{
		Key: f.key, State: f.state, Logs: []seal.PublicKey{f.log.PublicKey}, Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = w.Close() })
	return w
}

func (f fixture) signed(l tree, size int64) (seal.Checkpoint, []byte) {
	f.t.Helper()
	c, err := seal.Advance(f.t.Context(), l, f.origin, size)
	require.NoError(f.t, err)
	signed, err := seal.Sign(c, f.log)
	require.NoError(f.t, err)
	return c, signed
}

func (f fixture) submission(l tree, old, size int64) []byte {
	f.t.Helper()
	_, signed := f.signed(l, size)
	var proof []seal.Hash
	if old <= size {
		var err error
		proof, err = seal.ProveConsistency(f.t.Context(), l, old, size)
		require.NoError(f.t, err)
	}
	return seal.Submission{Old: old, Proof: proof, Signed: signed}.Bytes()
}

func submit(t *testing.T, w http.Handler, body []byte) (int, string, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(string(body))))
	return rec.Code, rec.Body.String(), rec.Header().Get("Content-Type")
}

func TestAWitnessCosignsOneConsistentHistory(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w := f.open()
	l, other := grow(200, "a"), grow(200, "b")

	status, line, _ := submit(t, w, f.submission(l, 0, 10))
	require.Equal(t, 200, status)
	_, signed := f.signed(l, 10)
	opened, err := seal.Open(append(signed, line...), f.log.PublicKey, f.key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, []seal.Cosignature{{Name: f.key.Name, Time: f.now, Line: line}}, opened.Cosigned)

	for _, c := range []struct {
		name   string
		body   []byte
		status int
		size   string
	}{
		{"the same again, from the size it is at", f.submission(l, 10, 10), 200, ""},
		{"an old size it is not at", f.submission(l, 5, 20), 409, "10\n"},
		{"a first submission when it knows the log", f.submission(l, 0, 20), 409, "10\n"},
		{"the same size with another root", f.submission(other, 10, 10), 409, "10\n"},
		{"another history", f.submission(other, 10, 20), 422, ""},
		{"a wrong proof", seal.Submission{Old: 10, Proof: other[:4], Signed: second(f.signed(l, 20))}.Bytes(), 422, ""},
		{"an old size above the new", f.submission(l, 10, 9), 400, ""},
		{"no submission", []byte("old x\n\n"), 400, ""},
		{"no checkpoint", []byte("old 10\n\nhello\n"), 400, ""},
		{"too long", []byte("old 10\n\n" + strings.Repeat("x", seal.MaxSubmission)), 400, ""},
		{"the log's own next", f.submission(l, 10, 200), 200, ""},
		{"going back", f.submission(l, 10, 20), 409, "200\n"},
	} {
		status, body, kind := submit(t, w, c.body)
		require.Equal(t, c.status, status, "%s: %s", c.name, body)
		if c.size != "" {
			require.Equal(t, c.size, body, c.name)
			require.Equal(t, "text/x.tlog.size", kind)
		}
	}
	t.Run("an unknown origin", func(t *testing.T) {
		t.Parallel()
		stranger := f
		var err error
		stranger.log, err = seal.NewKey("strangers.example/ledger", seal.ForLog)
		require.NoError(t, err)
		stranger.origin = ledger.Main(uuid.New()).Origin(stranger.log.Name)
		status, _, _ := submit(t, w, stranger.submission(l, 0, 1))
		require.Equal(t, 404, status)
	})
	t.Run("a known origin by another key", func(t *testing.T) {
		t.Parallel()
		stranger := f
		var err error
		stranger.log, err = seal.NewKey(f.log.Name, seal.ForLog)
		require.NoError(t, err)
		status, _, _ := submit(t, w, stranger.submission(l, 200, 200))
		require.Equal(t, 403, status)
	})
	t.Run("other methods and paths", func(t *testing.T) {
		t.Parallel()
		for path, want := range map[string]int{"/add-checkpoint": 405, "/": 404, "/healthz": 200} {
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			require.Equal(t, want, rec.Code, path)
		}
	})
}

func second(_ seal.Checkpoint, signed []byte) []byte { return signed }

func TestAWitnessRemembersOverARestart(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	l, other := grow(50, "a"), grow(50, "b")
	w := f.open()
	status, _, _ := submit(t, w, f.submission(l, 0, 10))
	require.Equal(t, 200, status)
	_, err := witness.New(witness.Config{Key: f.key, State: f.state})
	require.ErrorContains(t, err, "another witness", "two never work on one memory")
	require.NoError(t, w.Close())

	w = f.open()
	status, body, _ := submit(t, w, f.submission(other, 0, 20))
	require.Equal(t, 409, status)
	require.Equal(t, "10\n", body)
	status, _, _ = submit(t, w, f.submission(l, 10, 20))
	require.Equal(t, 200, status)
	require.NoError(t, w.Close())

	require.ErrorContains(t, witness.Create(f.state, f.key.PublicKey), "there already")
	stranger, err := seal.NewKey(f.key.Name, seal.ForWitness)
	require.NoError(t, err)
	_, err = witness.New(witness.Config{Key: stranger, State: f.state})
	require.ErrorContains(t, err, "another key")
	require.NoError(t, os.WriteFile(f.state, []byte("{"), 0o600))
	_, err = witness.New(witness.Config{Key: f.key, State: f.state})
	require.ErrorContains(t, err, "damaged")
}

func TestAWitnessThatCannotRememberDoesNotSign(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w := f.open()
	require.NoError(t, os.Mkdir(f.state+".new", 0o700)) // the next state cannot be written
	status, body, _ := submit(t, w, f.submission(grow(3, "a"), 0, 3))
	require.Equal(t, 500, status)
	require.NotContains(t, body, "—")
	require.NoError(t, os.Remove(f.state+".new"))
	status, _, _ = submit(t, w, f.submission(grow(3, "b"), 0, 3))
	require.Equal(t, 200, status, "it has not co-signed the first")
}

// Two histories race for the same witness: one wins.
func TestTwoHistoriesAtOnceAreOneHistory(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	srv := httptest.NewServer(f.open())
	t.Cleanup(srv.Close)
	bodies := [][]byte{f.submission(grow(9, "a"), 0, 9), f.submission(grow(9, "b"), 0, 9)}
	var mu sync.Mutex
	won := map[int]int{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/add-checkpoint", strings.NewReader(string(bodies[i%2])))
			if err != nil {
				return
			}
			res, err := srv.Client().Do(req)
			if err != nil {
				return
			}
			defer func() { _ = res.Body.Close() }()
			_, _ = io.Copy(io.Discard, res.Body)
			if res.StatusCode == 200 {
				mu.Lock()
				defer mu.Unlock()
				won[i%2]++
			}
		})
	}
	wg.Wait()
	require.Len(t, won, 1)
}
