package main

import (
	"context"
	"fmt"

	"github.com/recourse/recourse/audit"
	"github.com/recourse/recourse/seal"
)

// proveAction prints the offline proof of one action, as the API gives it.
func proveAction(ctx context.Context, std streams, args []string) error {
	f := flags(std, "prove action")
	api := addAPIFlags(f, "auditor")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	var n int64
	if len(rest) == 1 {
		_, err = fmt.Sscanf(rest[0], "act_%d", &n)
	}
	if len(rest) != 1 || err != nil || rest[0] != fmt.Sprintf("act_%d", n) {
		return usagef("name one action as GET /v1/audit/actions does: recourse prove action act_42")
	}
	c, err := api.client()
	if err != nil {
		return err
	}
	var b audit.Bundle
	if err := c.get(ctx, "/v1/audit/actions/"+rest[0]+"/proof", &b); err != nil {
		return err
	}
	return printBundle(std, b)
}

func verifyActionProof(std streams, raw []byte, log seal.PublicKey, witnesses []seal.PublicKey, output string) error {
	bundle, err := audit.ParseBundle(raw)
	if err != nil {
		return usageError{err}
	}
	facts, err := bundle.Verify(log, witnesses...)
	if err != nil {
		return fmt.Errorf("NOT PROVED: %w", err)
	}
	s := sheet{
		Columns: []string{"seq", "recorded_at", "actor", "role", "operation", "path", "status", "request_id", "remote"}, JSON: facts,
		Rows: [][]string{{
			fmt.Sprint(facts.Seq), facts.RecordedAt.Format("2006-01-02T15:04:05.000000Z"), facts.Actor, facts.Role, facts.Operation, facts.Path,
			fmt.Sprint(facts.Status), facts.RequestID, facts.Remote,
		}},
	}
	if err := s.write(std.out, output); err != nil {
		return err
	}
	return tellProved(std, facts.Seq, facts.Origin, facts.Size, log, facts.Witnesses)
}
