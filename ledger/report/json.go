package report

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// jsonForm is one document: object, report, columns, rows, cover. Money is
// integer minor units, as everywhere in the API.
type jsonForm struct {
	w    io.Writer
	d    *Definition
	some bool
	buf  []byte
}

func (f *jsonForm) begin() error {
	type column struct {
		Name string `json:"name"`
		Kind Kind   `json:"kind"`
	}
	columns := make([]column, len(f.d.Columns))
	for i, c := range f.d.Columns {
		columns[i] = column{c.Name, c.Kind}
	}
	head, err := json.Marshal(columns)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.w, `{"object":"report","report":%q,"columns":%s,"rows":[`, string(f.d.Name), head)
	return err
}

func (f *jsonForm) row(cells []Cell, _ []byte) error {
	b := f.buf[:0]
	if f.some {
		b = append(b, ',')
	}
	f.some = true
	b = append(b, '\n', '{')
	for i, c := range f.d.Columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, c.Name...)
		b = append(b, '"', ':')
		b = appendJSONCell(b, c.Kind, cells[i])
	}
	f.buf = append(b, '}')
	_, err := f.w.Write(f.buf)
	return err
}

func appendJSONCell(b []byte, kind Kind, c Cell) []byte {
	if !c.filled {
		return append(b, "null"...)
	}
	switch kind {
	case Integer, Money:
		return strconv.AppendInt(b, c.number, 10)
	case Date:
		return c.time.AppendFormat(b, `"2006-01-02"`)
	case Timestamp:
		return c.time.AppendFormat(b, `"2006-01-02T15:04:05.000000Z"`)
	default:
		return appendJSONText(b, c.text)
	}
}

func appendJSONText(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] > '~' {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always encodes
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

type coverView struct {
	Entity        string      `json:"entity"`
	Basis         Basis       `json:"basis"`
	Period        string      `json:"period,omitempty"`
	From          string      `json:"from,omitempty"`
	To            string      `json:"to,omitempty"`
	Account       string      `json:"account,omitempty"`
	Currency      string      `json:"currency,omitempty"`
	Transaction   string      `json:"transaction,omitempty"`
	Line          int         `json:"line,omitempty"`
	Final         bool        `json:"final"`
	GeneratedAt   string      `json:"generated_at"`
	GeneratedBy   string      `json:"generated_by"`
	RowCount      int64       `json:"row_count"`
	ControlTotals []totalView `json:"control_totals"`
	Balanced      *bool       `json:"balanced,omitempty"`
	Checkpoint    struct {
		Seq  int64  `json:"seq"`
		Hash string `json:"hash"`
		Note string `json:"note,omitempty"`
	} `json:"checkpoint"`
	DataSHA256 string `json:"data_sha256"`
}

type totalView struct {
	Currency string `json:"currency"`
	Column   string `json:"column"`
	Amount   int64  `json:"amount"`
}

func (f *jsonForm) end(c *Cover) error {
	p := c.Query.Parameters()
	v := coverView{
		Entity: c.Entity, Basis: c.Basis, Period: p["period"], From: p["from"], To: p["to"], Account: p["account"], Currency: p["currency"],
		Transaction: p["transaction"], Line: c.Query.Line, Final: c.Final, GeneratedAt: stamp(c.GeneratedAt), GeneratedBy: c.GeneratedBy,
		RowCount: c.Rows, ControlTotals: []totalView{}, Balanced: c.Balanced, DataSHA256: hex.EncodeToString(c.DataSHA256[:]),
	}
	for _, t := range c.Totals {
		v.ControlTotals = append(v.ControlTotals, totalView(t))
	}
	v.Checkpoint.Seq, v.Checkpoint.Hash, v.Checkpoint.Note = c.Checkpoint.Seq, hex.EncodeToString(c.Checkpoint.Hash[:]), c.Checkpoint.Note
	cover, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.w, "\n],\"cover\":%s}\n", cover)
	return err
}

func (*jsonForm) abandon() {}
