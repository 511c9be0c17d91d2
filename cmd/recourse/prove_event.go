package main

import (
	"context"
	"encoding/json"
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

// proveEvent prints the offline proof of one event of custody: from the database
// as auditor_ro, or with -database=false from the API.
func proveEvent(ctx context.Context, std streams, args []string) error {
	f := flags(std, "prove custody-event")
	api := addAPIFlags(f, "auditor")
	direct := f.Bool("database", true, "read the database as auditor_ro (RECOURSE_DATABASE_URL); -database=false asks the API")
	tenantText := f.String("tenant", "", "tenant whose event it is, a UUID; needed where several have it; the API knows its own")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || rest[0] == "" {
		return usagef("name one event by its EPCIS id or its sequence: recourse prove custody-event urn:uuid:… [-tenant UUID]")
	}
	var tenant uuid.NullUUID
	if *tenantText != "" {
		if tenant.UUID, err = uuid.Parse(*tenantText); err != nil {
			return usagef("-tenant %q is not a UUID", *tenantText)
		}
		tenant.Valid = true
	}
	if !*direct {
		return proveEventFromAPI(ctx, std, api, rest[0])
	}
	database, err := auditorURL(readDev(*api.file))
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return databaseAway(err)
	}
	defer pool.Close()
	store := custodypg.New(pool)
	id := rest[0]
	seq, err := strconv.ParseInt(id, 10, 64)
	if err == nil {
		id = ""
	}
	places, err := store.EventPlaces(ctx, tenant, id, seq)
	if err != nil {
		return databaseAway(err)
	}
	switch len(places) {
	case 0:
		return errors.New("there is no such event in custody")
	case 1:
	default:
		var list []string
		for _, p := range places {
			list = append(list, fmt.Sprintf("recourse prove custody-event %d -tenant %s", p.Seq, p.Tenant))
		}
		return usagef("several events are called that: say one of\n  %s", strings.Join(list, "\n  "))
	}
	bundle, err := store.Prove(ctx, places[0].Tenant, places[0].Seq)
	if errors.Is(err, custodypg.ErrUnknown) || errors.Is(err, sealpg.ErrNotSealed) || errors.Is(err, seal.ErrInconsistent) {
		return err
	}
	if err != nil {
		return databaseAway(err)
	}
	return printBundle(std, bundle)
}

func proveEventFromAPI(ctx context.Context, std streams, api apiFlags, name string) error {
	c, err := api.client()
	if err != nil {
		return err
	}
	q := url.Values{"event_id": {name}}
	if _, err := strconv.ParseInt(name, 10, 64); err == nil {
		q = url.Values{"seq": {name}}
	}
	var b custodyproof.Bundle
	if err := c.get(ctx, "/v1/custody/proofs?"+q.Encode(), &b); err != nil {
		return err
	}
	return printBundle(std, b)
}

// isOfEvent tells the proof of an event from that of a transaction.
func isOfEvent(raw []byte) bool {
	var b struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(raw, &b) == nil && b.Format == custodyproof.BundleFormat
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
	fmt.Fprintf(std.err, "proved: sequence %d of %s, in the tree of %d that %s signed%s\n",
		facts.Seq, facts.Origin, facts.Size, log.Name, cosigners(facts.Witnesses))
	return nil
}
