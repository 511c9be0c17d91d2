package investigation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/tradebook"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Desk is where people of one tenant work on investigations, in a transaction
// whose tenant is set and whose role is app_api. After a *Refused the
// transaction is to be taken back to where it was.
type Desk struct {
	tx      pgx.Tx
	tenant  uuid.UUID
	custody *custodypg.Store
}

// At returns the desk of a tenant in a transaction.
func At(tx pgx.Tx, tenant uuid.UUID) *Desk {
	return &Desk{tx: tx, tenant: tenant, custody: custodypg.New(nil)}
}

// Opening is what somebody suspects: units, or a lot.
type Opening struct {
	ID        string
	Company   string // partner id or GLN of who investigates
	Suspicion Suspicion
	Summary   string
	Units     []string // canonical keys
	GTIN, Lot string
	FDAAsked  *time.Time // the day FDA asked for the verification
	FDAOffice string
	By        string // api key id
}

// Open opens an investigation and keeps what is suspected from sale, at once.
func (d *Desk) Open(ctx context.Context, o Opening) error {
	company, err := tradebook.PartnerTx(ctx, d.tx, d.tenant, o.Company)
	if errors.Is(err, activities.ErrNoPartner) {
		return &Refused{Code: "partner_unknown", Fields: []Field{{"/company", "partner_unknown", "is not in the register of partners"}}}
	}
	if err != nil {
		return err
	}
	switch company.Role {
	case dscsa.Manufacturer, dscsa.Repackager, dscsa.Wholesaler, dscsa.Dispenser:
	case dscsa.Logistics, dscsa.NotKnown:
		return &Refused{
			Code: CodeNoDuty, Detail: "Section 582 has duties for manufacturers, repackagers, wholesale distributors and dispensers; this company is none.",
			Fields: []Field{{"/company", CodeNoDuty, "is no manufacturer, repackager, wholesaler or dispenser"}},
		}
	}
	h, err := d.custody.HoldTx(ctx, d.tx, d.tenant, dscsa.HoldOrder{
		Class: dscsa.Suspect, Things: o.Units, GTIN: o.GTIN, Lot: o.Lot, Actor: o.By, Reason: o.ID + ": " + string(o.Suspicion) + ": " + o.Summary,
	})
	if err != nil {
		return err
	}
	units := o.Units
	if units == nil {
		units = []string{}
	}
	_, err = d.tx.Exec(ctx, sqlPutInvestigation, d.tenant, o.ID, h.ID, company.ID, string(company.Role), string(o.Suspicion), o.Summary, units,
		o.GTIN, o.Lot, o.FDAAsked, o.FDAOffice, o.By)
	return refusedOr(err, "open investigation "+o.ID)
}

// Verify records what was said of packages of an open investigation.
func (d *Desk) Verify(ctx context.Context, id, by string, all []Verification) error {
	v, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	if v.State != Open {
		return ended(v)
	}
	var units, results, failures, sources, notes []string
	for _, one := range all {
		units, results, failures = append(units, one.Unit), append(results, one.Result), append(failures, one.Failure)
		sources, notes = append(sources, one.Source), append(notes, one.Note)
	}
	under, err := collect(ctx, d.tx, "look for packages", sqlUnder, pgx.RowTo[string], d.tenant, id, units)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, unit := range under {
		have[unit] = true
	}
	no := &Refused{Code: CodeNotUnder}
	for i, unit := range units {
		if !have[unit] {
			no.Fields = append(no.Fields, Field{"/verifications/" + itoa(i) + "/unit", CodeNotUnder, "is no package that this investigation covers and the company has or owns"})
		}
	}
	if no.Fields != nil {
		return no
	}
	_, err = d.tx.Exec(ctx, sqlPutVerifications, d.tenant, id, units, results, failures, sources, notes, by)
	return refusedOr(err, "record verifications")
}

// A Conclusion ends an investigation. Summary is how it was cleared, or the
// credible evidence. Person and Position are who says so, for FDA.
type Conclusion struct {
	By, Person, Position, Summary string
	FDAToldAt                     *time.Time // of what FDA had asked about and is cleared
}

// Clear finds that the product is not illegitimate and releases it.
func (d *Desk) Clear(ctx context.Context, id string, c Conclusion) error {
	v, err := d.toEnd(ctx, id)
	if err != nil {
		return err
	}
	if err := d.count(ctx, v); err != nil {
		return err
	}
	if p := v.Progress; p.Verified < p.Required || p.Failed > 0 {
		return &Refused{Code: CodeNotEnough, Detail: fmt.Sprintf(
			"Of %d packages under investigation %d are to be verified; %d are, and of %d the last word is that they do not match.",
			p.Packages, p.Required, p.Verified, p.Failed)}
	}
	if err := d.end(ctx, v, Cleared, c, nil); err != nil {
		return err
	}
	return d.custody.ReleaseHoldTx(ctx, d.tx, d.tenant, v.Hold, c.By, id+": cleared: "+c.Summary)
}

// Determine finds the product illegitimate: it stays from sale as that, and the
// clock of the notification that is opened with it runs.
func (d *Desk) Determine(ctx context.Context, id, notification string, c Conclusion) error {
	v, err := d.toEnd(ctx, id)
	if err != nil {
		return err
	}
	order := dscsa.HoldOrder{Class: dscsa.Illegitimate, GTIN: v.GTIN, Lot: v.Lot, Actor: c.By, Reason: id + ": illegitimate: " + c.Summary}
	if v.Lot == "" {
		if order.Things, err = collect(ctx, d.tx, "read what is under a hold", sqlCovered, pgx.RowTo[string], d.tenant, id); err != nil {
			return err
		}
	}
	packs, err := d.packages(ctx, id)
	if err != nil {
		return err
	}
	company, err := tradebook.PartnerTx(ctx, d.tx, d.tenant, v.Company)
	if err != nil {
		return err
	}
	h, err := d.custody.HoldTx(ctx, d.tx, d.tenant, order)
	if err != nil {
		return err
	}
	if err := d.end(ctx, v, Illegitimate, c, &h.ID); err != nil {
		return err
	}
	if err := d.custody.ReleaseHoldTx(ctx, d.tx, d.tenant, v.Hold, c.By, id+": found illegitimate, see hold "+strconv.FormatInt(h.ID, 10)); err != nil {
		return err
	}
	return d.open(ctx, notification, id, Initial, prefill(v, company.Partner, packs, c.Summary), c.By)
}

// toEnd is an investigation that is about to end, with custody locked: who ends
// it at the same moment waits here, and captures that would change what is
// under it wait too.
func (d *Desk) toEnd(ctx context.Context, id string) (*Investigation, error) {
	var seq int64
	if err := d.tx.QueryRow(ctx, sqlLock, d.tenant).Scan(&seq); err != nil {
		return nil, fmt.Errorf("lock custody: %w", err)
	}
	v, err := d.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.State != Open {
		return nil, ended(v)
	}
	return v, nil
}

func ended(v *Investigation) error {
	return &Refused{Code: CodeEnded, Detail: "It ended at " + v.End.At.UTC().Format(time.RFC3339) + ": " + string(v.State) + "."}
}

func (d *Desk) end(ctx context.Context, v *Investigation, outcome State, c Conclusion, hold *int64) error {
	var at time.Time
	err := d.tx.QueryRow(ctx, sqlPutEnd, d.tenant, v.ID, string(outcome), c.By, c.Person, c.Position, c.Summary, c.FDAToldAt, hold).Scan(&at)
	return refusedOr(err, "end investigation "+v.ID)
}

// Dispose records that illegitimate product is dispositioned; from that day its
// records are kept six years.
func (d *Desk) Dispose(ctx context.Context, id string, x Disposition) error {
	v, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	if v.End == nil || v.End.Hold == 0 {
		return &Refused{Code: CodeNotIllegit}
	}
	if err := d.custody.RetainTx(ctx, d.tx, d.tenant, v.End.Hold, "K4", x.ConcludedOn); err != nil {
		return err
	}
	_, err = d.tx.Exec(ctx, sqlPutDisposition, d.tenant, id, x.Method, x.ConcludedOn, x.Summary, x.By)
	return refusedOr(err, "record the disposition of "+id)
}

// refusals are what the database's constraints mean to a person.
var refusals = map[string]Refused{
	"investigation_is_open":                       {Code: CodeEnded, Detail: "Somebody has ended it."},
	"investigation_end_once":                      {Code: CodeEnded, Detail: "Somebody has ended it."},
	"investigation_end_verified_enough":           {Code: CodeNotEnough},
	"investigation_end_fda_told":                  {Code: CodeFDANotTold, Fields: []Field{{"/fda_notified_at", "required", "FDA had asked about this product: say when it was told"}}},
	"investigation_end_not_ahead":                 {Code: CodeWrongMoment, Fields: []Field{{"/fda_notified_at", "out_of_range", "is in the future"}}},
	"investigation_disposition_once":              {Code: CodeDisposed},
	"investigation_disposition_not_ahead":         {Code: CodeWrongMoment, Fields: []Field{{"/concluded_on", "out_of_range", "is in the future"}}},
	"notification_initial_first":                  {Code: CodeFirstFirst},
	"notification_is_open":                        {Code: CodeSubmitted},
	"notification_submission_once":                {Code: CodeSubmitted},
	"notification_submission_incident":            {Code: CodeIncomplete, Fields: []Field{{"/incident_number", "required", "item 2: FDA's number of the incident"}}},
	"notification_incident_once":                  {Code: CodeIncident},
	"notification_submission_not_ahead":           {Code: CodeWrongMoment, Fields: []Field{{"/submitted_at", "out_of_range", "is in the future"}}},
	"notification_submission_after_determination": {Code: CodeWrongMoment, Fields: []Field{{"/submitted_at", "out_of_range", "is before the determination"}}},
}

// refusedOr makes a *Refused of an error of a constraint that people can meet.
func refusedOr(err error, what string) error {
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if no, ok := refusals[pg.ConstraintName]; ok {
			return &no
		}
	}
	return fmt.Errorf("%s: %w", strings.TrimSpace(what), err)
}
