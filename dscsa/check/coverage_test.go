package check_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// byEvents are rules that no document can break, or only one as long as what
// the reader's own tests use. Known rules are broken in known_test.go.
func byEvents(t *testing.T) (broken []string) {
	t.Helper()
	run := func(faults []epcis.Fault, events ...*epcis.Event) {
		c := check.New(check.Options{Now: now})
		c.Document(&epcis.Document{Format: epcis.JSON20})
		for _, f := range faults {
			c.Fault(f)
		}
		for _, e := range events {
			c.Event(e)
		}
		broken = append(broken, rulesOf(c.Report())...)
	}
	run([]epcis.Fault{{Rule: "limit", Where: "document", Message: "too long"}})
	run([]epcis.Fault{{Rule: "of-a-later-version", Where: "document", Message: "unheard of"}})
	run([]epcis.Fault{{Rule: "read", Where: "document", Message: "no such file"}})
	run(nil, &epcis.Event{
		Type: epcis.ObjectEvent, Action: epcis.Observe, EventTime: now, Zone: "+00:00",
		EPCs: []string{"urn:epc:id:sscc:0377777.0000000001"}, EventID: "urn:x:a\x00b",
	})
	return broken
}

// Every rule of the catalogue is broken by a document or by events.
func TestEveryRuleIsBroken(t *testing.T) {
	t.Parallel()
	broken := map[string]bool{}
	for _, d := range verdicts(t) {
		for _, rule := range rulesOf(whole(t, filepath.Join("testdata", d.file))) {
			broken[rule] = true
		}
	}
	for _, rule := range byEvents(t) {
		broken[rule] = true
	}
	for _, k := range knownCases() {
		for _, rule := range rulesOf(k.run(t)) {
			broken[rule] = true
		}
	}
	for _, r := range check.Rules() {
		require.True(t, broken[r.Name], "no test breaks %s", r.Name)
	}
}

func TestSourceThatFails(t *testing.T) {
	t.Parallel()
	_, err := check.Whole(iotest.ErrReader(errDisk), epcis.Limits{}, check.Options{})
	require.ErrorIs(t, err, errDisk)
}

var errDisk = errors.New("disk on fire")

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	c := check.New(check.Options{Now: now, PerRule: 3})
	for range 50 {
		c.Event(&epcis.Event{
			Type: epcis.ObjectEvent, Action: epcis.Observe, EventTime: now.Add(time.Hour), Zone: "+00:00",
			EPCs: []string{"urn:epc:id:sscc:0377777.0000000001"},
		})
	}
	r := c.Report()
	require.Equal(t, check.Flag, r.Verdict)
	require.Len(t, r.Findings, 4)
	require.Equal(t, "event 3 eventTime", r.Findings[2].Where)
	require.Equal(t, check.Finding{Rule: "event-time-future", Severity: check.Error, Where: "document", Message: "47 more of this rule", Verdict: check.Flag}, r.Findings[3])
	require.Equal(t, r, c.Report(), "a report can be asked for again")
}

func TestStoreThatFails(t *testing.T) {
	t.Parallel()
	c := check.New(check.Options{})
	err := c.Against(context.Background(), failing{}, 1, nil, nil)
	require.ErrorIs(t, err, errDisk)
	require.Equal(t, check.Accept, c.Report().Verdict)
}

type failing struct{}

func (failing) Look(context.Context, check.Query) (check.Answer, error) {
	return check.Answer{}, errDisk
}
