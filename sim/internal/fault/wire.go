package fault

import (
	"maps"
	"net/http"
	"time"
)

// An Answer is a response that is ready but not sent.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// longest bounds how long a connection is held without an answer.
const longest = time.Minute

// Hold keeps the client waiting until it leaves, or until limit.
func Hold(r *http.Request, limit time.Duration) {
	if limit <= 0 || limit > longest {
		limit = longest
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-r.Context().Done():
	case <-t.C:
	}
}

// Cut ends the connection without an answer.
func Cut() { panic(http.ErrAbortHandler) }

// Send sends an answer with what kind does to it on the way.
func Send(w http.ResponseWriter, r *http.Request, a Answer, kind Kind, delay time.Duration) {
	switch kind {
	case ExecuteThenTimeout:
		Hold(r, 0)
		Cut()
	case Reset:
		Cut()
	case Garbage:
		a = Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html><h1>It works!</h1>")}
	case Slow:
		Hold(r, delay)
	case None, TimeoutBeforeExecute, ExecuteThen500, Before500, TooMany, Conflict, Truncate, WrongObject:
	}
	maps.Copy(w.Header(), a.Header)
	if kind == Truncate {
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body[:len(a.Body)/2])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		Cut()
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that has left is its own business
}
