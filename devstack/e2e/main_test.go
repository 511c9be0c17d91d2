package e2e_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
)

// shared is the system of the tests that break nothing.
var shared *devstack.System

func TestMain(m *testing.M) {
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // the first build takes a while
		defer cancel()
		defer devstack.RemoveBuilt()
		var err error
		if shared, err = devstack.Boot(ctx, devstack.Options{APIs: 2}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = shared.Stop() }()
		code := m.Run()
		ctx, cancel = context.WithTimeout(context.Background(), 5*time.Minute) // the tests have taken theirs
		defer cancel()
		if err := verdict(ctx, shared, accepted.ids()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

// verdict is the checker's word about everything a system has done.
func verdict(ctx context.Context, s *devstack.System, ids []string) error {
	dev, err := s.Dev()
	if err != nil {
		return err
	}
	facts, err := harness.Gather(ctx, dev.Postgres, dev.StripeSim, dev.Participants)
	if err != nil {
		return err
	}
	if found := harness.Check(facts, ids); len(found) > 0 {
		return fmt.Errorf("%d violations: %v", len(found), found)
	}
	return nil
}

// ledger of what was acknowledged.
type acknowledged struct {
	mu  sync.Mutex
	all []string
}

var accepted acknowledged

func (a *acknowledged) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, id)
}

func (a *acknowledged) ids() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}

func client(t *testing.T, s *devstack.System, key string) *harness.Client {
	t.Helper()
	dev, err := s.Dev()
	require.NoError(t, err)
	return harness.NewClient(dev.API, dev.Keys[key])
}

// own is a system to be broken by one test, checked at its end.
func own(t *testing.T, o devstack.Options) *devstack.System {
	t.Helper()
	s, err := devstack.Boot(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}
