package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
)

const (
	liftAction      = "custody.lift_legal_hold"
	legalHoldPrefix = "lgh_"
	documentPrefix  = "doc_"
)

type legalHoldView struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Document   string `json:"document,omitempty"`
	Everything bool   `json:"everything"`
	Reason     string `json:"reason"`
	PlacedAt   stamp  `json:"placed_at"`
	PlacedBy   string `json:"placed_by"`
	LiftedAt   *stamp `json:"lifted_at,omitempty"`
	LiftedBy   string `json:"lifted_by,omitempty"`
	LiftReason string `json:"lift_reason,omitempty"`
	ApprovalID string `json:"approval_id,omitempty"`
}

func viewLegalHold(h custodypg.LegalHold) legalHoldView {
	v := legalHoldView{
		ID: legalHoldPrefix + strconv.FormatInt(h.ID, 10), Object: "legal_hold", Everything: h.Document == 0, Reason: h.Reason,
		PlacedAt: stamp(h.PlacedAt), PlacedBy: h.PlacedBy, LiftedBy: h.LiftedBy, LiftReason: h.LiftReason, ApprovalID: h.LiftedUnder,
	}
	if h.Document != 0 {
		v.Document = documentPrefix + strconv.FormatInt(h.Document, 10)
	}
	if !h.LiftedAt.IsZero() {
		at := stamp(h.LiftedAt)
		v.LiftedAt = &at
	}
	return v
}

// ListLegalHolds shows what is kept whatever its age, newest first.
func (s *server) ListLegalHolds(ctx context.Context, request ListLegalHoldsRequestObject) (ListLegalHoldsResponseObject, error) {
	before, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	inForce := request.Params.InForce == nil || *request.Params.InForce
	found, err := s.cfg.Custody.LegalHolds(ctx, whereOf(ctx).who.Tenant, inForce, before, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewLegalHold, func(h custodypg.LegalHold) (time.Time, string) {
		return h.PlacedAt, strconv.FormatInt(h.ID, 10)
	}))
}

// PlaceLegalHold keeps a document, or everything, from now on. One person is
// enough: nothing is lost by it.
func (s *server) PlaceLegalHold(ctx context.Context, request PlaceLegalHoldRequestObject) (PlaceLegalHoldResponseObject, error) {
	b := request.Body
	everything := b.Everything != nil && *b.Everything
	if everything == (b.Document != nil) {
		return nil, refuseField("validation_failed", "/document", "give document, or everything: true")
	}
	if strings.TrimSpace(b.Reason) == "" {
		return nil, refuseField("validation_failed", "/reason", "is blank")
	}
	var document int64
	if !everything {
		var err error
		if document, err = numbered(*b.Document, documentPrefix); err != nil || document < 1 {
			return nil, refuseField("validation_failed", "/document", "is not the id of a document")
		}
	}
	by := whereOf(ctx).who.KeyID
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		var h custodypg.LegalHold
		err := tx.Try(ctx, func(ctx context.Context) (err error) {
			h, err = tx.LegalHold(ctx, document, by, b.Reason)
			return err
		})
		if errors.Is(err, custodypg.ErrUnknown) {
			return Answer{}, &refusal{code: "not_found", detail: "There is no such document."}
		}
		if err != nil {
			return Answer{}, err
		}
		return jsonAnswer(http.StatusCreated, viewLegalHold(h))
	})
}

// liftPayload is what an approval to lift says; the database holds the decision
// against it: see custody.approved.
type liftPayload struct {
	Hold   int64  `json:"hold"`
	Reason string `json:"reason"`
}

// ProposeLegalHoldLift records for another person to approve that a legal hold
// is to be lifted.
func (s *server) ProposeLegalHoldLift(ctx context.Context, request ProposeLegalHoldLiftRequestObject) (ProposeLegalHoldLiftResponseObject, error) {
	id, err := numbered(request.Id, legalHoldPrefix)
	if err != nil {
		return nil, err
	}
	b := request.Body
	if strings.TrimSpace(b.Reason) == "" {
		return nil, refuseField("validation_failed", "/reason", "is blank")
	}
	return s.put(ctx, proposal{
		action: liftAction, subject: request.Id, reason: b.Reason, ticket: b.Ticket, payload: liftPayload{Hold: id, Reason: b.Reason},
		check: func(ctx context.Context, tx Tx, _ string) error {
			h, err := tx.LegalHoldOf(ctx, id)
			if errors.Is(err, custodypg.ErrNoSuchHold) || err == nil && !h.LiftedAt.IsZero() {
				return noLegalHold()
			}
			return err
		},
	})
}

func noLegalHold() *refusal {
	return &refusal{code: "not_found", detail: "There is no such legal hold in force."}
}

// liftLegalHold does what an approval says.
func liftLegalHold(ctx context.Context, tx Tx, _ uuid.UUID, a ApprovalRecord) (any, error) {
	var p liftPayload
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	h, err := tx.LiftLegalHold(ctx, p.Hold, agreed(a, p.Reason))
	if errors.Is(err, custodypg.ErrNoSuchHold) {
		return nil, noLegalHold()
	}
	if err != nil {
		return nil, err
	}
	return viewLegalHold(h), nil
}
