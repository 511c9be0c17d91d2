package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

const (
	resolveAction  = "saga.resolve"
	approvalLives  = 24 * time.Hour
	decisionYes    = "approved"
	decisionNo     = "rejected"
	signalPatience = 5 * time.Second
)

type approvalView struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	Action     string          `json:"action"`
	Subject    string          `json:"subject"`
	Payload    json.RawMessage `json:"payload"`
	Reason     string          `json:"reason"`
	Maker      string          `json:"maker"`
	MadeAt     stamp           `json:"made_at"`
	ExpiresAt  stamp           `json:"expires_at"`
	Checker    string          `json:"checker,omitempty"`
	Decision   string          `json:"decision,omitempty"`
	DecidedAt  *stamp          `json:"decided_at,omitempty"`
	ConsumedAt *stamp          `json:"consumed_at,omitempty"`
}

func viewApproval(a ApprovalRecord) approvalView {
	return approvalView{
		ID: a.ID, Object: "approval", Action: a.Action, Subject: a.Subject, Payload: a.Payload, Reason: a.Reason, Maker: a.Maker,
		MadeAt: stamp(a.MadeAt), ExpiresAt: stamp(a.ExpiresAt), Checker: a.Checker, Decision: a.Decision,
		DecidedAt: orNoStamp(a.DecidedAt), ConsumedAt: orNoStamp(a.ConsumedAt),
	}
}

// A resolution is the payload of an approval about a saga.
type resolution struct {
	Action string `json:"action"`
	Step   string `json:"step"`
}

// ProposeResolution records what one person wants to do about a step.
func (s *server) ProposeResolution(ctx context.Context, request ProposeResolutionRequestObject) (ProposeResolutionResponseObject, error) {
	payload, err := json.Marshal(resolution{Action: string(request.Body.Action), Step: request.Body.Step})
	if err != nil {
		return nil, fmt.Errorf("encode the payload: %w", err)
	}
	now := s.cfg.Now().UTC()
	a := ApprovalRecord{
		ID: newID("apr_", now), Action: resolveAction, Subject: request.Id, Payload: payload, Reason: request.Body.Reason,
		Maker: whereOf(ctx).who.KeyID, MadeAt: now, ExpiresAt: now.Add(approvalLives),
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		state, err := tx.Attention(ctx, request.Id, request.Body.Step)
		switch {
		case err != nil:
			return Answer{}, err
		case !state.Needed || !state.StepOpen:
			return s.problem(ctx, refuse("not_in_attention")), nil
		case state.Proposed:
			return s.problem(ctx, refuse("already_proposed")), nil
		}
		if err := tx.Propose(ctx, a); err != nil {
			return Answer{}, err
		}
		return jsonAnswer(http.StatusCreated, viewApproval(a), "Location", "/v1/approvals/"+a.ID)
	})
}

// DecideApproval writes the second person's word and, when it is yes, tells the
// saga. Telling is repeated with the request: a saga acts on an approval once.
func (s *server) DecideApproval(ctx context.Context, request DecideApprovalRequestObject) (DecideApprovalResponseObject, error) {
	decision := decisionNo
	if request.Decision == "approve" {
		decision = decisionYes
	}
	a, err := s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		if _, err := tx.Approval(ctx, request.Id); err != nil {
			return Answer{}, err
		}
		inTime, err := tx.Decide(ctx, request.Id, whereOf(ctx).who.KeyID, decision, s.cfg.Now().UTC())
		if err != nil {
			return Answer{}, err
		}
		if !inTime {
			return s.problem(ctx, refuse("already_decided")), nil
		}
		approval, err := tx.Approval(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		return jsonAnswer(http.StatusOK, viewApproval(approval))
	})
	if err != nil || a.Status != http.StatusOK || decision != decisionYes {
		return a, err
	}
	return a, s.tell(ctx, request.Id)
}

// tell passes an approved resolution on to its saga.
func (s *server) tell(ctx context.Context, id string) error {
	a, err := s.cfg.Store.Approval(ctx, whereOf(ctx).who.Tenant, id)
	if err != nil {
		return err
	}
	var what resolution
	if err := json.Unmarshal(a.Payload, &what); err != nil {
		return fmt.Errorf("read the payload: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, signalPatience)
	defer cancel()
	if err := s.cfg.Orchestrator.ResolveSaga(ctx, a.Subject, a.ID, what.Step, what.Action); err != nil {
		s.log.WarnContext(ctx, "an approved resolution did not reach its saga", slog.String("approval_id", id), slog.Any("error", err))
		return &refusal{code: "unavailable", detail: "It is approved; the saga could not be told. Send the same request with the same key again."}
	}
	return nil
}

// GetApproval shows one approval.
func (s *server) GetApproval(ctx context.Context, request GetApprovalRequestObject) (GetApprovalResponseObject, error) {
	a, err := s.cfg.Store.Approval(ctx, whereOf(ctx).who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, viewApproval(a))
}

// ListApprovals shows the newest approvals, undecided first.
func (s *server) ListApprovals(ctx context.Context, _ ListApprovalsRequestObject) (ListApprovalsResponseObject, error) {
	approvals, err := s.cfg.Store.Approvals(ctx, whereOf(ctx).who.Tenant)
	if err != nil {
		return nil, err
	}
	var out []approvalView
	for _, a := range approvals {
		out = append(out, viewApproval(a))
	}
	return jsonAnswer(http.StatusOK, listOf(out))
}
