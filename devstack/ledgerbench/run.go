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

const baseline = "hand-written SQL, one transaction a transfer, pipelined on 16 connections, no chain"

// Run measures and prints each result as it is there.
func Run(ctx context.Context, talk io.Writer, print func(Line)) error {
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	uniformRates := map[int]float64{}
	for _, x := range []struct {
		clients int
		name    string
		pick    shape
	}{{64, "uniform", uniform}, {1000, "uniform", uniform}, {64, "hot", hot}, {1000, "hot", hot}} {
		fmt.Fprintf(talk, "recourse: %d clients, %s: the baseline, then ours\n", x.clients, x.name)
		base, err := s.baselineRate(ctx, x.clients, x.pick)
		if err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
		ours, err := s.postRate(ctx, x.clients, x.pick)
		if err != nil {
			return fmt.Errorf("post: %w", err)
		}
		print(Line{Bench: "ledger.post", Shape: x.name, Clients: x.clients, Value: ours, Unit: "1/s", Baseline: baseline, BaselineValue: base})
		if x.name == "uniform" {
			uniformRates[x.clients] = ours
		} else {
			print(Line{
				Bench: "ledger.post", Shape: "hot against uniform", Clients: x.clients, Value: ours, Unit: "1/s",
				Baseline: "our own uniform rate", BaselineValue: uniformRates[x.clients],
			})
		}
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
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
