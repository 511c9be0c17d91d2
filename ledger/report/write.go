package report

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// Format is the form in which a report is written.
type Format string

// The formats.
const (
	JSON Format = "json"
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// ContentType is the format's media type.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	default:
		return "application/json"
	}
}

// Known reports whether the format is one of the three.
func (f Format) Known() bool { return f == JSON || f == CSV || f == XLSX }

// A form writes one report. asCSV is the row as it stands in the CSV form.
type form interface {
	begin() error
	row(cells []Cell, asCSV []byte) error
	end(c *Cover) error
	// abandon frees what the form holds; end need not have been called.
	abandon()
}

// ErrTotalTooLarge means that a control total does not fit 64 bits.
var ErrTotalTooLarge = errors.New("a control total is too large")

// Write writes a report to w as its rows come, and returns the cover with row
// count, control totals and digest filled in. A row is read before the next
// one is asked for, so that its cells may be used again. An error leaves a part
// behind that has no end.
func Write(w io.Writer, f Format, d *Definition, c Cover, rows iter.Seq2[[]Cell, error]) (Cover, error) {
	var out form
	switch f {
	case JSON:
		out = &jsonForm{w: w, d: d}
	case CSV:
		out = &csvForm{w: w, d: d}
	case XLSX:
		out = newXLSX(w, d)
	default:
		return c, fmt.Errorf("write report: there is no format %q", string(f))
	}
	defer out.abandon()
	if err := out.begin(); err != nil {
		return c, fmt.Errorf("write report: %w", err)
	}
	digest, sums := sha256.New(), newSums(d)
	line := csvHeader(d)
	digest.Write(line)
	for cells, err := range rows {
		if err != nil {
			return c, err
		}
		line = appendCSVRow(line[:0], d, cells)
		digest.Write(line)
		if err := sums.add(cells); err != nil {
			return c, err
		}
		if err := out.row(cells, line); err != nil {
			return c, fmt.Errorf("write report: %w", err)
		}
		c.Rows++
	}
	c.DataSHA256 = [32]byte(digest.Sum(nil))
	c.Totals, c.Balanced = sums.totals(), sums.balanced(c.Query.Account != "")
	if err := out.end(&c); err != nil {
		return c, fmt.Errorf("write report: %w", err)
	}
	return c, nil
}

// sums are the control totals, by currency and summed column.
type sums struct {
	d       *Definition
	columns []int
	of      map[string][]int64
}

func newSums(d *Definition) *sums {
	s := &sums{d: d, of: map[string][]int64{}}
	for i, c := range d.Columns {
		if c.Summed {
			s.columns = append(s.columns, i)
		}
	}
	return s
}

func (s *sums) add(cells []Cell) error {
	if len(s.columns) == 0 {
		return nil
	}
	currency := cells[s.d.currency()].text
	of := s.of[currency]
	if of == nil {
		of = make([]int64, len(s.columns))
		s.of[currency] = of
	}
	for i, column := range s.columns {
		a, b := of[i], cells[column].number
		sum, _ := bits.Add64(uint64(a), uint64(b), 0)
		if of[i] = int64(sum); (a >= 0) == (b >= 0) && (of[i] >= 0) != (a >= 0) {
			return ErrTotalTooLarge
		}
	}
	return nil
}

func (s *sums) totals() []Total {
	var out []Total
	for _, currency := range slices.Sorted(maps.Keys(s.of)) {
		for i, column := range s.columns {
			out = append(out, Total{Currency: currency, Column: s.d.Columns[column].Name, Amount: s.of[currency][i]})
		}
	}
	return out
}

// balanced reports whether all pairs that must be equal are, nil when the
// report has none or covers only a part of the accounts.
func (s *sums) balanced(part bool) *bool {
	if len(s.d.Ties) == 0 || part {
		return nil
	}
	equal := true
	for _, of := range s.of {
		for _, pair := range s.d.Ties {
			a, b := slices.Index(s.columns, s.d.column(pair[0])), slices.Index(s.columns, s.d.column(pair[1]))
			equal = equal && of[a] == of[b]
		}
	}
	return &equal
}
