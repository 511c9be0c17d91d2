package ledgerbench

import (
	"context"
	"fmt"
	"io"
	"time"
)

// A Line is one result, with the baseline of the same run.
type Line struct {
	Bench         string
	Shape         string
	Clients       int
	Value         float64
	Unit          string
	Baseline      string
	BaselineValue float64
}

// Run measures and prints each result as it is there; load is the number of
// transfers that make a history.
func Run(ctx context.Context, load int, talk io.Writer, print func(Line)) error {
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	own := map[int]float64{}
	bare := map[string]float64{}
	for _, x := range []struct {
		clients int
		name    string
		pick    shape
	}{{64, "uniform", uniform}, {1000, "uniform", uniform}, {64, "hot", hot}, {1000, "hot", hot}} {
		fmt.Fprintf(talk, "recourse: %d clients, %s: the baselines, then ours\n", x.clients, x.name)
		base := map[string]float64{}
		for _, w := range []way{asStatements, asFunction} {
			if base[w.name], err = s.baselineRate(ctx, x.clients, x.pick, w); err != nil {
				return fmt.Errorf("baseline: %w", err)
			}
		}
		if bare[x.name] == 0 {
			if bare[x.name], err = s.bareRate(ctx, x.pick); err != nil {
				return fmt.Errorf("bare copy: %w", err)
			}
		}
		ours, err := s.postRate(ctx, x.clients, x.pick)
		if err != nil {
			return fmt.Errorf("post: %w", err)
		}
		for _, w := range []way{asStatements, asFunction} {
			print(Line{Bench: "ledger.post", Shape: x.name, Clients: x.clients, Value: ours, Unit: "1/s", Baseline: w.name, BaselineValue: base[w.name]})
		}
		print(Line{Bench: "ledger.post", Shape: x.name, Clients: x.clients, Value: ours, Unit: "1/s", Baseline: bareName, BaselineValue: bare[x.name]})
		if x.name == "uniform" {
			own[x.clients] = ours
			continue
		}
		print(Line{
			Bench: "ledger.post", Shape: "hot against uniform", Clients: x.clients, Value: ours, Unit: "1/s",
			Baseline: "our own uniform rate", BaselineValue: own[x.clients],
		})
	}
	ours, plain, err := s.alone(ctx, 2000)
	if err != nil {
		return fmt.Errorf("one caller alone: %w", err)
	}
	for _, p := range []float64{50, 99} {
		print(Line{
			Bench: "ledger.post.latency", Shape: fmt.Sprintf("alone p%.0f", p), Clients: 1, Value: ms(quantile(ours, p)), Unit: "ms",
			Baseline: "insert of one row, committed", BaselineValue: ms(quantile(plain, p)),
		})
	}
	return s.history(ctx, load, own[64], talk, print)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
