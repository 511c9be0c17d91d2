package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A sheet is what a command found, ready for each output format. JSON is what
// -output json prints, one document; Columns and Rows serve table and csv.
type sheet struct {
	Columns []string
	Rows    [][]string
	JSON    any
}

const outputUsage = "table, json or csv"

// write prints the sheet. A cell that a spreadsheet would take for a formula
// is quoted in csv.
func (s sheet) write(w io.Writer, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(s.JSON)
	case "csv":
		c := csv.NewWriter(w)
		if err := c.Write(s.Columns); err != nil {
			return err
		}
		for _, row := range s.Rows {
			safe := make([]string, len(row))
			for i, cell := range row {
				safe[i] = plainCell(cell)
			}
			if err := c.Write(safe); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	case "table":
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(t, strings.ToUpper(strings.Join(s.Columns, "\t")))
		for _, row := range s.Rows {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
		return t.Flush()
	default:
		return usagef("-output is %q: use %s", format, outputUsage)
	}
}

// plainCell keeps a spreadsheet from running a cell as a formula (OWASP, CSV
// injection). A plain negative number stays a number.
func plainCell(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if strings.Trim(cell[1:], "0123456789.") == "" && cell[0] == '-' {
		return cell
	}
	return "'" + cell
}
