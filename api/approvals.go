package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities"
)

const (
	resolveAction  = "saga.resolve"
	decisionYes    = "approved"
	decisionNo     = "rejected"
	signalPatience = 5 * time.Second
)

type approvalView struct {
	ID            string          `json:"id"`
	Object        string          `json:"object"`
	Action        string          `json:"action"`
	Subject       string          `json:"subject"`
	Payload       json.RawMessage `json:"payload"`
	PayloadSHA256 string          `json:"payload_sha256"`
	Reason        string          `json:"reason"`
	Ticket        string          `json:"ticket,omitempty"`
	Amount        *int64          `json:"amount,omitempty"`
	Currency      string          `json:"currency,omitempty"`
	Maker         string          `json:"maker"`
	MadeAt        stamp           `json:"made_at"`
	ExpiresAt     stamp           `json:"expires_at"`
	Needed        int             `json:"needed"`
	Decisions     []decisionView  `json:"decisions"`
	Checker       string          `json:"checker,omitempty"`
	Decision      string          `json:"decision,omitempty"`
	DecidedAt     *stamp          `json:"decided_at,omitempty"`
	ConsumedAt    *stamp          `json:"consumed_at,omitempty"`
	Result        any             `json:"result,omitempty"`
}

type decisionView struct {
	Checker   string `json:"checker"`
	Role      string `json:"role"`
	Decision  string `json:"decision"`
	DecidedAt stamp  `json:"decided_at"`
}

func viewApproval(a ApprovalRecord) approvalView {
	v := approvalView{
		ID: a.ID, Object: "approval", Action: a.Action, Subject: a.Subject, Payload: a.Payload, PayloadSHA256: hex.EncodeToString(a.PayloadSHA256),
		Reason: a.Reason, Ticket: a.Ticket, Amount: a.Amount, Currency: a.Currency, Maker: a.Maker,
		MadeAt: stamp(a.MadeAt), ExpiresAt: stamp(a.ExpiresAt), Needed: a.Needed, Decisions: []decisionView{},
		Checker: a.Checker, Decision: a.Decision, DecidedAt: orNoStamp(a.DecidedAt), ConsumedAt: orNoStamp(a.ConsumedAt),
	}
	for _, d := range a.Decisions {
		v.Decisions = append(v.Decisions, decisionView{Checker: d.Checker, Role: d.Role, Decision: d.Decision, DecidedAt: stamp(d.DecidedAt)})
	}
	return v
}

// executors carry out what was approved, in the transaction of the last
// decision, and return it as it is then. An action without one is carried out
// by somebody who is told of it.
var executors = map[string]func(ctx context.Context, tx Tx, tenant uuid.UUID, a ApprovalRecord) (any, error){
	journalAction:         postApproved,
	writeOffAction:        postApproved,
	reversalAction:        postApproved,
	openAccountAction:     applyToAccount,
	closeAccountAction:    applyToAccount,
	"period." + softClose: applyToPeriod,
	"period." + closeMove: applyToPeriod,
	"period." + reopen:    applyToPeriod,
	reviewAction:          reviewed,
	liftAction:            liftLegalHold,
	purgeAction:           orderPurge,
	evidenceAction:        evidenced,
}

// A proposal is what a handler wants people to decide about. check finds what
// is against it, before anybody is asked; it gets the approval's id to be.
type proposal struct {
	action, subject, reason string
	ticket                  *string
	payload                 any
	check                   func(ctx context.Context, tx Tx, id string) error
}

// propose records a proposal and answers with the approval.
func (s *server) propose(ctx context.Context, tx Tx, what proposal) (Answer, error) {
	raw, err := json.Marshal(what.payload)
	if err != nil {
		return Answer{}, fmt.Errorf("encode the payload: %w", err)
	}
	p := Proposal{ID: newID("apr_", s.cfg.Now().UTC()), Action: what.action, Subject: what.subject, Payload: raw, Reason: what.reason}
	if what.ticket != nil {
		p.Ticket = *what.ticket
	}
	if err := what.check(ctx, tx, p.ID); err != nil {
		return s.stored(ctx, err)
	}
	if err := tx.Propose(ctx, whereOf(ctx).who, p); err != nil {
		return s.stored(ctx, err)
	}
	a, err := tx.Approval(ctx, p.ID)
	if err != nil {
		return Answer{}, err
	}
	return jsonAnswer(http.StatusCreated, viewApproval(a), "Location", "/v1/approvals/"+a.ID)
}

// put is propose as a whole request.
func (s *server) put(ctx context.Context, what proposal) (Answer, error) {
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) { return s.propose(ctx, tx, what) })
}

// stored turns a refusal that will not change by asking again into the answer
// that is kept under the key; every other error stays one and keeps nothing.
func (s *server) stored(ctx context.Context, err error) (Answer, error) {
	var r *refusal
	var no *LedgerRefusedError
	var taken *TakenError
	if errors.As(err, &r) && !kinds[r.code].retryable || errors.As(err, &no) || errors.As(err, &taken) ||
		errors.Is(err, ErrAlreadyProposed) || errors.Is(err, ErrDecided) || errors.Is(err, ErrApproverLostRole) || errors.Is(err, ErrApprovalChanged) {
		return s.problem(ctx, s.asRefusal(ctx, err)), nil
	}
	return Answer{}, err
}

// sentence makes a database's message one.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// A resolution is the payload of an approval about a saga.
type resolution struct {
	Action string `json:"action"`
	Step   string `json:"step"`
}

// ProposeResolution records what one person wants to do about a step.
func (s *server) ProposeResolution(ctx context.Context, request ProposeResolutionRequestObject) (ProposeResolutionResponseObject, error) {
	what := resolution{Action: string(request.Body.Action), Step: request.Body.Step}
	check := func(ctx context.Context, tx Tx, _ string) error {
		state, err := tx.Attention(ctx, request.Id, request.Body.Step)
		if err == nil && (!state.Needed || !state.StepOpen) {
			return refuse("not_in_attention")
		}
		return err
	}
	return s.put(ctx, proposal{action: resolveAction, subject: request.Id, reason: request.Body.Reason, payload: what, check: check})
}

// DecideApproval writes another person's word. The one that decides it carries
// out what was approved in the same transaction, and a refusal there takes the
// word back too. A saga is told instead; telling is repeated with the request:
// it acts on an approval once.
func (s *server) DecideApproval(ctx context.Context, request DecideApprovalRequestObject) (DecideApprovalResponseObject, error) {
	decision := decisionNo
	if request.Decision == "approve" {
		decision = decisionYes
	}
	a, err := s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		var result any
		err := tx.Try(ctx, func(ctx context.Context) error {
			decided, err := tx.Decide(ctx, whereOf(ctx).who, request.Id, decision)
			if err != nil || !decided || decision != decisionYes {
				return err
			}
			result, err = carryOut(ctx, tx, request.Id)
			return err
		})
		if err != nil {
			return s.stored(ctx, err)
		}
		approval, err := tx.Approval(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		v := viewApproval(approval)
		v.Result = result
		return jsonAnswer(http.StatusOK, v)
	})
	if err != nil || a.Status != http.StatusOK || decision != decisionYes {
		return a, err
	}
	return a, s.tell(ctx, request.Id)
}

// carryOut does what an approval says that has just been given in full.
func carryOut(ctx context.Context, tx Tx, id string) (any, error) {
	a, err := tx.Approval(ctx, id)
	if err != nil {
		return nil, err
	}
	execute := executors[a.Action]
	if execute == nil {
		return nil, nil
	}
	if err := tx.Consume(ctx, a); err != nil {
		return nil, err
	}
	return execute(ctx, tx, whereOf(ctx).who.Tenant, a)
}

// tell passes an approved resolution on to its saga.
func (s *server) tell(ctx context.Context, id string) error {
	a, err := s.cfg.Store.Approval(ctx, whereOf(ctx).who.Tenant, id)
	if err != nil {
		return err
	}
	if a.Action == reviewAction {
		s.wake(ctx, a.Subject, activities.StepReview)
	}
	if a.Action != resolveAction {
		return nil
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
