package gs1

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTable compares the table of application identifiers with the GS1 syntax
// dictionary.
func TestTable(t *testing.T) {
	t.Parallel()
	file, err := os.Open(shared(t, "gs1-syntax-dictionary.txt"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	named := map[string]string{"gcppos1": "prefix"}
	for _, c := range strings.Fields("csum csumalpha yymmd0 yymmdd yyyymmdd hhmi hh mi ss zero nozeroprefix pieceoftotal") {
		named[c] = c
	}
	seen := 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		r := row{ai: fields[0]}
		r.ai, r.last, _ = strings.Cut(fields[0], "-")
		if r.last == "" {
			r.last = r.ai
		}
		fields = fields[1:]
		if strings.Trim(fields[0], "*?") == "" {
			if strings.Contains(fields[0], "*") {
				r.is |= fixed
			}
			if strings.Contains(fields[0], "?") {
				r.is |= attribute
			}
			fields = fields[1:]
		}
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			switch name {
			case "req":
				r.needs = value
			case "ex":
				r.bars = value
			case "dlpkey":
				r.is |= primary
				r.path = value
			default:
				parts := strings.Split(f, ",")
				r.format += " " + parts[0]
				for _, check := range parts[1:] {
					if named[check] != "" {
						r.format += "," + named[check]
					}
				}
			}
		}
		for code := r.ai; ; code = increment(code) {
			require.Equal(t, r.build(code), table[code], "(%s)", code)
			seen++
			if code == r.last {
				break
			}
		}
	}
	require.NoError(t, lines.Err())
	require.Len(t, table, seen)
}

func increment(code string) string {
	b := []byte(code)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] <= '9' {
			break
		}
		b[i] = '0'
	}
	return string(b)
}

// TestNames compares the names of the older links with GS1's table of them.
func TestNames(t *testing.T) {
	t.Parallel()
	var ais []struct{ AI, Shortcode, Type string }
	readJSON(t, shared(t, "aitable.json"), &ais)
	n := 0
	for _, ai := range ais {
		if ai.Shortcode != "" && ai.Type != "D" {
			require.Equal(t, ai.AI, aliasOf(ai.Shortcode), ai.Shortcode)
			n++
		}
	}
	require.Greater(t, n, 20)
}
