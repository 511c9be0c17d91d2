package e2e_test

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
)

func TestTemporalAwayIsStillAccepted(t *testing.T) {
	t.Parallel()
	s := own(t, devstack.Options{})
	c := client(t, s, "marketplace")
	require.NoError(t, s.Signal("stack", syscall.SIGSTOP))
	began := time.Now()
	saga, res, err := c.Book(t.Context(), uuid.NewString(), harness.Whole(ref(), "authorize"))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, res.Status)
	require.Less(t, time.Since(began), 5*time.Second, "accepting does not wait for Temporal")
	require.Equal(t, "pending", saga.Status)
	require.NoError(t, s.Signal("stack", syscall.SIGCONT))
	saga, err = c.Wait(t.Context(), saga.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", saga.Status)
	require.NoError(t, verdict(t.Context(), s, []string{saga.ID}))
}

func TestPostgresDownIsAnAnswerAndServiceResumesByItself(t *testing.T) {
	t.Parallel()
	s := own(t, devstack.Options{})
	c := client(t, s, "marketplace")
	require.NoError(t, s.Signal("supervisor", syscall.SIGSTOP)) // it would start Postgres again at once
	require.NoError(t, s.Signal("postgres", syscall.SIGKILL))
	order, key := harness.Whole(ref(), "authorize"), uuid.NewString()
	require.Eventually(t, func() bool {
		res, err := c.Do(t.Context(), http.MethodPost, "/v1/bookings", key, order)
		return err == nil && res.Status == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "" && res.Problem() == "unavailable"
	}, time.Minute, 50*time.Millisecond)
	require.NoError(t, s.Signal("supervisor", syscall.SIGCONT))
	saga, _, err := c.Book(t.Context(), key, order)
	require.NoError(t, err)
	saga, err = c.Wait(t.Context(), saga.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", saga.Status)
	require.NoError(t, verdict(t.Context(), s, []string{saga.ID}))
}

func TestATerminatedWorkflowIsFoundAndUndone(t *testing.T) {
	t.Parallel()
	s := own(t, devstack.Options{})
	c := client(t, s, "marketplace")
	o := harness.Whole(ref(), "charge")
	o.Hotel.SKU += "-HANG"
	saga, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	_, err = c.Until(t.Context(), saga.ID, func(s harness.Saga) bool { return len(s.Steps) == 3 })
	require.NoError(t, err)
	dev, err := s.Dev()
	require.NoError(t, err)
	tc, err := temporal.Dial(temporal.Options{HostPort: dev.Temporal, Namespace: "recourse"})
	require.NoError(t, err)
	t.Cleanup(tc.Close)
	require.NoError(t, tc.TerminateWorkflow(t.Context(), saga.ID, "", "by mistake"))
	began := time.Now()
	saga, err = c.Wait(t.Context(), saga.ID)
	require.NoError(t, err)
	require.Less(t, time.Since(began), time.Minute)
	require.Equal(t, "compensated", saga.Status)
	require.Equal(t, "interrupted", saga.Failure.Code)
	require.NoError(t, verdict(t.Context(), s, []string{saga.ID}))
}

func TestAStreamGoesOnOverAKilledAPI(t *testing.T) {
	t.Parallel()
	s := own(t, devstack.Options{})
	c := client(t, s, "marketplace")
	o := harness.Whole(ref(), "charge")
	o.Hotel.SKU += "-DONETIMEOUT" // gives time to kill
	saga, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	var seen []int64
	see := func(e harness.Event) bool {
		if e.Type != "done" {
			seen = append(seen, e.ID)
		}
		return len(seen) < 4
	}
	require.NoError(t, c.Stream(t.Context(), saga.ID, 0, see))
	require.NoError(t, s.Kill(t.Context(), "api"))
	ended := false
	for !ended {
		err := c.Stream(t.Context(), saga.ID, seen[len(seen)-1], func(e harness.Event) bool {
			if ended = e.Type == "done"; !ended {
				seen = append(seen, e.ID)
			}
			return !ended
		})
		if err != nil {
			require.NoError(t, t.Context().Err()) // the API is starting again
		}
	}
	for i, id := range seen {
		require.Equal(t, int64(i+1), id, "nothing missed, nothing twice")
	}
	require.NoError(t, verdict(t.Context(), s, []string{saga.ID}))
}

func TestDataAndKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "recourse-restart-*")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	first, err := devstack.Boot(t.Context(), devstack.Options{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { _ = first.Stop() })
	before, err := first.Dev()
	require.NoError(t, err)
	c := client(t, first, "marketplace")
	o := harness.Whole(ref(), "charge")
	o.Hotel.SKU += "-DONETIMEOUT"
	half, _, err := c.Book(t.Context(), uuid.NewString(), o)
	require.NoError(t, err)
	_, err = c.Until(t.Context(), half.ID, func(s harness.Saga) bool { return len(s.Steps) >= 2 })
	require.NoError(t, err)
	_, err = devstack.Boot(t.Context(), devstack.Options{Dir: dir})
	require.ErrorContains(t, err, "runs in", "a second one in the same folder names the first")
	require.NoError(t, first.Stop())

	second := own(t, devstack.Options{Dir: dir})
	after, err := second.Dev()
	require.NoError(t, err)
	require.Equal(t, before.Keys, after.Keys)
	saga, err := client(t, second, "marketplace").Wait(t.Context(), half.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", saga.Status, "a booking that was half done goes on")
	require.NoError(t, verdict(t.Context(), second, []string{half.ID}))
}

func TestAKilledSupervisorLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := own(t, devstack.Options{})
	dev, err := s.Dev()
	require.NoError(t, err)
	require.NoError(t, s.Signal("supervisor", syscall.SIGKILL))
	require.Eventually(t, func() bool {
		for _, pid := range dev.PIDs {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond)
}

// zombie reports whether a process has ended and only waits to be noticed.
func zombie(pid int) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, ok := strings.Cut(string(raw), ") ")
	return ok && strings.HasPrefix(rest, "Z")
}
