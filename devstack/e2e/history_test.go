package e2e_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	temporal "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/devstack/harness"
	"github.com/recourse/recourse/workflows"
)

var update = flag.Bool("update", false, "keep the histories in workflows/testdata, for replaying by later versions")

// Today's code replays the histories it has just made; with -update they are
// kept, and every later version has to replay them too.
func TestHistoriesReplay(t *testing.T) {
	t.Parallel()
	completed, charged, refused, declined := harness.Whole(ref(), "authorize"), harness.Whole(ref(), "charge"), harness.Whole(ref(), "charge"), harness.Whole(ref(), "authorize")
	refused.Hotel.SKU += "-REFUSE"
	flaky := harness.Whole(ref(), "authorize")
	flaky.Hotel.SKU += "-REFUSE"
	flaky.Flight.SKU += "-CANCELFAIL3"
	declined.PaymentMethod = "pm_card_chargeDeclined"
	dev, err := shared.Dev()
	require.NoError(t, err)
	c, err := temporal.Dial(temporal.Options{HostPort: dev.Temporal, Namespace: "recourse"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	goods := func(o harness.Sale) harness.Order { return harness.Order{Sale: &o} }
	short, closed := harness.Sell(ref()+"-SHORT", harness.Packages(harness.Exampril, 63, 64)...), harness.Sell(ref(), harness.Package(harness.Exampril, 65))
	closed.Buyer = harness.Closed
	poor := harness.Sell(ref(), harness.Package(harness.Exampril, 66))
	poor.PaymentMethod = "pm_card_chargeDeclined"
	for name, order := range map[string]harness.Order{
		"transfer-short": goods(short), "transfer-unauthorised": goods(closed), "transfer-declined": goods(poor),
		"booking-authorize-completed": completed, "booking-charge-completed": charged, "booking-charge-refused": refused,
		"booking-authorize-refused": flaky, "booking-declined": declined,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := place(t, order)
			run := c.GetWorkflow(t.Context(), s.ID, "")
			require.NoError(t, run.Get(t.Context(), nil))
			h := &history.History{}
			events := c.GetWorkflowHistory(t.Context(), s.ID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for events.HasNext() {
				e, err := events.Next()
				require.NoError(t, err)
				h.Events = append(h.Events, e)
			}
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(workflows.Booking, workflow.RegisterOptions{Name: workflows.BookingType})
			replayer.RegisterWorkflowWithOptions(workflows.Transfer, workflow.RegisterOptions{Name: activities.TransferType})
			require.NoError(t, replayer.ReplayWorkflowHistory(nil, h))
			raw, err := protojson.Marshal(h)
			require.NoError(t, err)
			require.NotContains(t, string(raw), "Ada", "no personal data is in a history")
			require.NotContains(t, string(raw), "pm_card", "nor a payment method")
			if *update {
				raw = regexp.MustCompile(`"identity":\s*"[^"]*"`).ReplaceAll(raw, []byte(`"identity":"worker"`))
				raw = regexp.MustCompile(`[0-9]+@[A-Za-z0-9.-]+@`).ReplaceAll(raw, []byte("worker@"))
				require.NoError(t, os.WriteFile(filepath.Join("..", "..", "workflows", "testdata", name+".json"), raw, 0o600))
			}
		})
	}
}
