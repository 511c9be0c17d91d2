package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/workflows"
)

// Histories of real runs, kept when they were made: a saga that is open while
// a new version is rolled out must go on as it began. The end-to-end tests make
// them (go test ./devstack/e2e -run Histories -update); old ones stay.
func TestKeptHistoriesReplay(t *testing.T) {
	t.Parallel()
	kept, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(kept), 8)
	for _, path := range kept {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(workflows.Booking, workflow.RegisterOptions{Name: workflows.BookingType})
			replayer.RegisterWorkflowWithOptions(workflows.Transfer, workflow.RegisterOptions{Name: activities.TransferType})
			require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, path))
		})
	}
}
