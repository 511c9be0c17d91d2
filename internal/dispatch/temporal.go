package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/workflows/saga"
)

// A Saga is what Temporal is told of one: no personal data.
type Saga struct {
	Tenant   uuid.UUID
	ID       string
	Type     string
	OrderRef string
	Plan     json.RawMessage
}

// Temporal is the part of client.Client that dispatch needs.
type Temporal interface {
	ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// The attributes by which an operator finds a saga in Temporal.
var (
	attributeType     = temporal.NewSearchAttributeKeyKeyword("RecourseSagaType")
	attributeState    = temporal.NewSearchAttributeKeyKeyword("RecourseState")
	attributeOrderRef = temporal.NewSearchAttributeKeyKeyword("RecourseOrderRef")
	attributeTenant   = temporal.NewSearchAttributeKeyKeyword("RecourseTenant")
)

// start makes sure that Temporal has the saga. again allows a second run after
// one that is closed. No timeout is set: a saga the server ended would never be
// undone.
func start(ctx context.Context, t Temporal, s Saga, again bool) error {
	reuse := enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	if again {
		reuse = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	_, err := t.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       s.ID,
		TaskQueue:                saga.TaskQueue,
		WorkflowIDReusePolicy:    reuse,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			attributeType.ValueSet(s.Type), attributeState.ValueSet("pending"),
			attributeOrderRef.ValueSet(s.OrderRef), attributeTenant.ValueSet(s.Tenant.String())),
	}, s.Type, activities.SagaInput{Tenant: s.Tenant, Saga: s.ID}, s.Plan)
	var closed *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &closed) {
		return fmt.Errorf("start the workflow of saga %s: %w", s.ID, err)
	}
	return nil
}

// running reports whether Temporal is running the saga just now.
func running(ctx context.Context, t Temporal, id string) (bool, error) {
	d, err := t.DescribeWorkflowExecution(ctx, id, "")
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("describe the workflow of saga %s: %w", id, err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
