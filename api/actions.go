package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/audit"
	auditpg "github.com/recourse/recourse/audit/postgres"
)

// Actions is the audit log.
type Actions interface {
	Actions(ctx context.Context, tenant uuid.UUID, actor string, below int64, most int) ([]audit.Action, error)
	Prove(ctx context.Context, tenant uuid.UUID, seq int64) (audit.Bundle, error)
}

type actionView struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	RecordedAt stamp  `json:"recorded_at"`
	Actor      string `json:"actor"`
	Role       string `json:"role"`
	Operation  string `json:"operation"`
	Path       string `json:"path"`
	RequestID  string `json:"request_id"`
	Remote     string `json:"remote"`
	Status     int32  `json:"status"`
	Request    string `json:"request_sha256"`
	Answer     string `json:"answer_sha256"`
}

const actionPrefix = "act_"

func viewAction(a audit.Action) actionView {
	return actionView{
		ID: actionPrefix + strconv.FormatInt(a.Seq, 10), Object: "action", RecordedAt: stamp(a.RecordedAt), Actor: a.Actor, Role: a.Role,
		Operation: a.Operation, Path: a.Path, RequestID: a.RequestID, Remote: a.Remote, Status: a.Status,
		Request: hex.EncodeToString(a.Request[:]), Answer: hex.EncodeToString(a.Answer[:]),
	}
}

// ListActions shows who changed what, newest first.
func (s *server) ListActions(ctx context.Context, request ListActionsRequestObject) (ListActionsResponseObject, error) {
	below, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	actor := ""
	if request.Params.Actor != nil {
		actor = *request.Params.Actor
	}
	found, err := s.cfg.Actions.Actions(ctx, whereOf(ctx).who.Tenant, actor, below, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewAction, func(a audit.Action) (time.Time, string) {
		return a.RecordedAt, strconv.FormatInt(a.Seq, 10)
	}))
}

// ActionProof makes the offline proof of an action of the tenant.
func (s *server) ActionProof(ctx context.Context, request ActionProofRequestObject) (ActionProofResponseObject, error) {
	seq, err := numbered(request.Id, actionPrefix)
	if err != nil {
		return nil, err
	}
	bundle, err := s.cfg.Actions.Prove(ctx, whereOf(ctx).who.Tenant, seq)
	if errors.Is(err, auditpg.ErrNoAction) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, sealRefusal(err)
	}
	return jsonAnswer(http.StatusOK, bundle)
}
