package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/recourse/recourse/db"
	"github.com/recourse/recourse/internal/orchestrator"
)

func migrate(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("migrate", args, "up", "status", "roles")
	if err != nil {
		return err
	}
	f := flags(std, "migrate "+what)
	temporal := f.Bool("temporal", false, "also register Temporal's namespace and search attributes")
	address := f.String("temporal-address", envOr("RECOURSE_TEMPORAL_ADDRESS", "127.0.0.1:7233"), "address of Temporal")
	namespace := f.String("temporal-namespace", envOr("RECOURSE_TEMPORAL_NAMESPACE", "recourse"), "namespace of the sagas")
	output := f.String("output", "table", outputUsage)
	if _, err := parse(f, args); err != nil {
		return err
	}
	if what == "roles" {
		_, err := fmt.Fprint(std.out, db.Roles()) // for a superuser to review and run
		return err
	}
	conn, err := connectAs(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	if what == "up" {
		if err := db.Migrate(ctx, conn.Config().ConnString()); err != nil {
			return err
		}
	}
	have, err := db.Version(ctx, conn)
	if err != nil {
		return err
	}
	want := db.Latest()
	if *temporal && what == "up" {
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := orchestrator.Prepare(wait, *address, *namespace); err != nil {
			return unreachableError{fmt.Errorf("temporal at %s: %w", *address, err)}
		}
	}
	s := sheet{
		Columns: []string{"schema", "program"},
		Rows:    [][]string{{strconv.FormatInt(have, 10), strconv.FormatInt(want, 10)}},
		JSON:    map[string]int64{"schema": have, "program": want},
	}
	if err := s.write(std.out, *output); err != nil {
		return err
	}
	if have != want {
		return problemsError{1}
	}
	return nil
}
