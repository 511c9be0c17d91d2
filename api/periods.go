package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// What can be proposed about a period.
const (
	softClose = "soft_close"
	closeMove = "close"
	reopen    = "reopen"

	monthFormat = "2006-01"
)

// events are what the moves become in the books.
var events = map[string]string{softClose: ledgerpg.PeriodSoftClosed, closeMove: ledgerpg.PeriodClosed, reopen: ledgerpg.PeriodReopened}

type periodView struct {
	Object   string            `json:"object"`
	Entity   string            `json:"entity"`
	Period   string            `json:"period"`
	State    string            `json:"state"`
	Version  int               `json:"version"`
	Events   []periodEventView `json:"events,omitempty"`
	Closings []closingView     `json:"closings,omitempty"`
}

type periodEventView struct {
	Event      string `json:"event"`
	Version    int    `json:"version"`
	ApprovalID string `json:"approval_id"`
	Actor      string `json:"actor"`
	At         stamp  `json:"at"`
	Seq        int64  `json:"seq"`
	ChainHash  string `json:"chain_hash"`
}

type closingView struct {
	Version int         `json:"version"`
	Totals  []totalView `json:"totals"`
}

type totalView struct {
	AccountCode string `json:"account_code"`
	Currency    string `json:"currency"`
	Debits      int64  `json:"debits"`
	Credits     int64  `json:"credits"`
}

func viewPeriod(entity string, p ledgerpg.PeriodState) periodView {
	return periodView{Object: "period", Entity: entity, Period: p.Period.Format(monthFormat), State: p.State, Version: p.Version}
}

// ListPeriods shows how the periods stand.
func (s *server) ListPeriods(ctx context.Context, request ListPeriodsRequestObject) (ListPeriodsResponseObject, error) {
	book := bookOf(ctx, request.Params.Entity)
	found, err := s.cfg.Books.Periods(ctx, book)
	if err != nil {
		return nil, err
	}
	var out []periodView
	for _, p := range found {
		out = append(out, viewPeriod(book.Entity, p))
	}
	return jsonAnswer(http.StatusOK, listOf(out))
}

// GetPeriod shows a period with its history and what was frozen.
func (s *server) GetPeriod(ctx context.Context, request GetPeriodRequestObject) (GetPeriodResponseObject, error) {
	book := bookOf(ctx, request.Params.Entity)
	month, err := time.Parse(monthFormat, request.Period)
	if err != nil {
		return nil, refuseField("validation_failed", "#/parameters/period", "must be a month such as 2026-11")
	}
	h, err := s.cfg.Books.PeriodHistory(ctx, book, month)
	if errors.Is(err, ledgerpg.ErrNoPeriod) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	v := viewPeriod(book.Entity, h.PeriodState)
	for _, e := range h.Events {
		v.Events = append(v.Events, periodEventView{
			Event: e.Event, Version: e.Version, ApprovalID: e.ApprovalID, Actor: e.Actor, At: stamp(e.At), Seq: e.Seq, ChainHash: e.ChainHash,
		})
		if e.Event == ledgerpg.PeriodClosed {
			v.Closings = append(v.Closings, closingView{Version: e.Version, Totals: []totalView{}})
		}
	}
	for _, t := range h.Totals {
		c := &v.Closings[t.Version-1]
		c.Totals = append(c.Totals, totalView{AccountCode: t.Code, Currency: t.Currency, Debits: t.Debits, Credits: t.Credits})
	}
	return jsonAnswer(http.StatusOK, v)
}

// A periodPayload is what an approval about a period says; the database carries
// it out as it stands: see ledger.apply_approved.
type periodPayload struct {
	Entity string `json:"entity"`
	Period string `json:"period"`
}

// ProposePeriodMove records for another person to approve that a period is to
// be soft-closed, closed or reopened.
func (s *server) ProposePeriodMove(ctx context.Context, request ProposePeriodMoveRequestObject) (ProposePeriodMoveResponseObject, error) {
	body := request.Body
	book := bookOf(ctx, body.Entity)
	month, err := time.Parse(monthFormat, request.Period)
	if err != nil {
		return nil, refuseField("validation_failed", "#/parameters/period", "must be a month such as 2026-11")
	}
	return s.put(ctx, proposal{
		action: "period." + string(request.Move), subject: ofEntity(book.Entity, request.Period), reason: body.Reason, ticket: body.Ticket,
		payload: periodPayload{Entity: book.Entity, Period: request.Period},
		check: func(ctx context.Context, tx Tx, _ string) error {
			no, err := tx.PeriodRefusal(ctx, book, month, events[string(request.Move)])
			if err == nil && no != "" {
				return &refusal{
					code: "ledger_refused", detail: sentence(no),
					fields: []FieldError{{Pointer: "#/parameters/period", Code: "out_of_order", Detail: no}},
				}
			}
			return err
		},
	})
}

// applyToPeriod moves a period as an approval says.
func applyToPeriod(ctx context.Context, tx Tx, tenant uuid.UUID, a ApprovalRecord) (any, error) {
	var p periodPayload
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	month, err := time.Parse(monthFormat, p.Period)
	if err != nil {
		return nil, fmt.Errorf("read the period of the payload: %w", err)
	}
	if err := tx.Apply(ctx, a.ID); err != nil {
		return nil, err
	}
	state, err := tx.Period(ctx, ledger.Book{Tenant: tenant, Entity: p.Entity}, month)
	if err != nil {
		return nil, err
	}
	return viewPeriod(p.Entity, state), nil
}
