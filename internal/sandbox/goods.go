// Package sandbox is the seed data of a sandbox: fictitious companies, two
// drugs and a few hundred packages of them, to be bought, returned and recalled.
// Seeding again changes nothing: a document that is on record is known by its
// bytes, a company by its number.
package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook"
)

// The companies, by their GLNs.
const (
	Manufacturer = "0379999000019"
	Wholesaler   = "0810000001019"
	Pharmacy     = "0810000002016"
	Closed       = "0810000003013" // a pharmacy whose licence has expired
)

// The drugs, by their GTINs, and how they are packed.
const (
	Drug       = "00379999101303" // NDC 79999-101-30
	DrugCase   = "50379999101308" // ten packages
	Controlled = "00379999202109" // NDC 79999-202-10, schedule II
	Pallet     = "003799990000000019"
)

// made is when the first package was; the rest of the story follows it.
var made = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// Unit is the canonical key of a package of a drug: serials count from
// 100000000001.
func Unit(gtin string, n int) string {
	return gs1.ID{Kind: gs1.SGTIN, Number: gtin, Serial: fmt.Sprint(100000000000 + n)}.Key()
}

// Case is the canonical key of a case of the pallet, from 1.
func Case(n int) string {
	return gs1.ID{Kind: gs1.SGTIN, Number: DrugCase, Serial: fmt.Sprint(900000000 + n)}.Key()
}

// Seed puts everything on record for a tenant. inbox is where the companies
// take documents, by their GLN; "" means that they fetch them.
//
//	wholesaler   packages 1-100 of Drug, loose; the pallet with cases 1-10
//	             (packages 101-200); packages 1-300 of Controlled, loose
//	manufacturer packages 201-300 of Drug, loose
func Seed(ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, inbox string) error {
	store := custodypg.New(pool)
	return pgtenant.Tx(ctx, pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		for i, p := range companies(inbox) {
			have, err := tradebook.PartnerTx(ctx, tx, tenant, p.GLNs[0])
			switch {
			case errors.Is(err, activities.ErrNoPartner):
				err = tradebook.AddPartnerTx(ctx, tx, tenant, p, "sandbox", made.Add(time.Duration(i)*time.Second))
			case err == nil && have.T3Endpoint != p.T3Endpoint: // the sandbox has other ports today
				err = tradebook.SetEndpointTx(ctx, tx, tenant, have.ID, p.T3Endpoint)
			}
			if err != nil {
				return err
			}
		}
		if err := addProducts(ctx, tx, tenant); err != nil {
			return err
		}
		for _, d := range documents() {
			if err := record(ctx, store, tx, tenant, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func addProducts(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) error {
	for i, p := range products() {
		err := func() error {
			part, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = part.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
			if err := tradebook.AddProductTx(ctx, part, tenant, p, "sandbox", made.Add(time.Duration(i)*time.Second)); err != nil {
				return err
			}
			return part.Commit(ctx)
		}()
		if err != nil && !tradebook.IsKnown(err) {
			return err
		}
	}
	return nil
}

func companies(inbox string) []dscsa.Partner {
	since, until := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 12, 31, 0, 0, 0, 0, time.UTC)
	licence := func(kind dscsa.LicenceKind, number, state string, until time.Time) dscsa.Licence {
		return dscsa.Licence{
			Kind: kind, Number: number, State: state, ValidFrom: since, ExpiresOn: until, Source: "made up for the sandbox", CheckedAt: made, CheckedBy: "sandbox",
		}
	}
	all := []dscsa.Partner{
		{
			Name: "Example Labs Inc", Role: dscsa.Manufacturer, Own: true, GLNs: []string{Manufacturer, "0379999000026"},
			Address:  dscsa.Address{Street: "1 Summit Way", City: "Boulder", State: "CO", PostalCode: "80301", Country: "US"},
			Licences: []dscsa.Licence{licence(dscsa.FDARegistration, "3000000001", "", until)},
		},
		{
			Name: "Example Wholesale Inc", Role: dscsa.Wholesaler, Own: true, GLNs: []string{Wholesaler, "0810000001026"},
			Address: dscsa.Address{Street: "500 Market St", City: "Columbus", State: "OH", PostalCode: "43004", Country: "US"},
			Licences: []dscsa.Licence{
				licence(dscsa.StateLicence, "WD-0042", "OH", until), licence(dscsa.Reporting503e, "2026-0042", "", until),
			},
		},
		{
			Name: "Example Pharmacy LLC", Role: dscsa.Dispenser, GLNs: []string{Pharmacy},
			Address:  dscsa.Address{Street: "12 High St", City: "Dayton", State: "OH", PostalCode: "45402", Country: "US"},
			Licences: []dscsa.Licence{licence(dscsa.StateLicence, "RX-1001", "OH", until)},
		},
		{
			Name: "Formerly Example Drugs", Role: dscsa.Dispenser, GLNs: []string{Closed},
			Address:  dscsa.Address{Street: "99 Low St", City: "Toledo", State: "OH", PostalCode: "43604", Country: "US"},
			Licences: []dscsa.Licence{licence(dscsa.StateLicence, "RX-0999", "OH", time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC))},
		},
	}
	for i := range all {
		all[i].ID = fmt.Sprintf("ptr_%026d", i+1)
		all[i].Verified = true
		if inbox != "" {
			all[i].T3Endpoint = inbox + "/" + all[i].GLNs[0] + "/inbox"
		}
	}
	return all
}

func products() []dscsa.Product {
	drug := dscsa.Product{
		GTIN: Drug, NDC: "79999-101-30", Name: "Exampril", Strength: "10 mg", DosageForm: "TABLET", ContainerSize: "30 TABLET in 1 BOTTLE",
		Manufacturer: "Example Labs Inc",
	}
	box := drug
	box.GTIN = DrugCase
	return []dscsa.Product{drug, box, {
		GTIN: Controlled, NDC: "79999-202-10", Name: "Examphetan", Strength: "5 mg", DosageForm: "TABLET", ContainerSize: "100 TABLET in 1 BOTTLE",
		Manufacturer: "Example Labs Inc", Schedule: "CII",
	}}
}

// documents tell what has happened: made, packed, shipped, received.
func documents() [][]epcis.Event {
	pallet := "00/" + Pallet
	loose, inCases, stock, controlled := units(Drug, 1, 100), units(Drug, 101, 200), units(Drug, 201, 300), units(Controlled, 1, 300)
	var boxes []string
	var packing []epcis.Event
	for n := 1; n <= 10; n++ {
		boxes = append(boxes, Case(n))
		packing = append(packing, packed(made.Add(time.Hour+time.Duration(n)*time.Minute), Case(n), inCases[10*(n-1):10*n]))
	}
	out := [][]epcis.Event{
		{commissioned(made, append(loose[:100:100], inCases...), "EX2601", "2029-06-30"), commissioned(made.Add(time.Minute), boxes, "EX2601", "2029-06-30")},
		{commissioned(made.Add(2*time.Minute), stock, "EX2602", "2029-07-31")},
		{commissioned(made.Add(3*time.Minute), controlled, "EP2601", "2028-12-31")},
	}
	out[0] = append(out[0], packing...)
	out[0] = append(out[0], packed(made.Add(2*time.Hour), pallet, boxes))
	for i, goods := range [][]string{append(loose[:100:100], pallet), controlled} {
		shipped := moved("shipping", "in_transit", made.AddDate(0, 0, 1+i), goods)
		received := moved("receiving", "in_progress", made.AddDate(0, 0, 3+i), goods)
		out = append(out, []epcis.Event{shipped}, []epcis.Event{received})
	}
	return out
}

func units(gtin string, from, to int) []string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, Unit(gtin, n))
	}
	return out
}

func epcs(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = t3.EPC(k)
	}
	return out
}

func at(gln string) epcis.Place { return epcis.Place{ID: t3.EPC("414/" + gln)} }

func commissioned(when time.Time, keys []string, lot, expiry string) epcis.Event {
	const mda = "urn:epcglobal:cbv:mda"
	return epcis.Event{
		Type: epcis.ObjectEvent, EventTime: when, Zone: "+00:00", Action: epcis.Add, BizStep: "commissioning", Disposition: "active",
		EPCs: epcs(keys), ReadPoint: at(Manufacturer), BizLocation: at(Manufacturer),
		ILMD: []epcis.Field{
			{Name: epcis.Name{Space: mda, Local: "lotNumber"}, Value: lot}, {Name: epcis.Name{Space: mda, Local: "itemExpirationDate"}, Value: expiry},
		},
	}
}

func packed(when time.Time, parent string, children []string) epcis.Event {
	return epcis.Event{
		Type: epcis.AggregationEvent, EventTime: when, Zone: "+00:00", Action: epcis.Add, BizStep: "packing", Disposition: "in_progress",
		Parent: t3.EPC(parent), EPCs: epcs(children), ReadPoint: at(Manufacturer), BizLocation: at(Manufacturer),
	}
}

// moved ships from the manufacturer to the wholesaler, or receives there.
func moved(step, disposition string, when time.Time, keys []string) epcis.Event {
	e := epcis.Event{
		Type: epcis.ObjectEvent, EventTime: when, Zone: "+00:00", Action: epcis.Observe, BizStep: step, Disposition: disposition,
		EPCs: epcs(keys), ReadPoint: at(Manufacturer),
		Sources: []epcis.Reference{
			{Type: "owning_party", ID: at(Manufacturer).ID}, {Type: "location", ID: at(Manufacturer).ID},
		},
		Destinations: []epcis.Reference{
			{Type: "owning_party", ID: at(Wholesaler).ID}, {Type: "location", ID: at(Wholesaler).ID},
		},
	}
	if step == "receiving" {
		e.ReadPoint, e.BizLocation = at(Wholesaler), at(Wholesaler)
	}
	return e
}

func record(ctx context.Context, store *custodypg.Store, tx pgx.Tx, tenant uuid.UUID, events []epcis.Event) error {
	var raw bytes.Buffer
	w, err := epcis.NewWriter(&raw, epcis.XML12, &epcis.Document{
		Root: "EPCISDocument", CreationDate: events[0].EventTime, Namespaces: []epcis.Namespace{{Prefix: "cbvmda", URI: "urn:epcglobal:cbv:mda"}},
	})
	if err != nil {
		return fmt.Errorf("write a document of the sandbox: %w", err)
	}
	for i := range events {
		if err := w.Write(&events[i]); err != nil {
			return fmt.Errorf("write a document of the sandbox: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write a document of the sandbox: %w", err)
	}
	_, err = store.AppendTx(ctx, tx, tenant, custodypg.Batch{
		Document: &dscsa.Document{
			Direction: dscsa.Received, Format: epcis.XML12, Sender: Manufacturer, Receiver: Wholesaler, Credential: "sandbox", Verdict: dscsa.Accept, Findings: "[]",
		},
		Body: bytes.NewReader(raw.Bytes()), Events: events,
	})
	if err != nil {
		return fmt.Errorf("record a document of the sandbox: %w", err)
	}
	return nil
}
