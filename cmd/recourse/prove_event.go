package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
	custodyproof "github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// proveEvent prints the offline proof of one event of custody, from the
// database as auditor_ro.
func proveEvent(ctx context.Context, std streams, args []string) error {
	f := flags(std, "prove custody-event")
	tenantText := f.String("tenant", "", "tenant whose event it is, a UUID; needed where several have it")
	dev := f.String("dev", ".recourse/dev.json", "what make run wrote; used for what is not given otherwise")
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
	url, err := auditorURL(readDev(*dev))
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, url)
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
