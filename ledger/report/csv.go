package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/recourse/recourse/ledger"
)

// csvForm is RFC 4180 in UTF-8: a header row, the rows, and the cover as rows
// of the same width whose first field begins with #. Readers that know no
// comments see rows of equal length; the others skip them.
type csvForm struct {
	w io.Writer
	d *Definition
}

func (f *csvForm) begin() error {
	_, err := f.w.Write(csvHeader(f.d))
	return err
}

func (f *csvForm) row(_ []Cell, asCSV []byte) error {
	_, err := f.w.Write(asCSV)
	return err
}

func (f *csvForm) end(c *Cover) error {
	var b []byte
	for _, v := range c.fields(f.d) {
		b = append(b, '#')
		b = append(b, v.name...)
		b = append(b, ',')
		b = appendCSVText(b, v.detail)
		b = append(b, ',')
		b = appendCSVText(b, v.value)
		for range len(f.d.Columns) - 3 {
			b = append(b, ',')
		}
		b = append(b, '\r', '\n')
	}
	_, err := f.w.Write(b)
	return err
}

func (*csvForm) abandon() {}

func csvHeader(d *Definition) []byte {
	var b []byte
	for i, c := range d.Columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c.Name...)
	}
	return append(b, '\r', '\n')
}

func appendCSVRow(b []byte, d *Definition, cells []Cell) []byte {
	currency := ""
	if i := d.currency(); i >= 0 {
		currency = cells[i].text
	}
	for i, c := range d.Columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCSVCell(b, c.Kind, cells[i], currency)
	}
	return append(b, '\r', '\n')
}

func appendCSVCell(b []byte, kind Kind, c Cell, currency string) []byte {
	if !c.filled {
		return b
	}
	switch kind {
	case Integer:
		return strconv.AppendInt(b, c.number, 10)
	case Money:
		return append(b, ledger.FormatAmount(c.number, currency)...)
	case Date:
		return c.time.AppendFormat(b, "2006-01-02")
	case Timestamp:
		return c.time.AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	default:
		return appendCSVText(b, c.text)
	}
}

// appendCSVText writes a text. One that a spreadsheet would run as a formula
// gets an apostrophe before it (OWASP, CSV injection); a row stays one line.
func appendCSVText(b []byte, s string) []byte {
	if strings.ContainsAny(s, "\r\n\t\x00") {
		s = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ", "\x00", "").Replace(s)
	}
	escape := s != "" && strings.IndexByte("=+-@", s[0]) >= 0
	if !strings.ContainsAny(s, "\",") && !strings.HasPrefix(s, " ") && !strings.HasPrefix(s, "#") {
		if escape {
			b = append(b, '\'')
		}
		return append(b, s...)
	}
	b = append(b, '"')
	if escape {
		b = append(b, '\'')
	}
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
