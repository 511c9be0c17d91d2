package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/report"
)

var at = time.Date(2026, 10, 31, 23, 59, 59, 123456000, time.UTC)

// line is the i-th of some entries that balance in each currency.
func line(i int) report.EntryLine {
	l := report.EntryLine{
		Seq: int64(i/2 + 1), RecordedAt: at.Add(time.Duration(i/2) * time.Microsecond), EffectiveOn: ledger.Date(at), Period: ledger.PeriodOf(at),
		ID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i/2)), Line: int16(i%2 + 1), Account: "1020", Currency: []string{"usd", "jpy", "bhd"}[i/2%3],
		Side: ledger.Debit, Layer: ledger.LayerPosted, Amount: int64(i/2%100_000 + 1), Purpose: "test", Actor: "saga", SagaID: "sg_1",
	}
	if i%2 == 1 {
		l.Side, l.Account = ledger.Credit, "2010"
	}
	l.Balance = l.Signed()
	return l
}

func entries(n int) iter.Seq2[[]report.Cell, error] {
	return func(yield func([]report.Cell, error) bool) {
		var buf []report.Cell
		for i := range n {
			l := line(i)
			buf = l.LedgerCells(buf)
			if !yield(buf, nil) {
				return
			}
		}
	}
}

func of(lines ...report.EntryLine) iter.Seq2[[]report.Cell, error] {
	return func(yield func([]report.Cell, error) bool) {
		for i := range lines {
			if !yield(lines[i].LedgerCells(nil), nil) {
				return
			}
		}
	}
}

func cover() report.Cover {
	return report.Cover{
		Entity: "main", Basis: report.ByPeriod, Query: report.Query{Report: report.GeneralLedger, Period: ledger.PeriodOf(at)}, Final: true,
		GeneratedAt: at, GeneratedBy: report.Product, Checkpoint: report.Checkpoint{Seq: 7, Hash: [32]byte{1, 2, 3}},
	}
}

func write(t *testing.T, f report.Format, rows iter.Seq2[[]report.Cell, error]) ([]byte, report.Cover) {
	t.Helper()
	var out bytes.Buffer
	c, err := report.Write(&out, f, report.Find(report.GeneralLedger), cover(), rows)
	require.NoError(t, err)
	return out.Bytes(), c
}

func TestCsvIsWhatItsReadersExpect(t *testing.T) {
	t.Parallel()
	tricky := line(0)
	tricky.Reason, tricky.OrderRef, tricky.Actor = "=HYPERLINK(\"http://x\")", "@SUM(1,2)", "two\r\nlines\tand \"quotes\", commas"
	tricky.Balance = -5
	raw, c := write(t, report.CSV, of(tricky, line(1)))
	r := csv.NewReader(bytes.NewReader(raw))
	strict, err := r.ReadAll()
	require.NoError(t, err, "rows and cover have one width")
	require.Len(t, strict[0], 20)
	require.Equal(t, "posted_at", strict[0][0])
	require.Equal(t, "2026-10-31T23:59:59.123456Z", strict[1][0])
	require.Equal(t, "2026-10-31", strict[1][1])
	require.Equal(t, "test: =HYPERLINK(\"http://x\")", strict[1][7], "not at the beginning of the cell")
	require.Equal(t, "0.01", strict[1][8])
	require.Equal(t, "-0.05", strict[1][10], "a negative number is a number")
	require.Equal(t, "'@SUM(1,2)", strict[1][13])
	require.Equal(t, "two lines and \"quotes\", commas", strict[1][18])
	data, _, ok := bytes.Cut(raw, []byte("#report"))
	require.True(t, ok)
	require.Equal(t, sha256.Sum256(data), c.DataSHA256, "the digest is of what stands before the cover")
	require.Equal(t, bytes.Count(raw, []byte("\n")), bytes.Count(raw, []byte("\r\n")))
	trailer := string(raw[len(data):])
	for _, part := range []string{"#period,,2026-10,", "#row_count,,2,", "#control_total,usd debit,0.01,", "#balanced,,true,", "#checkpoint_seq,,7,", "#generated_by,,recourse,"} {
		require.Contains(t, trailer, part)
	}
}

func TestNoCellOfACsvRunsAsAFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String()
		l := line(0)
		l.Reason, l.OrderRef, l.Actor, l.SagaID = text.Draw(rt, "reason"), text.Draw(rt, "order"), text.Draw(rt, "actor"), text.Draw(rt, "saga")
		raw, _ := write(t, report.CSV, of(l))
		all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		require.NoError(rt, err)
		for _, i := range []int{7, 12, 13, 15, 18} {
			if cell := all[1][i]; cell != "" {
				require.NotContains(rt, "=+-@\t\r\n", cell[:1])
			}
		}
		data, _, _ := bytes.Cut(raw, []byte("\r\n#report,"))
		require.Equal(rt, 1, bytes.Count(data, []byte("\r\n")), "a row is one line")
		doc, _ := write(t, report.JSON, of(l))
		var v struct{ Rows []map[string]any }
		require.NoError(rt, json.Unmarshal(doc, &v))
		if l.OrderRef != "" {
			require.Equal(rt, l.OrderRef, v.Rows[0]["order_ref"])
		}
	})
}

func TestControlTotalsAreTheSumsOfTheColumns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(rt, "n")
		want := map[string]int64{}
		for i := range n {
			l := line(i)
			column := map[ledger.Side]string{ledger.Debit: "debit", ledger.Credit: "credit"}[l.Side]
			want[l.Currency+" "+column] += l.Amount
		}
		_, c := write(t, report.JSON, entries(n))
		require.EqualValues(rt, n, c.Rows)
		got := map[string]int64{}
		for _, total := range c.Totals {
			if total.Amount != 0 {
				got[total.Currency+" "+total.Column] = total.Amount
			}
		}
		require.Equal(rt, want, got)
		require.Equal(rt, n%2 == 0, *c.Balanced)
	})
}

func TestATotalThatIsTooLargeIsAnError(t *testing.T) {
	t.Parallel()
	a, b := line(0), line(0)
	a.Amount, b.Amount = 1<<62, 1<<62
	_, err := report.Write(io.Discard, report.CSV, report.Find(report.GeneralLedger), cover(), of(a, b))
	require.ErrorIs(t, err, report.ErrTotalTooLarge)
}

func TestAWorkbookReopensAndItsFormulasComeToTheControlTotals(t *testing.T) {
	t.Parallel()
	raw, c := write(t, report.XLSX, entries(600))
	book, err := excelize.OpenReader(bytes.NewReader(raw))
	require.NoError(t, err)
	defer func() { _ = book.Close() }()
	require.Equal(t, []string{"Cover", "USD", "JPY", "BHD"}, book.GetSheetList())
	rows := 0
	for _, total := range c.Totals {
		name := strings.ToUpper(total.Currency)
		all, err := book.GetRows(name, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		column := map[string]string{"debit": "I", "credit": "J"}[total.Column]
		cell := fmt.Sprint(column, len(all))
		formula, err := book.GetCellFormula(name, cell)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("SUM(%s2:%s%d)", column, column, len(all)-1), formula)
		computed, err := book.CalcCellValue(name, cell, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		var got float64
		_, err = fmt.Sscan(computed, &got)
		require.NoError(t, err)
		var want float64
		_, err = fmt.Sscan(ledger.FormatAmount(total.Amount, total.Currency), &want)
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-6)
		kind, err := book.GetCellType(name, column+"2")
		require.NoError(t, err)
		require.NotEqual(t, excelize.CellTypeInlineString, kind, "an amount is a number")
		if total.Column == "debit" {
			rows += len(all) - 2
			panes, err := book.GetPanes(name)
			require.NoError(t, err)
			require.True(t, panes.Freeze)
			day, err := book.GetCellValue(name, "B2")
			require.NoError(t, err)
			require.Equal(t, "2026-10-31", day, "a date is a date")
			moment, err := book.GetCellValue(name, "A2")
			require.NoError(t, err)
			require.Contains(t, moment, "2026-10-31 23:59:59")
			code, err := book.GetCellType(name, "G2")
			require.NoError(t, err)
			require.Equal(t, excelize.CellTypeInlineString, code, "an account code is a text")
		}
	}
	require.EqualValues(t, c.Rows, rows)
	told, err := book.GetRows("Cover")
	require.NoError(t, err)
	require.Equal(t, []string{"report", "", "general_ledger"}, told[0])
	require.Equal(t, fmt.Sprintf("%x", c.DataSHA256), told[len(told)-1][2])
}

func TestTheSameRowsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, f := range []report.Format{report.JSON, report.CSV, report.XLSX} {
		first, _ := write(t, f, entries(300))
		for range 5 {
			again, _ := write(t, f, entries(300))
			require.True(t, bytes.Equal(first, again), f)
		}
		other, _ := write(t, f, entries(298))
		require.NotEqual(t, first, other)
	}
}

func TestAnEmptyReportIsOneToo(t *testing.T) {
	t.Parallel()
	for _, f := range []report.Format{report.JSON, report.CSV, report.XLSX} {
		raw, c := write(t, f, entries(0))
		require.Zero(t, c.Rows)
		require.NotEmpty(t, raw)
	}
}

// Rows are written as they come: while the source still has most of them, the
// reader has most of what came before, and the heap does not grow with them.
func TestRowsAreNotKept(t *testing.T) { //nolint:paralleltest // measures the heap, which nobody else may fill
	const n = 200_000
	for _, f := range []report.Format{report.JSON, report.CSV} {
		var written counter
		var behind int64
		var given int
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		source := func(yield func([]report.Cell, error) bool) {
			var buf []report.Cell
			for i := range n {
				l := line(i)
				buf = l.LedgerCells(buf)
				if !yield(buf, nil) {
					return
				}
				given++
				behind = max(behind, int64(given)-written.lines)
			}
			runtime.GC()
			runtime.ReadMemStats(&during)
		}
		c, err := report.Write(&written, f, report.Find(report.GeneralLedger), cover(), source)
		require.NoError(t, err)
		require.EqualValues(t, n, c.Rows)
		require.LessOrEqual(t, behind, int64(2), "each row is out before the next one comes")
		require.Less(t, int64(during.HeapAlloc)-int64(before.HeapAlloc), int64(64<<20))
	}
}

// counter counts lines and keeps nothing.
type counter struct{ lines int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.lines += int64(bytes.Count(b, []byte("\n")))
	return len(b), nil
}

func TestAnErrorOfTheRowsEndsTheReport(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is gone")
	for _, f := range []report.Format{report.JSON, report.CSV, report.XLSX} {
		var out bytes.Buffer
		_, err := report.Write(&out, f, report.Find(report.GeneralLedger), cover(), func(yield func([]report.Cell, error) bool) {
			l := line(0)
			if yield(l.LedgerCells(nil), nil) {
				yield(nil, broken)
			}
		})
		require.ErrorIs(t, err, broken)
		require.NotContains(t, out.String(), "data_sha256", "a part has no cover at its end")
	}
	_, err := report.Write(full{}, report.CSV, report.Find(report.GeneralLedger), cover(), entries(2))
	require.ErrorIs(t, err, io.ErrShortWrite)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func BenchmarkWrite(b *testing.B) {
	for _, f := range []report.Format{report.JSON, report.CSV, report.XLSX} {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			_, err := report.Write(io.Discard, f, report.Find(report.GeneralLedger), cover(), entries(b.N))
			require.NoError(b, err)
		})
	}
}
