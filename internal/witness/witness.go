package witness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/recourse/recourse/seal"
)

// Config is what a witness is told.
type Config struct {
	Key   *seal.Key
	State string           // file; made by Create
	Logs  []seal.PublicKey // whose checkpoints it co-signs: all origins below each key's name
	Now   func() time.Time
	Log   *slog.Logger
}

// Witness is the HTTP handler of one witness.
type Witness struct {
	cfg   Config
	state *state
	mux   *http.ServeMux
}

// New opens the witness's state. Close it in the end.
func New(cfg Config) (*Witness, error) {
	s, err := open(cfg.State, cfg.Key.PublicKey)
	if err != nil {
		return nil, err
	}
	w := &Witness{cfg: cfg, state: s, mux: http.NewServeMux()}
	w.mux.HandleFunc("POST /add-checkpoint", w.add)
	w.mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusOK) })
	return w, nil
}

// Close gives the state back.
func (w *Witness) Close() error { return w.state.close() }

// ServeHTTP is http.Handler.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.mux.ServeHTTP(rw, r) }

// refusal is an answer other than 200.
type refusal struct {
	status int
	body   string
	size   bool // the body is a tree size
}

func (e *refusal) Error() string { return e.body }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, body: fmt.Sprintf(format, args...)}
}

func (w *Witness) add(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, seal.MaxSubmission))
	if err != nil {
		err = refuse(http.StatusBadRequest, "%v", seal.ErrSubmission)
	}
	var line string
	if err == nil {
		line, err = w.cosign(r.Context(), body)
	}
	var no *refusal
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(rw, line) // whoever has gone asks again
	case errors.As(err, &no) && no.size:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(no.status)
		_, _ = io.WriteString(rw, no.body+"\n")
	case errors.As(err, &no):
		http.Error(rw, no.body, no.status)
	default:
		w.cfg.Log.ErrorContext(r.Context(), "a checkpoint was not co-signed", slog.Any("error", err))
		http.Error(rw, "the witness cannot keep its memory just now", http.StatusInternalServerError)
	}
}

// cosign is one submission from its body to the line that is answered.
func (w *Witness) cosign(ctx context.Context, body []byte) (string, error) {
	s, err := seal.ParseSubmission(body)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "%v", err)
	}
	said, err := seal.Peek(s.Signed)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "%v", err)
	}
	next, err := w.signedByItsLog(said, s.Signed)
	if err != nil {
		return "", err
	}
	if s.Old > next.Size {
		return "", refuse(http.StatusBadRequest, "the old size %d is above the checkpoint's %d", s.Old, next.Size)
	}
	// One at a time: comparing with the last one and recording the next are one
	// step.
	w.state.mu.Lock()
	defer w.state.mu.Unlock()
	last, known := w.state.last[next.Origin]
	if s.Old != last.Size {
		return "", &refusal{status: http.StatusConflict, body: strconv.FormatInt(last.Size, 10), size: true}
	}
	if known && last.Size == next.Size && last.Root != next.Root {
		w.fork(ctx, last, next)
		return "", &refusal{status: http.StatusConflict, body: strconv.FormatInt(last.Size, 10), size: true}
	}
	if err := seal.CheckConsistency(s.Proof, last, next); err != nil {
		w.fork(ctx, last, next)
		return "", refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	if !known || last.Size != next.Size {
		if err := w.state.put(w.cfg.Key.String(), next); err != nil {
			return "", err
		}
	}
	return seal.Cosign(next, w.cfg.Key, w.cfg.Now().UTC())
}

func (w *Witness) signedByItsLog(said seal.Checkpoint, signed []byte) (seal.Checkpoint, error) {
	known := false
	for _, log := range w.cfg.Logs {
		if !log.Signs(said.Origin) {
			continue
		}
		known = true
		if opened, err := seal.Open(signed, log); err == nil {
			return opened.Checkpoint, nil
		}
	}
	if !known {
		return seal.Checkpoint{}, refuse(http.StatusNotFound, "this witness does not know the origin %q", said.Origin)
	}
	return seal.Checkpoint{}, refuse(http.StatusForbidden, "the checkpoint is not signed by the key of its origin")
}

// fork is the alarm: a log has signed what does not continue what it signed.
func (w *Witness) fork(ctx context.Context, last, next seal.Checkpoint) {
	w.cfg.Log.ErrorContext(ctx, "ALARM: a log shows a history that does not continue the one it showed before",
		slog.String("origin", next.Origin), slog.Int64("last_size", last.Size), slog.String("last_root", last.Root.String()),
		slog.Int64("next_size", next.Size), slog.String("next_root", next.Root.String()))
}
