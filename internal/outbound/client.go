// Package outbound makes the HTTP clients with which the product calls others.
//
// Every client has a deadline for the whole call and for connecting, follows no
// redirect, keeps few connections, reads a bounded answer, and refuses to run
// while a database transaction is open: its locks would be held for as long as
// a stranger likes. It also says what a call that went wrong means for the step
// that made it.
package outbound

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/recourse/recourse/internal/txguard"
)

// MaxAnswer is the longest answer read, in bytes. What is longer fails with
// ErrTooLong, so that a cut answer is never taken for a whole one.
const MaxAnswer = 1 << 20

// ErrTooLong means that an answer was longer than MaxAnswer.
var ErrTooLong = errors.New("the answer is longer than 1 MiB")

// Client returns a client for one other party. name appears in errors; timeout
// bounds a call from its start to the last byte of the answer.
func Client(name string, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: min(timeout, 2*time.Second), KeepAlive: 30 * time.Second}
	return &http.Client{
		Timeout: timeout,
		Transport: &transport{name: name, next: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    min(timeout, 3*time.Second),
			ForceAttemptHTTP2:      true,
			MaxConnsPerHost:        64,
			MaxIdleConnsPerHost:    32,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type transport struct {
	name string
	next http.RoundTripper
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if txguard.InTx(r.Context()) {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes the body, also on error
		}
		return nil, fmt.Errorf("%s: %w", t.name, txguard.ErrInTransaction)
	}
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &bounded{ReadCloser: res.Body, left: MaxAnswer}
	return res, nil
}

// bounded fails once more than left bytes have come.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, ErrTooLong
	}
	return n, err
}
