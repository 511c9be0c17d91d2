package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/internal/pgtest"
)

// temporal is what Temporal does with starts: one open run an id.
type temporal struct {
	mu    sync.Mutex
	away  bool
	state map[string]enums.WorkflowExecutionStatus
	runs  map[string]int
	input map[string]activities.SagaInput
	plans map[string]json.RawMessage
	kinds map[string]any
}

func newTemporal() *temporal {
	return &temporal{
		state: map[string]enums.WorkflowExecutionStatus{}, runs: map[string]int{},
		input: map[string]activities.SagaInput{}, plans: map[string]json.RawMessage{}, kinds: map[string]any{},
	}
}

func (f *temporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, kind any, args ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, serviceerror.NewUnavailable("away")
	}
	status, known := f.state[o.ID]
	switch {
	case known && status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return nil, nil //nolint:nilnil // the run is not looked at
	case known && o.WorkflowIDReusePolicy == enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("closed", "", "")
	}
	f.state[o.ID] = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	f.runs[o.ID]++
	f.kinds[o.ID] = kind
	f.input[o.ID], _ = args[0].(activities.SagaInput)
	f.plans[o.ID], _ = args[1].(json.RawMessage)
	return nil, nil //nolint:nilnil // the run is not looked at
}

func (f *temporal) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, serviceerror.NewUnavailable("away")
	}
	status, known := f.state[id]
	if !known {
		return nil, serviceerror.NewNotFound("unknown")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{Status: status},
	}, nil
}

func (f *temporal) set(id string, s enums.WorkflowExecutionStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state[id] = s
}

func (f *temporal) ran(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.runs[id]
}

type fixture struct {
	*testing.T
	db     *pgtest.DB
	fake   *temporal
	tenant uuid.UUID
	loop   *dispatch.Loop
}

func setUp(t *testing.T) fixture {
	t.Helper()
	db := pgtest.New(t)
	f := fixture{T: t, db: db, fake: newTemporal(), tenant: db.Tenant()}
	f.loop = &dispatch.Loop{
		Pool: db.Pool("app_worker"), Temporal: f.fake, Log: slog.New(slog.DiscardHandler),
		Pace: dispatch.Pace{
			Renew: time.Second, Start: 10 * time.Millisecond, Unstarted: 0,
			Sweep: 10 * time.Millisecond, Unchecked: 0, Prune: time.Hour,
		},
	}
	return f
}

// accept writes a saga as the API does.
func (f fixture) accept(n int) dispatch.Saga {
	f.Helper()
	id := fmt.Sprintf("sg_%026d", n)
	_, err := f.db.Super().Exec(f.Context(), `
		insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, created_by)
		values ($1, $2, 'booking', $3, 100, 'usd', '{}', '{"parts":[]}', 'test')`, f.tenant, id, "A-"+id)
	require.NoError(f, err)
	return dispatch.Saga{Tenant: f.tenant, ID: id, Type: "booking", OrderRef: "A-" + id, Plan: json.RawMessage(`{"parts":[]}`)}
}

func (f fixture) started(id string) (at *time.Time) {
	f.Helper()
	require.NoError(f, f.db.Super().QueryRow(f.Context(), `select started_at from app.saga where id = $1`, id).Scan(&at))
	return at
}

func TestStarterStartsAndMarks(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	s := f.accept(1)
	starter := dispatch.NewStarter(f.db.Pool("app_api"), f.fake, slog.New(slog.DiscardHandler))
	starter.Nudge(s)
	starter.Nudge(s)
	starter.Close()
	require.Equal(t, 1, f.fake.ran(s.ID))
	require.NotNil(t, f.started(s.ID))
	require.Equal(t, "booking", f.fake.kinds[s.ID])
	require.Equal(t, activities.SagaInput{Tenant: s.Tenant, Saga: s.ID}, f.fake.input[s.ID])
	require.JSONEq(t, string(s.Plan), string(f.fake.plans[s.ID]))
}

func TestWhatTheStarterMissedIsStartedWhenTemporalIsBack(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	s := f.accept(1)
	f.fake.away = true
	starter := dispatch.NewStarter(f.db.Pool("app_api"), f.fake, slog.New(slog.DiscardHandler))
	starter.Nudge(s)
	starter.Close()
	require.Nil(t, f.started(s.ID))
	require.Error(t, f.loop.Start(t.Context()))
	require.Nil(t, f.started(s.ID), "a start that did not happen is not marked")

	f.fake.away = false
	require.NoError(t, f.loop.Start(t.Context()))
	require.NoError(t, f.loop.Start(t.Context()))
	require.NotNil(t, f.started(s.ID))
	require.Equal(t, 1, f.fake.ran(s.ID))
}

func TestSweepStartsAgainWhatNothingRuns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status enums.WorkflowExecutionStatus
		runs   int
	}{
		"running":                              {enums.WORKFLOW_EXECUTION_STATUS_RUNNING, 1},
		"terminated":                           {enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, 2},
		"failed":                               {enums.WORKFLOW_EXECUTION_STATUS_FAILED, 2},
		"cancelled":                            {enums.WORKFLOW_EXECUTION_STATUS_CANCELED, 2},
		"completed without an end in the book": {enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setUp(t)
			s := f.accept(1)
			require.NoError(t, f.loop.Start(t.Context()))
			f.fake.set(s.ID, tc.status)
			require.NoError(t, f.loop.Sweep(t.Context()))
			require.NoError(t, f.loop.Sweep(t.Context()))
			require.Equal(t, tc.runs, f.fake.ran(s.ID))
		})
	}
}

func TestSweepFindsAHistoryThatIsGoneAndLeavesEndedSagasAlone(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	gone, ended := f.accept(1), f.accept(2)
	require.NoError(t, f.loop.Start(t.Context()))
	delete(f.fake.state, gone.ID)
	delete(f.fake.state, ended.ID)
	_, err := f.db.Super().Exec(t.Context(), `update app.saga set status = 'completed', finished_at = clock_timestamp() where id = $1`, ended.ID)
	require.NoError(t, err)
	require.NoError(t, f.loop.Sweep(t.Context()))
	require.Equal(t, 2, f.fake.ran(gone.ID))
	require.Equal(t, 1, f.fake.ran(ended.ID))
}

func TestOneLoopLeadsAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	other := *f.loop
	first, stopFirst := context.WithCancel(t.Context())
	second, stopSecond := context.WithCancel(t.Context())
	defer stopSecond()
	var done sync.WaitGroup
	done.Go(func() { f.loop.Run(first) })
	done.Go(func() { other.Run(second) })
	one := f.accept(1)
	require.Eventually(t, func() bool { return f.started(one.ID) != nil }, 30*time.Second, 5*time.Millisecond)
	stopFirst()
	two := f.accept(2)
	require.Eventually(t, func() bool { return f.started(two.ID) != nil }, 30*time.Second, 5*time.Millisecond)
	var holders int
	require.NoError(t, f.db.Super().QueryRow(t.Context(), `select count(*) from app.lease`).Scan(&holders))
	require.Equal(t, 1, holders)
	stopSecond()
	done.Wait()
}

func TestOneBadSagaDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for n := range 20 {
		f.accept(n)
	}
	bad := &pickyTemporal{temporal: f.fake, refuse: fmt.Sprintf("sg_%026d", 0)}
	f.loop.Temporal = bad
	require.ErrorContains(t, f.loop.Start(t.Context()), "planted")
	for n := 1; n < 20; n++ {
		require.Equal(t, 1, f.fake.ran(fmt.Sprintf("sg_%026d", n)))
	}
}

type pickyTemporal struct {
	*temporal
	refuse string
}

func (p *pickyTemporal) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, kind any, args ...any) (client.WorkflowRun, error) {
	if strings.HasSuffix(o.ID, p.refuse) {
		return nil, errors.New("planted")
	}
	return p.temporal.ExecuteWorkflow(ctx, o, kind, args...)
}
