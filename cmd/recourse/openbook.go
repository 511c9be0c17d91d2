package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/recourse/recourse/internal/tenancy"
)

// openBook opens the books of another legal entity of a tenant. It is for who
// looks after the deployment: the running product cannot.
func openBook(ctx context.Context, std streams, args []string) error {
	f := flags(std, "ledger open-book")
	tenant := f.String("tenant", "", "name of the tenant")
	entity := f.String("entity", "", "the legal entity, such as gmbh")
	if _, err := parse(f, args); err != nil {
		return err
	}
	if *tenant == "" || *entity == "" {
		return usagef("say whose books: recourse ledger open-book -tenant 'Demo Marketplace' -entity gmbh")
	}
	conn, err := connectAs(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	opened, err := tenancy.OpenBook(ctx, conn, *tenant, *entity)
	switch {
	case errors.Is(err, tenancy.ErrEntityName), errors.Is(err, tenancy.ErrNoTenant):
		return usageError{err}
	case err != nil:
		return err
	case opened:
		fmt.Fprintf(std.err, "the books of %s are open\n", *entity)
	default:
		fmt.Fprintf(std.err, "the books of %s were open already\n", *entity)
	}
	return nil
}
