package report

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

func TestACurrencyWithMoreRowsThanASheetGoesOnInTheNext(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := newXLSX(&out, trialBalance)
	f.maxRows = 12
	defer f.abandon()
	require.NoError(t, f.begin())
	sums := newSums(trialBalance)
	for i := range 25 {
		l := BalanceLine{Code: fmt.Sprint(i), Name: "n", Currency: "usd", Debits: int64(i), Credits: 3}
		cells := l.Cells(nil)
		require.NoError(t, sums.add(cells))
		require.NoError(t, f.row(cells, nil))
	}
	require.NoError(t, f.end(&Cover{Totals: sums.totals()}))
	book, err := excelize.OpenReader(&out)
	require.NoError(t, err)
	defer func() { _ = book.Close() }()
	require.Equal(t, []string{"Cover", "USD", "USD 2", "USD 3"}, book.GetSheetList())
	n := 0
	for _, name := range book.GetSheetList()[1:] {
		rows, err := book.GetRows(name)
		require.NoError(t, err)
		require.LessOrEqual(t, len(rows), f.maxRows)
		require.Equal(t, "account_code", rows[0][0])
		n += len(rows) - 1
	}
	require.Equal(t, 25+1, n, "one row of totals")
	total, err := book.CalcCellValue("USD 3", "G7", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	require.Equal(t, "3", total)
	stored, err := book.GetCellValue("USD 3", "G7", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	require.Equal(t, "3", stored)
}
