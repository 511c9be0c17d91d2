package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Client speaks to the API with one key.
type Client struct {
	Base string
	Key  string
	HTTP *http.Client
}

// NewClient returns a client whose single calls are bounded.
func NewClient(base, key string) *Client {
	return &Client{Base: base, Key: key, HTTP: &http.Client{
		Timeout: 40 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		},
	}}
}

// Saga is the resource as far as the harness reads it.
type Saga struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	Terminal      bool   `json:"terminal"`
	OrderRef      string `json:"order_ref"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	Version       int64  `json:"version"`
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
	Steps         []Step `json:"steps"`
	Compensations []Step `json:"compensations"`
	Failure       *struct {
		Code        string `json:"code"`
		Message     string `json:"message"`
		Step        string `json:"step"`
		DeclineCode string `json:"decline_code"`
	} `json:"failure"`
}

// Step is one operation of a step.
type Step struct {
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	Attempt    int       `json:"attempt"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
}

// Names lists steps as "name status".
func Names(steps []Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Name+" "+s.Status)
	}
	return out
}

// Response is an answer with its body read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is the code of a problem answer.
func (r Response) Problem() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(r.Body, &p) // no problem has no code
	return p.Code
}

// Do sends one request. body may be nil, a string, or anything for JSON.
func (c *Client) Do(ctx context.Context, method, path, idempotencyKey string, body any) (Response, error) {
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			return Response{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(raw))
	if err != nil {
		return Response{}, err
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if raw != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	return Response{Status: res.StatusCode, Header: res.Header, Body: answer}, err
}

// ErrRefused is an order the API does not take.
var ErrRefused = errors.New("the order was refused")

// Book places an order as a careful frontend does: one key, sent again until
// there is an answer.
func (c *Client) Book(ctx context.Context, key string, order Order) (Saga, Response, error) {
	path, body := order.request()
	return c.Order(ctx, path, key, body)
}

// Order places an order of any kind. body is anything for JSON, or a string.
func (c *Client) Order(ctx context.Context, path, key string, body any) (Saga, Response, error) {
	var last error
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		res, err := c.Do(ctx, http.MethodPost, path, key, body)
		if err == nil && res.Status == http.StatusAccepted {
			var s Saga
			err := json.Unmarshal(res.Body, &s)
			return s, res, err
		}
		if err == nil && res.Status < 500 && res.Problem() != "idempotency_key_in_use" {
			return Saga{}, res, fmt.Errorf("%w: %d %s", ErrRefused, res.Status, res.Body)
		}
		if last = err; err == nil {
			last = fmt.Errorf("%d %s", res.Status, res.Body)
		}
		if err := pause(ctx, wait); err != nil {
			return Saga{}, res, errors.Join(err, last)
		}
	}
}

// Get reads a saga; it tries again while the API is away.
func (c *Client) Get(ctx context.Context, id string) (Saga, error) { return c.wait(ctx, id, 0) }

// Wait long-polls until the saga has ended.
func (c *Client) Wait(ctx context.Context, id string) (Saga, error) {
	return c.Until(ctx, id, func(s Saga) bool { return s.Terminal })
}

// Until long-polls until the saga is as wanted.
func (c *Client) Until(ctx context.Context, id string, wanted func(Saga) bool) (Saga, error) {
	var s Saga
	for {
		next, err := c.wait(ctx, id, s.Version)
		if err != nil {
			return s, fmt.Errorf("waiting for %s, last %s: %w", id, s.Status, err)
		}
		if next.Version < s.Version {
			return s, fmt.Errorf("%s: version %d after %d", id, next.Version, s.Version)
		}
		if s = next; wanted(s) {
			return s, nil
		}
	}
}

func (c *Client) wait(ctx context.Context, id string, version int64) (Saga, error) {
	for {
		path := "/v1/sagas/" + id
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, http.NoBody)
		if err != nil {
			return Saga{}, err
		}
		req.Header.Set("Authorization", "Bearer "+c.Key)
		if version > 0 {
			req.URL.RawQuery = "wait=10"
			req.Header.Set("If-None-Match", `"`+strconv.FormatInt(version, 10)+`"`)
		}
		res, err := c.HTTP.Do(req)
		if err == nil {
			body, readErr := io.ReadAll(res.Body)
			_ = res.Body.Close()
			var s Saga
			switch {
			case res.StatusCode == http.StatusOK && readErr == nil:
				err := json.Unmarshal(body, &s)
				return s, err
			case res.StatusCode == http.StatusNotModified:
				continue
			case res.StatusCode < 500 && readErr == nil:
				return s, fmt.Errorf("%d %s", res.StatusCode, body)
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return Saga{}, err
		}
	}
}

// Event is one event of a stream.
type Event struct {
	ID   int64
	Type string
	Data string
}

// Stream reads a saga's events after one, until the stream ends, see returns
// false, or the connection breaks.
func (c *Client) Stream(ctx context.Context, id string, after int64, see func(Event) bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/v1/sagas/"+id+"/events", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("Accept", "text/event-stream")
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	endless := *c.HTTP
	endless.Timeout = 0
	res, err := endless.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answered %s", res.Status)
	}
	var e Event
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.ID, _ = strconv.ParseInt(value, 10, 64) // the product writes numbers
		case "event":
			e.Type = value
		case "data":
			e.Data = value
		case "":
			if e.Type != "" && !see(e) {
				return nil
			}
			e = Event{}
		}
	}
	return lines.Err()
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
