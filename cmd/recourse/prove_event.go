package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
	custodyproof "github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// proveEntry prints the offline proof of one event of custody, or of the entry
// that says that a document is gone: from the database as auditor_ro, or with
// -database=false from the API.
func proveEntry(ctx context.Context, std streams, what string, args []string) error {
	f := flags(std, "prove "+what)
	api := addAPIFlags(f, "auditor")
	direct := f.Bool("database", true, "read the database as auditor_ro (RECOURSE_DATABASE_URL); -database=false asks the API")
	tenantText := f.String("tenant", "", "tenant whose it is, a UUID; needed where several have it; the API knows its own")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || rest[0] == "" {
		if what == "custody-purge" {
			return usagef("name the document that is gone: recourse prove custody-purge doc_7 [-tenant UUID]")
		}
		return usagef("name one event by its EPCIS id or its sequence: recourse prove custody-event urn:uuid:… [-tenant UUID]")
	}
	var tenant uuid.NullUUID
	if *tenantText != "" {
		if tenant.UUID, err = uuid.Parse(*tenantText); err != nil {
			return usagef("-tenant %q is not a UUID", *tenantText)
		}
		tenant.Valid = true
	}
	var bundle custodyproof.Bundle
	if *direct {
		bundle, err = proveEntryFromDatabase(ctx, what, rest[0], tenant, readDev(*api.file))
	} else {
		bundle, err = proveEntryFromAPI(ctx, what, rest[0], api)
	}
	if err != nil {
		return err
	}
	return printBundle(std, bundle)
}

func proveEntryFromDatabase(ctx context.Context, what, name string, tenant uuid.NullUUID, d devFile) (none custodyproof.Bundle, err error) {
	database, err := auditorURL(d)
	if err != nil {
		return none, err
	}
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return none, databaseAway(err)
	}
	defer pool.Close()
	store := custodypg.New(pool)
	places, err := placesOf(ctx, store, what, name, tenant)
	if err != nil {
		return none, err
	}
	switch len(places) {
	case 0:
		if what == "custody-purge" {
			return none, errors.New("no entry of custody says that this document is gone")
		}
		return none, errors.New("there is no such event in custody")
	case 1:
	default:
		var list []string
		for _, p := range places {
			list = append(list, fmt.Sprintf("recourse prove custody-event %d -tenant %s", p.Seq, p.Tenant))
		}
		return none, usagef("several are called that: say one of\n  %s", strings.Join(list, "\n  "))
	}
	bundle, err := store.Prove(ctx, places[0].Tenant, places[0].Seq)
	if err == nil || errors.Is(err, custodypg.ErrUnknown) || errors.Is(err, sealpg.ErrNotSealed) || errors.Is(err, seal.ErrInconsistent) {
		return bundle, err
	}
	return none, databaseAway(err)
}

func placesOf(ctx context.Context, store *custodypg.Store, what, name string, tenant uuid.NullUUID) (places []custodypg.EventPlace, err error) {
	seq, number := strconv.ParseInt(strings.TrimPrefix(name, "doc_"), 10, 64)
	switch {
	case what == "custody-purge" && number != nil:
		return nil, usagef("%q is not the id of a document: doc_ and a number", name)
	case what == "custody-purge":
		places, err = store.PurgePlaces(ctx, tenant, seq)
	case number == nil:
		places, err = store.EventPlaces(ctx, tenant, "", seq)
	default:
		places, err = store.EventPlaces(ctx, tenant, name, 0)
	}
	if err != nil {
		return nil, databaseAway(err)
	}
	return places, nil
}

func proveEntryFromAPI(ctx context.Context, what, name string, api apiFlags) (b custodyproof.Bundle, err error) {
	c, err := api.client()
	if err != nil {
		return b, err
	}
	q := url.Values{"event_id": {name}}
	if _, number := strconv.ParseInt(name, 10, 64); number == nil {
		q = url.Values{"seq": {name}}
	}
	if what == "custody-purge" {
		q = url.Values{"purged": {name}}
	}
	err = c.get(ctx, "/v1/custody/proofs?"+q.Encode(), &b)
	return b, err
}

func verifyDecisionProof(std streams, raw []byte, log seal.PublicKey, witnesses []seal.PublicKey, output string) error {
	bundle, err := custodyproof.ParseBundle(raw)
	if err != nil {
		return usageError{err}
	}
	facts, err := bundle.VerifyDecision(log, witnesses...)
	if err != nil {
		return fmt.Errorf("NOT PROVED: %w", err)
	}
	s := sheet{
		Columns: []string{"decision", "seq", "recorded_at", "actor", "reason", "body"}, JSON: facts,
		Rows: [][]string{{
			facts.Kind, fmt.Sprint(facts.Seq), facts.RecordedAt.Format("2006-01-02T15:04:05.000000Z"), facts.Actor, facts.Reason, string(facts.Body),
		}},
	}
	if err := s.write(std.out, output); err != nil {
		return err
	}
	return tellProved(std, facts.Seq, facts.Origin, facts.Size, log, facts.Witnesses)
}

func verifyEventProof(std streams, raw []byte, log seal.PublicKey, witnesses []seal.PublicKey, output string) error {
	bundle, err := custodyproof.ParseBundle(raw)
	if err != nil {
		return usageError{err}
	}
	facts, err := bundle.Verify(log, witnesses...)
	if err != nil {
		return fmt.Errorf("NOT PROVED: %w", err)
	}
	s := sheet{
		Columns: []string{"event", "seq", "recorded_at", "document", "ordinal", "content"}, JSON: facts,
		Rows: [][]string{{
			facts.EventID, fmt.Sprint(facts.Seq), facts.RecordedAt.Format("2006-01-02T15:04:05.000000Z"), fmt.Sprint(facts.Document), fmt.Sprint(facts.Ordinal),
			string(facts.Event),
		}},
	}
	if err := s.write(std.out, output); err != nil {
		return err
	}
	return tellProved(std, facts.Seq, facts.Origin, facts.Size, log, facts.Witnesses)
}
