package main

import (
	"context"
	"fmt"

	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// verify recomputes the books from their entries, as auditor_ro.
func verify(ctx context.Context, std streams, args []string) error {
	f := flags(std, "verify")
	limit := f.Int("limit", 100, "how many breaches of each invariant to list")
	output := f.String("output", "table", outputUsage)
	if _, err := parse(f, args); err != nil {
		return err
	}
	conn, err := connectAs(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	found, err := ledgerpg.Verify(ctx, conn, int32(*limit))
	if err != nil {
		return err
	}
	s := sheet{Columns: []string{"invariant", "tenant", "where", "detail"}, JSON: map[string]any{"violations": found}}
	for _, v := range found {
		s.Rows = append(s.Rows, []string{v.Invariant, v.Tenant, v.Where, v.Detail})
	}
	if err := s.write(std.out, *output); err != nil {
		return err
	}
	if len(found) > 0 {
		return problemsError{len(found)}
	}
	fmt.Fprintln(std.err, "the books add up: debits equal credits, balances equal entries, no gap in the sequence")
	return nil
}
