package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
)

// The authored chain goes through the whole of capture and stands as its story
// says, in either format.
func TestCaptureTakesTheAuthoredChain(t *testing.T) {
	t.Parallel()
	c := setup(t)
	dir := filepath.Join(pack(t), "dscsa-authored-chain")
	for i, d := range chain(t) {
		out, err := c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: bytes.NewReader(d.raw), Credential: "key"})
		require.NoError(t, err)
		require.NotEqual(t, dscsa.Reject, out.Verdict, "%s: %v", d.name, out.Report.Findings)
		require.Equal(t, len(d.events), out.Stored, d.name)
		requireUnits(t, c, story[i])

		var bytesBack bytes.Buffer
		doc, err := c.store.Document(t.Context(), c.tenant, out.Document, &bytesBack)
		require.NoError(t, err)
		require.Equal(t, d.raw, bytesBack.Bytes(), "kept as it came")
		require.Equal(t, out.SHA256, doc.SHA256)
		again, err := c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: bytes.NewReader(d.raw), Credential: "key"})
		require.NoError(t, err)
		require.True(t, again.Known)
	}
	// The same shipments in JSON-LD are the same events, but for one that spells
	// an attribute as a member of a namespace: it is recorded and moves nothing.
	for name, fresh := range map[string]int{"01_mfr_to_wholesaler.jsonld": 0, "03_wholesaler_to_pharmacy.jsonld": 1} {
		f, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		out, err := c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: f, Credential: "key"})
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.NotEqual(t, dscsa.Reject, out.Verdict, "%v", out.Report.Findings)
		require.Equal(t, fresh, out.Stored, name)
		require.Positive(t, out.Resent, name)
		require.Empty(t, out.Conflicts, name)
	}
	requireUnits(t, c, story[len(story)-1])
	c.verify(t)
}

func requireUnits(t *testing.T, c *custody, want map[string]string) {
	t.Helper()
	units, err := c.store.LotAt(t.Context(), c.tenant, unitGTIN, "AB1234", time.Time{})
	require.NoError(t, err)
	byKey := map[string]dscsa.Unit{}
	for _, u := range units {
		u.Holds = nil // a finding holds what its document concerns; the story is of events
		byKey[u.Key] = u
	}
	requireStory(t, byKey, want, "capture")
}

func TestCaptureRefusesWholeOrLeavesOutWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := setup(t)
	good := chain(t)[0]
	bad := bytes.Replace(good.raw, []byte("<action>ADD</action>"), []byte("<action>ADDED</action>"), 1)
	out, err := c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: bytes.NewReader(bad)})
	require.NoError(t, err)
	require.Equal(t, dscsa.Reject, out.Verdict)
	require.Zero(t, out.Stored)
	require.NotEmpty(t, out.Report.Findings)
	out, err = c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: bytes.NewReader(bad), Proceed: true})
	require.NoError(t, err)
	require.Equal(t, dscsa.Flag, out.Verdict)
	require.Equal(t, len(good.events)-1, out.Stored)
	no := errors.New("somebody else's")
	_, err = c.store.Capture(t.Context(), c.tenant, postgres.Capture{
		Body: bytes.NewReader(good.raw), Parties: func(context.Context, *epcis.Document) (string, string, error) { return "", "", no },
	})
	require.ErrorIs(t, err, no)
	many := new(postgres.TooManyError)
	_, err = c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: bytes.NewReader(good.raw), Most: len(good.events) - 1})
	require.ErrorAs(t, err, &many)
	require.Equal(t, len(good.events)-1, many.Most)
	_, err = c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: broken{bytes.NewReader(good.raw)}})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a source that fails is no fault of the document")
	c.verify(t)
}

// broken fails after a while.
type broken struct{ *bytes.Reader }

func (b broken) Read(p []byte) (int, error) {
	if b.Len() < 3000 {
		return 0, io.ErrUnexpectedEOF
	}
	return b.Reader.Read(p[:min(len(p), 500)])
}

// swapped is another document whenever it is read again.
type swapped struct {
	*bytes.Reader

	then []byte
}

func (s *swapped) Seek(offset int64, whence int) (int64, error) {
	s.Reader = bytes.NewReader(s.then)
	return s.Reader.Seek(offset, whence)
}

func TestADocumentThatChangesWhileItIsReadIsNotRecorded(t *testing.T) {
	t.Parallel()
	c := setup(t)
	good := chain(t)[0]
	longer := bytes.Replace(good.raw, []byte("</EventList>"), append(eventOf(t, good.raw), "</EventList>"...), 1)
	for _, then := range [][]byte{longer, bytes.ReplaceAll(good.raw, []byte("AB1234"), []byte("AB1235"))} {
		_, err := c.store.Capture(t.Context(), c.tenant, postgres.Capture{Body: &swapped{Reader: bytes.NewReader(good.raw), then: then}})
		require.Error(t, err)
	}
	var n int
	require.NoError(t, c.db.Super().QueryRow(t.Context(), `select count(*) from custody.entry`).Scan(&n))
	require.Zero(t, n)
}

// eventOf is the text of a document's last event.
func eventOf(t *testing.T, raw []byte) []byte {
	t.Helper()
	from, to := bytes.LastIndex(raw, []byte("<ObjectEvent>")), bytes.LastIndex(raw, []byte("</ObjectEvent>"))
	require.Positive(t, from)
	require.Greater(t, to, from)
	return bytes.Clone(raw[from : to+len("</ObjectEvent>")])
}

// A batch goes through the doors in parts. What is repeated, or an id that is
// used twice, is told apart across them as within one, and what follows is the
// same.
func TestABatchOfManyPartsIsOneBatch(t *testing.T) {
	t.Parallel()
	c := setup(t)
	d := stocked(40)
	for n := range 2500 {
		e := dscsatest.Step(began.Add(time.Duration(n+1)*time.Hour), epcis.Observe, "storing", "", maker, dscsatest.Unit(fmt.Sprintf("%06d", n/40)))
		e.EventID = fmt.Sprintf("urn:x:event:%d", n)
		d.events = append(d.events, e)
	}
	first := len(d.events) - 2500
	again, reused := d.events[first], d.events[first+1]
	reused.EventTime = reused.EventTime.Add(time.Minute)
	d.events = append(d.events, again, reused)
	out := c.record(t, d, dscsa.Accept)
	require.Equal(t, first+2500, out.Stored)
	require.Equal(t, 1, out.Resent)
	require.Equal(t, []postgres.Reuse{{Ordinal: len(d.events), EventID: reused.EventID}}, out.Reused)
	var copies int
	require.NoError(t, c.db.Super().QueryRow(t.Context(), `select count(*) from custody.event_copy`).Scan(&copies))
	require.Zero(t, copies, "an event that its own document repeats is in one document")
	require.Equal(t, maker, c.unit(t, dscsatest.Unit("000059")).Owner, "named first in a later part")
	c.verify(t)
}
