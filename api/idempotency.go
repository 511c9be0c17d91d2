package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/gowebpki/jcs"
)

// keyKept is how long a key's answer is kept.
const keyKept = 30 * 24 * time.Hour

// idempotencyKey reads the header. The IETF draft writes the key in quotes,
// everybody else without: both name the same key.
func idempotencyKey(values []string) (string, error) {
	if len(values) == 0 || values[0] == "" {
		return "", refuse("idempotency_key_required")
	}
	key := values[0]
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if len(values) > 1 || key == "" || len(key) > 255 {
		return "", refuse("idempotency_key_invalid")
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7e {
			return "", refuse("idempotency_key_invalid")
		}
	}
	return key, nil
}

// fingerprint is the SHA-256 of a request's method, path, API version and
// canonical body (RFC 8785): members in another order are the same request.
func fingerprint(method, path string, body []byte) ([32]byte, error) {
	canonical := body
	if len(body) > 0 {
		var err error
		if canonical, err = jcs.Transform(body); err != nil {
			return [32]byte{}, fmt.Errorf("canonical form: %w", err)
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\nv1\n", method, path)
	h.Write(canonical)
	return [32]byte(h.Sum(nil)), nil
}

// once answers a changing request through its key: fn works in the key's
// transaction and its answer is stored with what it did.
func (s *server) once(ctx context.Context, fn func(ctx context.Context, tx Tx) (Answer, error)) (Answer, error) {
	o := whereOf(ctx).once
	a, stored, err := s.cfg.Store.Once(ctx, o, fn)
	if err != nil {
		return Answer{}, err
	}
	return s.settle(o, a, stored)
}

// decline stores a refusal by meaning under the key, so that a repeat gets the
// same answer.
func (s *server) decline(ctx context.Context, r *refusal) (Answer, error) {
	return s.once(ctx, func(ctx context.Context, _ Tx) (Answer, error) { return s.problem(ctx, r), nil })
}

// settle is the answer just stored, or the one stored before.
func (s *server) settle(o Once, a Answer, stored *Stored) (Answer, error) {
	if stored == nil {
		return a.with("Idempotency-Expires", o.Expires.UTC().Format(http.TimeFormat)), nil
	}
	if stored.Fingerprint != o.Fingerprint {
		return Answer{}, refuse("idempotency_key_reused")
	}
	if stored.Status == 0 {
		return Answer{}, ErrBusy
	}
	return stored.Answer.with("Idempotent-Replayed", "true").with("Original-Request", stored.RequestID).
		with("Idempotency-Expires", stored.Expires.UTC().Format(http.TimeFormat)), nil
}
