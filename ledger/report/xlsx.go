package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/recourse/recourse/ledger"
)

// xlsxForm is a workbook: a cover sheet and one sheet for each currency, with
// real numbers and dates, a frozen header and totals as formulas. Rows go to a
// temporary file as they come. A currency with more rows than a sheet holds
// goes on in the next one, and its totals are under the last.
type xlsxForm struct {
	w       io.Writer
	d       *Definition
	file    *excelize.File
	zip     *orderedZip
	sheets  map[string]*sheet
	order   []*sheet
	styles  map[string]int
	maxRows int // of one sheet, header and totals included
	cells   []any
}

// sheet is where a currency's rows go.
type sheet struct {
	currency string
	stream   *excelize.StreamWriter
	names    []string // those that are full, and the one that is written
	rows     int      // of the one that is written, with the header
}

const sheetRows = 1 << 20

func newXLSX(w io.Writer, d *Definition) *xlsxForm {
	return &xlsxForm{w: w, d: d, file: excelize.NewFile(), sheets: map[string]*sheet{}, styles: map[string]int{}, maxRows: sheetRows}
}

func (f *xlsxForm) begin() (err error) {
	if f.zip, err = newOrderedZip(f.w); err != nil {
		return err
	}
	f.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return f.zip })
	return f.file.SetSheetName("Sheet1", "Cover")
}

func (f *xlsxForm) abandon() {
	_ = f.file.Close()
	if f.zip != nil {
		f.zip.remove()
	}
}

func (f *xlsxForm) row(cells []Cell, _ []byte) error {
	currency := ""
	if i := f.d.currency(); i >= 0 {
		currency = cells[i].text
	}
	s, err := f.sheetOf(currency)
	if err != nil {
		return err
	}
	f.cells = f.cells[:0]
	for i, c := range f.d.Columns {
		cell, err := f.cell(c.Kind, cells[i], currency)
		if err != nil {
			return err
		}
		f.cells = append(f.cells, cell)
	}
	s.rows++
	return s.stream.SetRow(fmt.Sprintf("A%d", s.rows), f.cells)
}

// sheetOf is the sheet for the currency's next row.
func (f *xlsxForm) sheetOf(currency string) (*sheet, error) {
	s := f.sheets[currency]
	if s == nil {
		s = &sheet{currency: currency}
		f.sheets[currency] = s
		f.order = append(f.order, s)
	}
	if s.stream != nil && s.rows < f.maxRows-1 {
		return s, nil
	}
	if s.stream != nil {
		if err := s.stream.Flush(); err != nil {
			return nil, err
		}
	}
	return s, f.open(s)
}

// open begins a currency's next sheet.
func (f *xlsxForm) open(s *sheet) (err error) {
	name := strings.ToUpper(s.currency)
	if name == "" {
		name = "Rows"
	}
	if n := len(s.names); n > 0 {
		name = fmt.Sprintf("%s %d", name, n+1)
	}
	if _, err = f.file.NewSheet(name); err != nil {
		return err
	}
	if s.stream, err = f.file.NewStreamWriter(name); err != nil {
		return err
	}
	s.names, s.rows = append(s.names, name), 1
	for i, c := range f.d.Columns {
		if err := s.stream.SetColWidth(i+1, i+1, width(c.Kind)); err != nil {
			return err
		}
	}
	if err := s.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	bold, err := f.style("bold", &excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	head := make([]any, len(f.d.Columns))
	for i, c := range f.d.Columns {
		head[i] = excelize.Cell{StyleID: bold, Value: c.Name}
	}
	return s.stream.SetRow("A1", head)
}

func width(k Kind) float64 {
	switch k {
	case Timestamp:
		return 24
	case Date:
		return 12
	case Integer:
		return 10
	default:
		return 18
	}
}

// style makes a style once.
func (f *xlsxForm) style(name string, s *excelize.Style) (int, error) {
	if id, ok := f.styles[name]; ok {
		return id, nil
	}
	id, err := f.file.NewStyle(s)
	if err != nil {
		return 0, err
	}
	f.styles[name] = id
	return id, nil
}

// amountStyle shows as many decimals as the currency has.
func (f *xlsxForm) amountStyle(currency string, bold bool) (int, error) {
	format := "#,##0"
	if n := ledger.MinorDigits(currency); n > 0 {
		format += "." + strings.Repeat("0", n)
	}
	s := &excelize.Style{CustomNumFmt: &format}
	if bold {
		s.Font = &excelize.Font{Bold: true}
	}
	return f.style(fmt.Sprint("amount ", format, bold), s)
}

func (f *xlsxForm) cell(kind Kind, c Cell, currency string) (any, error) {
	if !c.filled {
		return nil, nil
	}
	switch kind {
	case Integer:
		return c.number, nil
	case Money:
		id, err := f.amountStyle(currency, false)
		return excelize.Cell{StyleID: id, Value: decimal(c.number, currency)}, err
	case Date, Timestamp:
		format := "yyyy-mm-dd"
		if kind == Timestamp {
			format = "yyyy-mm-dd hh:mm:ss.000"
		}
		id, err := f.style(format, &excelize.Style{CustomNumFmt: &format})
		return excelize.Cell{StyleID: id, Value: serial(c.time)}, err
	default:
		return c.text, nil
	}
}

// decimal is the amount as a spreadsheet has it: a double, exact to 15 digits.
func decimal(minor int64, currency string) float64 {
	return float64(minor) / math.Pow10(ledger.MinorDigits(currency))
}

// serial is a time as a spreadsheet has it: days since 30 December 1899.
func serial(t time.Time) float64 {
	const unix = 25569
	return unix + float64(t.UnixMicro())/86400e6
}

func (f *xlsxForm) end(c *Cover) error {
	if len(f.order) == 0 {
		if _, err := f.sheetOf(c.Query.Currency); err != nil {
			return err
		}
	}
	for _, s := range f.order {
		if err := f.totals(s, c); err != nil {
			return err
		}
		if err := s.stream.Flush(); err != nil {
			return err
		}
	}
	if err := f.cover(c); err != nil {
		return err
	}
	at := c.GeneratedAt.UTC().Format(time.RFC3339)
	err := f.file.SetDocProps(&excelize.DocProperties{Creator: Product, LastModifiedBy: Product, Title: f.d.Title, Created: at, Modified: at})
	if err != nil {
		return err
	}
	// The zip is this form's own, which writes to w: the other writer gets nothing.
	return f.file.Write(io.Discard)
}

// totals adds the totals row: formulas, with what they come to.
func (f *xlsxForm) totals(s *sheet, c *Cover) error {
	if s.rows == 1 && len(s.names) == 1 {
		return nil
	}
	bold, err := f.amountStyle(s.currency, true)
	if err != nil {
		return err
	}
	row, some := make([]any, len(f.d.Columns)), false
	for i, column := range f.d.Columns {
		if !column.Summed {
			continue
		}
		some = true
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		var ranges []string
		for k, name := range s.names {
			last := f.maxRows - 1
			if k == len(s.names)-1 {
				last = s.rows
			}
			ranges = append(ranges, fmt.Sprintf("'%s'!%s2:%s%d", name, letter, letter, last))
		}
		if len(s.names) == 1 { // the usual case reads more easily
			ranges[0] = fmt.Sprintf("%s2:%s%d", letter, letter, s.rows)
		}
		cell := excelize.Cell{StyleID: bold, Formula: "SUM(" + strings.Join(ranges, ",") + ")"}
		for _, t := range c.Totals {
			if t.Currency == s.currency && t.Column == column.Name {
				cell.Value = decimal(t.Amount, t.Currency)
			}
		}
		row[i] = cell
	}
	if !some {
		return nil
	}
	if row[0] == nil {
		label, err := f.style("bold", &excelize.Style{Font: &excelize.Font{Bold: true}})
		if err != nil {
			return err
		}
		row[0] = excelize.Cell{StyleID: label, Value: "Total"}
	}
	return s.stream.SetRow(fmt.Sprintf("A%d", s.rows+1), row)
}

// cover fills in the cover sheet.
func (f *xlsxForm) cover(c *Cover) error {
	const name = "Cover"
	at := 0
	for _, v := range c.fields(f.d) {
		at++
		if err := f.file.SetSheetRow(name, fmt.Sprintf("A%d", at), &[]any{v.name, v.detail, v.value}); err != nil {
			return err
		}
		if v.name != "control_total" {
			continue
		}
		currency, column, _ := strings.Cut(v.detail, " ")
		for _, t := range c.Totals {
			if t.Currency != currency || t.Column != column {
				continue
			}
			id, err := f.amountStyle(currency, false)
			if err != nil {
				return err
			}
			cell := fmt.Sprintf("C%d", at)
			if err := f.file.SetCellFloat(name, cell, decimal(t.Amount, currency), -1, 64); err != nil {
				return err
			}
			if err := f.file.SetCellStyle(name, cell, cell, id); err != nil {
				return err
			}
		}
	}
	if err := f.file.SetColWidth(name, "A", "B", 24); err != nil {
		return err
	}
	return f.file.SetColWidth(name, "C", "C", 70)
}
