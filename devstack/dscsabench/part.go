package dscsabench

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
)

// PartCommand is the argument by which a program that calls Run lets it start
// that program again for a part: Part gets what follows it.
const PartCommand = "dscsa-part"

// spent is what one part reports.
type spent struct {
	Events int
	CPU    []time.Duration // of each pass
	Peak   int64           // resident bytes, the most there ever were
}

func (s *spent) median() time.Duration {
	all := slices.Sorted(slices.Values(s.CPU))
	return all[len(all)/2]
}

// passes read the file named and say how many events were in it.
var passes = map[string]func(path string) (int, error){
	"read":  func(path string) (int, error) { return withFile(path, readAll) },
	"check": func(path string) (int, error) { return withFile(path, checked) },
	"encoding/xml": func(path string) (int, error) {
		var d plainXML
		raw, err := os.ReadFile(path)
		if err == nil {
			err = xml.Unmarshal(raw, &d)
		}
		return len(d.Objects) + len(d.Packs), err
	},
	"encoding/json": func(path string) (int, error) {
		var d plainJSON
		raw, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(raw, &d)
		}
		return len(d.EPCISBody.EventList), err
	},
}

// Part does one part in this process and prints what it took: the name of a
// pass and a file, or memory, read or check, and the size of the document.
func Part(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("a part is a kind, a name and a file or size")
	}
	var s spent
	switch args[0] {
	case "pass":
		pass := passes[args[1]]
		if pass == nil {
			return fmt.Errorf("there is no pass %q", args[1])
		}
		for range 3 {
			before := processor()
			n, err := pass(args[2])
			if err != nil {
				return err
			}
			s.Events, s.CPU = n, append(s.CPU, processor()-before)
		}
	case "memory":
		size, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		r := dscsatest.Goods{Units: int(size / dscsatest.PerPackage)}.Document()
		if args[1] == "check" {
			s.Events, err = checked(r)
		} else {
			s.Events, err = readAll(r)
		}
		if err != nil {
			return err
		}
		if s.Peak, err = peak(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("there is no part %q", args[0])
	}
	return json.NewEncoder(out).Encode(s)
}

func withFile(path string, fn func(io.Reader) (int, error)) (int, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	return fn(f)
}

func readAll(r io.Reader) (int, error) {
	in, err := epcis.NewReader(r, epcis.Limits{})
	n := 0
	for ; err == nil; n++ {
		_, err = in.Next()
	}
	if errors.Is(err, io.EOF) {
		return n - 1, nil
	}
	return n, err
}

// checked reads and checks a document, which must be found clean: otherwise a
// part of the checks would not be measured.
func checked(r io.Reader) (int, error) {
	report, err := check.Whole(r, epcis.Limits{}, check.Options{Now: dscsatest.GoodsSeen})
	if err != nil {
		return 0, err
	}
	if report.Verdict != check.Accept || !report.DSCSA || len(report.Findings) > 0 {
		return 0, fmt.Errorf("the document that is measured is not clean: %s, %+v", report.Verdict, report.Findings)
	}
	return report.Events, nil
}

// processor is the processor time this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory this process ever had resident. The figure of
// getrusage is not good for that: it begins with that of the process that
// started this one.
func peak() (int64, error) {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the peak of memory: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the peak of memory")
}

// part does one part in a process of its own on one core.
func part(ctx context.Context, args ...string) (*spent, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{PartCommand}, args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	var s spent
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return &s, nil
}

// lint is the processor time of libxml2's streaming check that a file is
// well-formed, of several runs the one in the middle.
func lint(ctx context.Context, xmllint, path string) (time.Duration, error) {
	var all []time.Duration
	for range 5 {
		cmd := exec.CommandContext(ctx, xmllint, "--stream", "--noout", path)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("xmllint: %w: %.200s", err, out)
		}
		all = append(all, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
