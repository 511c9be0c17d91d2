// Package participants is activities.Participants over HTTP, on the contract in
// sim/participants/openapi.yaml.
//
// What happens on failure, for every call:
//
//	409                                  Refused    a definite no
//	202                                  ongoing    accepted, not decided
//	429, 503                             Transient  the contract: nothing was done
//	no connection was made               Transient  nothing was sent
//	400, 401, 403, 422, other 4xx        Misuse     our request or credential is wrong
//	other 5xx, timeout, cut connection   Unknown    it may have been done
//	an answer that cannot be read, or is Unknown    it may have been done, and
//	about something else                            something else as well
package participants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/outbound"
)

// Config is where the participants are and who we are there.
type Config struct {
	URL     string
	Key     string
	Timeout time.Duration // of one call
}

// Client speaks to the participants. It is safe for concurrent use.
type Client struct {
	base string
	key  string
	http *http.Client
}

var _ activities.Participants = (*Client)(nil)

// New returns the client.
func New(cfg Config) *Client {
	return &Client{base: strings.TrimSuffix(cfg.URL, "/"), key: cfg.Key, http: outbound.Client("participants", cfg.Timeout)}
}

type wireReservation struct {
	Key         string    `json:"key"`
	Reference   string    `json:"reference"`
	Status      string    `json:"status"`
	SKU         string    `json:"sku"`
	Price       int64     `json:"price"`
	Currency    string    `json:"currency"`
	RefusalCode string    `json:"refusal_code"`
	Message     string    `json:"message"`
	ReservedAt  time.Time `json:"reserved_at"`
}

// Reserve implements activities.Participants.
func (c *Client) Reserve(ctx context.Context, kind activities.ReservationKind, key string, r activities.ReservationRequest) (activities.Reservation, error) {
	body := map[string]any{"sku": r.SKU, "price": r.Price, "currency": r.Currency, "traveler": r.Traveler, "saga_id": r.SagaID}
	if r.Nights > 0 {
		body["nights"] = r.Nights
	}
	got, _, err := c.call(ctx, http.MethodPut, kind, key, "", body)
	if err == nil && (got.SKU != r.SKU || got.Price != r.Price || got.Currency != r.Currency) {
		return got, &step.Unknown{Err: errors.New("the participant answered about another order")}
	}
	return got, err
}

// Confirm implements activities.Participants.
func (c *Client) Confirm(ctx context.Context, kind activities.ReservationKind, key string) (activities.Reservation, error) {
	got, _, err := c.call(ctx, http.MethodPost, kind, key, "/confirm", nil)
	return got, err
}

// Cancel implements activities.Participants.
func (c *Client) Cancel(ctx context.Context, kind activities.ReservationKind, key string) (activities.Reservation, error) {
	got, _, err := c.call(ctx, http.MethodPost, kind, key, "/cancel", nil)
	return got, err
}

// Lookup implements activities.Participants.
func (c *Client) Lookup(ctx context.Context, kind activities.ReservationKind, key string) (activities.Reservation, bool, error) {
	return c.call(ctx, http.MethodGet, kind, key, "", nil)
}

func (c *Client) call(ctx context.Context, method string, kind activities.ReservationKind, key, verb string, body any) (activities.Reservation, bool, error) {
	none := activities.Reservation{}
	var payload io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return none, false, &step.Misuse{Code: "encode", Err: err}
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/v1/"+string(kind)+"/reservations/"+url.PathEscape(key)+verb, payload)
	if err != nil {
		return none, false, &step.Misuse{Code: "request", Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return none, false, outbound.Failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return none, false, &step.Unknown{Err: fmt.Errorf("the answer broke off: %w", err)}
	}
	if res.StatusCode == http.StatusNotFound && method == http.MethodGet {
		return none, false, nil
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted {
		return none, false, refused(res.StatusCode, raw)
	}
	return read(raw, key)
}

// read takes an answer only when all of it is as the contract says.
func read(raw []byte, key string) (activities.Reservation, bool, error) {
	var w wireReservation
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return activities.Reservation{}, false, &step.Unknown{Err: errors.New("the answer is not the contract's JSON")}
	}
	if w.Key != key {
		return activities.Reservation{}, false, &step.Unknown{Err: errors.New("the participant answered about another key")}
	}
	status := activities.ReservationStatus(w.Status)
	switch status {
	case activities.ReservationOngoing, activities.ReservationReserved, activities.ReservationConfirmed,
		activities.ReservationRefused, activities.ReservationCancelled:
	default:
		return activities.Reservation{}, false, &step.Unknown{Err: errors.New("the answer has a status the contract does not know")}
	}
	return activities.Reservation{
		Reference: w.Reference, Status: status, SKU: w.SKU, Price: w.Price, Currency: w.Currency, RefusalCode: w.RefusalCode,
		Message: w.Message, ReservedAt: w.ReservedAt,
	}, true, nil
}

func refused(status int, raw []byte) error {
	var no struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	readable := json.Unmarshal(raw, &no) == nil && no.Code != ""
	err := fmt.Errorf("the participant answered %d %s", status, no.Code)
	switch {
	case status == http.StatusConflict && readable:
		return &step.Refused{Code: no.Code, Message: no.Message}
	case status == http.StatusConflict:
		return &step.Unknown{Err: err}
	default:
		return outbound.Answered(status, "participant", err)
	}
}
