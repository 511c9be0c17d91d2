package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// documents are the tools for EPCIS documents.
func documents(ctx context.Context, std streams, args []string) error {
	what, rest, err := verb("epcis", args, "validate", "import", "export")
	switch {
	case err != nil:
		return err
	case what == "import":
		return importDocuments(ctx, std, rest)
	case what == "export":
		return exportDocuments(ctx, std, rest)
	default:
		return validate(ctx, std, rest)
	}
}

// checkedFile is the line that validate prints for a file.
type checkedFile struct {
	File     string          `json:"file"`
	Verdict  check.Verdict   `json:"verdict"`
	Format   epcis.Format    `json:"format"` // "" when that could not be told
	Events   int             `json:"events"`
	ByType   map[string]int  `json:"byType"`
	Findings []check.Finding `json:"findings"`
}

const validateUsage = `recourse epcis validate FILE…

Checks EPCIS documents (1.2 XML, 2.0 XML, 2.0 JSON-LD) without a server and
prints one JSON line for each file:
  accept  nothing, or only findings that change nothing
  flag    storable, but its product must not be treated as clean
  reject  cannot be stored as what it claims to be
Exit code: 0 every file is accepted, 1 a file is flagged, rejected or cannot be
read, 2 wrong usage. docs/checks.md lists the rules.
`

// validate checks files one after the other. A file that cannot be read gets
// its line too, so that the lines and the files are as many.
func validate(ctx context.Context, std streams, args []string) error {
	f := flags(std, "epcis validate")
	f.Usage = func() {
		fmt.Fprint(std.err, validateUsage)
		f.PrintDefaults()
	}
	perRule := f.Int("findings", 20, "how many findings of one rule to describe; the others are counted")
	files, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("name the files to check")
	}
	if *perRule < 1 {
		return usagef("-findings is %d: 1 or more", *perRule)
	}
	out := json.NewEncoder(std.out)
	out.SetEscapeHTML(false)
	problems := 0
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		report, err := validateFile(name, *perRule)
		if err != nil {
			fmt.Fprintf(std.err, "recourse epcis validate: %v\n", err)
			report = check.Report{Verdict: check.Reject, ByType: map[string]int{}, Findings: []check.Finding{
				{Rule: "read", Severity: check.Error, Where: "document", Message: "the file cannot be read: " + err.Error()},
			}}
		}
		if report.Verdict != check.Accept {
			problems++
		}
		line := checkedFile{name, report.Verdict, report.Format, report.Events, report.ByType, report.Findings}
		if err := out.Encode(line); err != nil {
			return fmt.Errorf("write what was found: %w", err)
		}
	}
	if problems > 0 {
		return problemsError{problems}
	}
	return nil
}

func validateFile(name string, perRule int) (check.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return check.Report{}, err
	}
	defer func() { _ = file.Close() }()
	report, err := check.Whole(file, epcis.Limits{}, check.Options{Now: time.Now(), PerRule: perRule})
	if err != nil {
		return check.Report{}, fmt.Errorf("%s: %w", name, err)
	}
	return report, nil
}
