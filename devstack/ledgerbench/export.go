package ledgerbench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

// exports streams the whole book as finance's two long reports and measures how
// fast the rows come and what memory this process needs at most.
func (s *server) exports(ctx context.Context, talk io.Writer, print func(Line)) error {
	pool, err := pgxpool.New(ctx, s.URL("app_api"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer pool.Close()
	store := postgres.New(pool)
	for _, name := range []report.Name{report.GeneralLedger, report.JournalExport} {
		d := report.Find(name)
		q := report.Query{Report: name, From: time.Unix(0, 0), To: time.Now().Add(time.Hour)}
		debug.FreeOSMemory()
		before, counted := peakMemory(true)
		began := time.Now()
		var rows int64
		err := store.Report(ctx, ledger.Main(s.tenant), q, func(c report.Cover, all iter.Seq2[[]report.Cell, error]) error {
			c, err := report.Write(io.Discard, report.CSV, d, c, all)
			rows = c.Rows
			return err
		})
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		shape := fmt.Sprintf("%s as CSV, %d rows", name, rows)
		print(Line{Bench: "ledger.export", Shape: shape, Clients: 1, Value: float64(rows) / time.Since(began).Seconds(), Unit: "1/s"})
		if !counted {
			fmt.Fprintln(talk, "recourse: this system does not say what memory a process has used")
			continue
		}
		peak, _ := peakMemory(false)
		print(Line{
			Bench: "ledger.export.memory", Shape: shape, Clients: 1, Value: float64(peak) / 1024, Unit: "MB",
			Baseline: "this process before it began", BaselineValue: float64(before) / 1024,
		})
	}
	return nil
}

// peakMemory is the most memory this process has had resident, in kB, since it
// was last asked to begin anew (proc_pid_clear_refs(5)); false where the system
// does not say.
func peakMemory(anew bool) (kb int64, ok bool) {
	if anew {
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			return 0, false
		}
	}
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kb, err = strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kb, err == nil
		}
	}
	return 0, false
}
