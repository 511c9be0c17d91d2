package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

// The validator's table of decoders is global.
func init() {
	openapi3filter.RegisterBodyDecoder(report.XLSX.ContentType(), openapi3filter.FileBodyDecoder)
}

// postings puts n transactions of October 2026 into the books of our tenant.
func (w *world) postings(n int) []ledger.Transaction {
	w.Helper()
	var batch []ledger.Transaction
	for i := range n {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, int64(1000+i))
		x.EffectiveOn = time.Date(2026, 10, 1+i%31, 0, 0, 0, 0, time.UTC)
		x.OrderRef, x.Reason = fmt.Sprintf("R-%d", i%7), "=cmd|' /C calc'!A0"
		batch = append(batch, x)
	}
	results, err := ledgerpg.New(w.db.Pool("app_worker")).Post(w.Context(), ledger.Main(w.tenant), batch)
	require.NoError(w, err)
	for _, r := range results {
		require.NoError(w, r.Err())
	}
	return batch
}

// closeOctober closes the period, as the ledger's owner would.
func (w *world) closeOctober() {
	w.Helper()
	tx, err := w.db.Super().Begin(w.Context())
	require.NoError(w, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(w.Context())) }()
	for _, sql := range []string{
		`select set_config('app.tenant', '` + w.tenant.String() + `', true)`, `set local role ledger_owner`,
		`select set_config('ledger.door', 'open', true)`,
		`update ledger.book set closed_through = '2026-10-01', version = version + 1`,
	} {
		_, err = tx.Exec(w.Context(), sql)
		require.NoError(w, err)
	}
	require.NoError(w, tx.Commit(w.Context()))
}

// fetch gets a report with its trailer.
func (w *world) fetch(path, role string, header map[string]string) (answer, http.Header) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+path, http.NoBody)
	require.NoError(w, err)
	req.Header.Set("Authorization", "Bearer "+w.keys[role])
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(w, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(w, err)
	a := answer{res.StatusCode, res.Header, body}
	conforms(w.T, req, a)
	return a, res.Trailer
}

func TestAReportInEveryForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.postings(40)
	a, _ := w.fetch("/v1/reports/trial_balance?period=2026-10", "finance_preparer", nil)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	doc := a.json(t)
	require.Equal(t, "trial_balance", doc["report"])
	require.Len(t, doc["rows"], 2)
	cover, ok := doc["cover"].(map[string]any)
	require.True(t, ok)
	require.Contains(t, string(a.body), `"balanced":true`)
	require.Contains(t, string(a.body), `"final":false`)
	require.Regexp(t, `^[0-9A-Za-z]{16}$`, cover["generated_by"], "the key's id")
	require.Equal(t, "false", a.header.Get("Report-Final"))
	require.Empty(t, a.header.Get("ETag"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))

	for _, name := range []string{"general_ledger", "account_statement", "account_rollforward", "journal_export"} {
		for _, format := range []report.Format{report.JSON, report.CSV, report.XLSX} {
			a, trailer := w.fetch("/v1/reports/"+name+"?period=2026-10&account=1020&format="+string(format), "auditor", nil)
			require.Equal(t, http.StatusOK, a.status, string(a.body))
			require.Equal(t, format.ContentType(), a.header.Get("Content-Type"))
			require.Contains(t, a.header.Get("Content-Disposition"), name+"-main-2026-10-1020."+string(format))
			sum := sha256.Sum256(a.body)
			require.Equal(t, "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":", trailer.Get("Repr-Digest"))
			var rows int64
			var complete bool
			var kept []byte
			require.NoError(t, w.db.Super().QueryRow(t.Context(), `
				select row_count, complete, sha256 from ledger.report_export where report = $1 and format = $2`, name, string(format)).
				Scan(&rows, &complete, &kept), "every export is on record")
			require.True(t, complete)
			require.Equal(t, sum[:], kept)
			require.Positive(t, rows)
		}
	}
}

func TestACsvReportIsSafeToOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.postings(3)
	a, _ := w.fetch("/v1/reports/journal_export?period=2026-10&format=csv", "auditor", nil)
	require.NotContains(t, string(a.body), ",=", "no cell begins with what a spreadsheet runs")
	r := csv.NewReader(bytes.NewReader(a.body))
	all, err := r.ReadAll()
	require.NoError(t, err, "the cover has the width of the rows")
	require.Equal(t, "journal_no", all[0][0])
	r = csv.NewReader(bytes.NewReader(a.body))
	r.Comment = '#'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+6)
	require.Less(t, len(rows), len(all))
	require.Contains(t, rows[1][6], "=cmd|", "inside a text it is nothing special")
}

func TestAFinalReportHasOneSetOfBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.postings(20)
	w.closeOctober()
	const path = "/v1/reports/general_ledger?period=2026-10&format=csv"
	first, _ := w.fetch(path, "finance_preparer", nil)
	tag := first.header.Get("ETag")
	require.NotEmpty(t, tag)
	require.Contains(t, first.header.Get("Cache-Control"), "immutable")
	w.postings(5) // late: they count in the next month
	again, _ := w.fetch(path, "auditor", nil)
	require.Equal(t, first.body, again.body, "whoever asks, whenever")
	require.Equal(t, tag, again.header.Get("ETag"))
	same, _ := w.fetch(path, "auditor", map[string]string{"If-None-Match": tag})
	require.Equal(t, http.StatusNotModified, same.status)
	require.Empty(t, same.body)
	other, _ := w.fetch("/v1/reports/general_ledger?period=2026-10&format=json", "auditor", map[string]string{"If-None-Match": tag})
	require.Equal(t, http.StatusOK, other.status, "another form has another tag")
	open, _ := w.fetch("/v1/reports/general_ledger?period=2026-11", "auditor", map[string]string{"If-None-Match": tag})
	require.Equal(t, http.StatusOK, open.status)
	require.Equal(t, 4, w.exports(), "a 304 exports nothing")
}

func (w *world) exports() (n int) {
	w.Helper()
	require.NoError(w, w.db.Super().QueryRow(w.Context(), `select count(*) from ledger.report_export`).Scan(&n))
	return n
}

func TestReportsThatCannotBeGivenSayWhatToChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none, _ := w.fetch("/v1/reports/trial_balance?period=2026-10", "auditor", nil)
	require.Equal(t, http.StatusNotFound, none.status)
	require.Contains(t, none.json(t)["detail"], "first posting")
	w.postings(1)
	for query, detail := range map[string]string{
		"trial_balance": "give a month",
		"trial_balance?period=2026-10&from=2026-10-01T00:00:00Z":            "together",
		"trial_balance?from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z":   "after from",
		"account_statement?period=2026-10":                                  "one account",
		"audit_trail":                                                       "name the transaction",
		"audit_trail?transaction=nonsense":                                  "id (txn_",
		"trial_balance?period=2026-10&currency=xxx":                         "ISO 4217",
		"trial_balance?period=2026-13":                                      "must match",
		"nothing?period=2026-10":                                            "must be one of",
		"trial_balance?period=2026-10&format=pdf":                           "must be one of",
		"general_ledger?period=2026-10&transaction=1":                       "audit_trail only",
		"general_ledger?from=yesterday&to=2026-10-01T00:00:00Z&format=json": "must be a time",
	} {
		a, _ := w.fetch("/v1/reports/"+query, "auditor", nil)
		require.Equal(t, http.StatusBadRequest, a.status, query)
		require.Equal(t, "validation_failed", a.code(t))
		require.Contains(t, string(a.body), detail, query)
	}
	for _, query := range []string{"trial_balance?period=2026-10&account=9999", "audit_trail?transaction=77", "trial_balance?period=2026-10&entity=gmbh"} {
		a, _ := w.fetch("/v1/reports/"+query, "auditor", nil)
		require.Equal(t, http.StatusNotFound, a.status, query)
	}
	require.Zero(t, w.exports(), "nothing left, so nothing is on record")
}

func TestAnAccountsLinesInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	posted := w.postings(25)
	var seen []any
	path := "/v1/ledger/entries?account=1020&currency=usd&limit=10"
	for pages := 1; ; pages++ {
		a := w.do(call{method: "GET", path: path, role: "auditor"})
		require.Equal(t, http.StatusOK, a.status, string(a.body))
		page := a.json(t)
		data, ok := page["data"].([]any)
		require.True(t, ok)
		for _, l := range data {
			line, ok := l.(map[string]any)
			require.True(t, ok)
			seen = append(seen, line["transaction_id"])
		}
		if page["has_more"] != true {
			require.Equal(t, 3, pages)
			break
		}
		next, ok := page["next_cursor"].(string)
		require.True(t, ok)
		path = "/v1/ledger/entries?account=1020&currency=usd&limit=10&cursor=" + next
		foreign := w.do(call{method: "GET", path: path, role: "other_auditor"})
		require.Equal(t, "validation_failed", foreign.code(t), "a cursor is its tenant's")
	}
	var want []any
	for _, x := range posted {
		want = append(want, "txn_"+x.ID.String())
	}
	require.Equal(t, want, seen)
	require.Equal(t, "not_found", w.do(call{method: "GET", path: "/v1/ledger/entries?account=9999", role: "auditor"}).code(t))
}

func TestTransactionsByOrderAndByID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	posted := w.postings(14)
	a := w.do(call{method: "GET", path: "/v1/ledger/transactions?order_ref=R-3", role: "auditor"})
	require.Len(t, a.json(t)["data"], 2)
	a = w.do(call{method: "GET", path: "/v1/ledger/transactions?id=txn_" + posted[4].ID.String(), role: "auditor"})
	require.Len(t, a.json(t)["data"], 1)
	require.Contains(t, string(a.body), posted[4].ID.String())
	require.Equal(t, "not_found", w.do(call{method: "GET", path: "/v1/ledger/transactions?id=txn_" + uuid.NewString(), role: "auditor"}).code(t))
	require.Equal(t, "not_found", w.do(call{method: "GET", path: "/v1/ledger/transactions?id=txn_" + posted[4].ID.String(), role: "other_auditor"}).code(t))
	require.Equal(t, "validation_failed", w.do(call{method: "GET", path: "/v1/ledger/transactions", role: "auditor"}).code(t))
	require.Equal(t, "validation_failed", w.do(call{method: "GET", path: "/v1/ledger/transactions?order_ref=a&saga_id=sg_" + strings.Repeat("0", 26), role: "auditor"}).code(t))
}

// A reader that goes away leaves a record of what it may have got.
func TestAReportThatBreaksOffIsNoDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Many lines with a long reason: more than the sockets between them hold.
	batch := make([]ledger.Transaction, 150)
	for i := range batch {
		batch[i] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5)
		for range 19 {
			batch[i].Entries = append(batch[i].Entries, batch[i].Entries[:2]...)
		}
		batch[i].EffectiveOn, batch[i].Reason = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), strings.Repeat("why ", 490)
	}
	results, err := ledgerpg.New(w.db.Pool("app_worker")).Post(t.Context(), ledger.Main(w.tenant), batch)
	require.NoError(t, err)
	require.NoError(t, results[149].Err())
	var bodies []io.ReadCloser
	for range 4 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/v1/reports/general_ledger?period=2026-10", http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+w.keys["auditor"])
		res, err := (&http.Transport{DialContext: deaf}).RoundTrip(req)
		require.NoError(t, err)
		_, err = io.ReadFull(res.Body, make([]byte, 1000))
		require.NoError(t, err)
		bodies = append(bodies, res.Body)
	}
	fifth, _ := w.fetch("/v1/reports/trial_balance?period=2026-10", "auditor", nil)
	require.Equal(t, http.StatusServiceUnavailable, fifth.status, "a process writes four at a time")
	require.NotEmpty(t, fifth.header.Get("Retry-After"))
	for _, body := range bodies {
		require.NoError(t, body.Close())
	}
	require.Eventually(t, func() bool { return w.exports() == 4 }, 30*time.Second, 20*time.Millisecond)
	var complete int
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select count(*) from ledger.report_export where complete`).Scan(&complete))
	require.Zero(t, complete)
	require.Eventually(t, func() bool { // the record comes before the place is free
		sixth, _ := w.fetch("/v1/reports/trial_balance?period=2026-10", "auditor", nil)
		return sixth.status == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
}

// deaf is a connection that holds little of what is not read, whatever the
// machine is set to.
func deaf(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetReadBuffer(16 << 10)
}
