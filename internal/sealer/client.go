package sealer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/recourse/recourse/internal/outbound"
	"github.com/recourse/recourse/seal"
)

// Witness is one that is asked to co-sign.
type Witness struct {
	URL string // submission prefix
	Key seal.PublicKey

	http *http.Client

	mu sync.Mutex
	at map[string]int64 // the size it is at, by origin, as far as is known
}

// NewWitness returns the client of a witness.
func NewWitness(url string, key seal.PublicKey) *Witness {
	return &Witness{URL: strings.TrimSuffix(url, "/"), Key: key, http: outbound.Client("witness "+key.Name, 5*time.Second), at: map[string]int64{}}
}

// ErrFork means that a witness has seen another history of the chain.
var ErrFork = errors.New("a witness has seen another history of this chain")

// aheadError says that a witness has co-signed a larger tree.
type aheadError struct{ size int64 }

func (e *aheadError) Error() string { return fmt.Sprintf("the witness is at %d already", e.size) }

// proveFrom makes the proof from a size to the submitted checkpoint's.
type proveFrom func(ctx context.Context, old int64) ([]seal.Hash, error)

// Submit asks for a cosignature. The witness says which size it is at, and
// gets the proof from there.
func (w *Witness) Submit(ctx context.Context, c seal.Checkpoint, signed []byte, log seal.PublicKey, prove proveFrom) (seal.Cosignature, error) {
	for range 2 {
		old := min(w.size(c.Origin), c.Size)
		proof, err := prove(ctx, old)
		if err != nil {
			return seal.Cosignature{}, err
		}
		status, answer, err := w.post(ctx, seal.Submission{Old: old, Proof: proof, Signed: signed})
		if err != nil {
			return seal.Cosignature{}, err
		}
		switch status {
		case http.StatusOK:
			opened, err := seal.Open(append(bytes.Clone(signed), answer...), log, w.Key)
			if err != nil || len(opened.Cosigned) == 0 {
				return seal.Cosignature{}, fmt.Errorf("the witness %s answered without its cosignature: %w", w.Key.Name, err)
			}
			w.isAt(c.Origin, c.Size)
			return opened.Cosigned[len(opened.Cosigned)-1], nil
		case http.StatusConflict:
			size, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
			if err != nil {
				return seal.Cosignature{}, fmt.Errorf("the witness %s answered 409 without its size", w.Key.Name)
			}
			if size > c.Size {
				return seal.Cosignature{}, &aheadError{size}
			}
			if size == old {
				return seal.Cosignature{}, fmt.Errorf("%w: %s is at %d and does not take %d", ErrFork, w.Key.Name, size, c.Size)
			}
			w.isAt(c.Origin, size)
		case http.StatusUnprocessableEntity:
			return seal.Cosignature{}, fmt.Errorf("%w: %s does not find that %d continues %d", ErrFork, w.Key.Name, c.Size, old)
		default:
			return seal.Cosignature{}, fmt.Errorf("the witness %s answered %d: %.200s", w.Key.Name, status, answer)
		}
	}
	return seal.Cosignature{}, fmt.Errorf("the witness %s moves faster than this sealer: another one is at work", w.Key.Name)
}

func (w *Witness) size(origin string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at[origin]
}

func (w *Witness) isAt(origin string, size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[origin] = size
}

func (w *Witness) post(ctx context.Context, s seal.Submission) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+"/add-checkpoint", bytes.NewReader(s.Bytes()))
	if err != nil {
		return 0, nil, fmt.Errorf("ask the witness %s: %w", w.Key.Name, err)
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	res, err := w.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("the witness %s does not answer: %w", w.Key.Name, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("the answer of the witness %s broke off: %w", w.Key.Name, err)
	}
	return res.StatusCode, answer, nil
}
