package tradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook/internal/tradequeries"
)

// Book is the trade book of all tenants. It is safe for concurrent use.
type Book struct {
	pool    *pgxpool.Pool
	custody *custodypg.Store
}

var _ activities.TradeBook = (*Book)(nil)

// New returns the book behind pool, whose role is app_api or app_worker.
func New(pool *pgxpool.Pool) *Book { return &Book{pool: pool, custody: custodypg.New(pool)} }

// Entry is a partner or a product as it is on record.
type (
	// Partner is a company with its time of entry.
	Partner struct {
		dscsa.Partner

		CreatedAt time.Time
	}
	// Product is a drug with its time of entry.
	Product struct {
		dscsa.Product

		CreatedAt time.Time
	}
)

// After is where the page before ended; the zero After is the first page.
type After struct {
	At time.Time
	ID string
}

// AddPartnerTx adds a company with its numbers and licences. by is an API key.
// Only the owner of the schema adds one that is verified already; for anybody
// else that takes two people: constraint partner_evidence_approved.
func AddPartnerTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, p dscsa.Partner, by string, at time.Time) error {
	q := tradequeries.New(tx)
	var verified *string
	if p.Verified {
		verified = &by
	}
	err := q.AddPartner(ctx, tradequeries.AddPartnerParams{
		TenantID: tenant, ID: p.ID, Name: p.Name, Role: string(p.Role), Own: p.Own, Street: p.Address.Street, City: p.Address.City,
		State: p.Address.State, PostalCode: p.Address.PostalCode, Country: p.Address.Country, T3Endpoint: orNull(p.T3Endpoint),
		VerifiedBy: verified, CreatedAt: at, CreatedBy: by,
	})
	if err != nil {
		return fmt.Errorf("add partner %s: %w", p.ID, err)
	}
	if err := q.AddGlns(ctx, tradequeries.AddGlnsParams{TenantID: tenant, PartnerID: p.ID, Glns: p.GLNs}); err != nil {
		return fmt.Errorf("add the numbers of partner %s: %w", p.ID, err)
	}
	for _, l := range p.Licences {
		if err := AddLicenceTx(ctx, tx, tenant, p.ID, l); err != nil {
			return err
		}
	}
	return nil
}

// AddLicenceTx records a licence of a company, or newer evidence of one. One
// that lets the company trade takes two people: constraint
// partner_evidence_approved refuses it.
func AddLicenceTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, partner string, l dscsa.Licence) error {
	expires := ""
	if !l.ExpiresOn.IsZero() {
		expires = l.ExpiresOn.Format(time.DateOnly)
	}
	err := tradequeries.New(tx).AddLicence(ctx, tradequeries.AddLicenceParams{
		TenantID: tenant, PartnerID: partner, Kind: string(l.Kind), Number: l.Number, State: l.State, ValidFrom: l.ValidFrom,
		ExpiresOn: expires, Source: l.Source, CheckedAt: l.CheckedAt, CheckedBy: l.CheckedBy, ApprovalID: orNull(l.ApprovalID),
	})
	if err != nil {
		return fmt.Errorf("add a licence of partner %s: %w", partner, err)
	}
	return nil
}

// VerifyPartnerTx records that two people looked at the evidence of a company,
// which has this role. by is the key of the first. pgx.ErrNoRows: there is no
// such company.
func VerifyPartnerTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, partner string, role dscsa.PartnerRole, by, approval string) error {
	_, err := tradequeries.New(tx).VerifyPartner(ctx, tradequeries.VerifyPartnerParams{
		TenantID: tenant, ID: partner, VerifiedBy: &by, Role: string(role), ApprovalID: &approval,
	})
	if err != nil {
		return fmt.Errorf("verify partner %s: %w", partner, err)
	}
	return nil
}

// SetEndpointTx says where a company takes documents.
func SetEndpointTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, partner, endpoint string) error {
	err := tradequeries.New(tx).SetEndpoint(ctx, tradequeries.SetEndpointParams{TenantID: tenant, ID: partner, T3Endpoint: orNull(endpoint)})
	if err != nil {
		return fmt.Errorf("set the endpoint of partner %s: %w", partner, err)
	}
	return nil
}

// BindKeyTx says that a key of the tenant speaks for a company. pgx.ErrNoRows:
// the tenant has no such key.
func BindKeyTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, partner, key, by string) error {
	_, err := tradequeries.New(tx).BindKey(ctx, tradequeries.BindKeyParams{TenantID: tenant, KeyID: key, PartnerID: partner, BoundBy: by})
	if err != nil {
		return fmt.Errorf("bind key %s to partner %s: %w", key, partner, err)
	}
	return nil
}

// AddProductTx adds a drug's master data.
func AddProductTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, p dscsa.Product, by string, at time.Time) error {
	err := tradequeries.New(tx).AddProduct(ctx, tradequeries.AddProductParams{
		TenantID: tenant, Gtin: p.GTIN, Ndc: p.NDC, Name: p.Name, Strength: p.Strength, DosageForm: p.DosageForm, ContainerSize: p.ContainerSize,
		Manufacturer: p.Manufacturer, Schedule: p.Schedule, CreatedAt: at, CreatedBy: by,
	})
	if err != nil {
		return fmt.Errorf("add product %s: %w", p.GTIN, err)
	}
	return nil
}

// IsKnown reports whether something could not be added because it is there.
func IsKnown(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// PartnerTx finds a company by id or GLN. Errors: activities.ErrNoPartner.
func PartnerTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, name string) (Partner, error) {
	row, err := tradequeries.New(tx).Partner(ctx, tradequeries.PartnerParams{TenantID: tenant, Name: name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Partner{}, activities.ErrNoPartner
	}
	if err != nil {
		return Partner{}, fmt.Errorf("read partner %s: %w", name, err)
	}
	return partner(tradequeries.PartnersRow(row))
}

// Partner implements activities.TradeBook.
func (b *Book) Partner(ctx context.Context, tenant uuid.UUID, name string) (p dscsa.Partner, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		got, err := PartnerTx(ctx, tx, tenant, name)
		p = got.Partner
		return err
	})
	return p, err
}

// Partners is a page of companies, newest first.
func (b *Book) Partners(ctx context.Context, tenant uuid.UUID, after After, limit int) (out []Partner, err error) {
	p := tradequeries.PartnersParams{TenantID: tenant, AtMost: int32(limit), AfterID: orNull(after.ID)}
	if after.ID != "" {
		p.AfterAt = &after.At
	}
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tradequeries.New(tx).Partners(ctx, p)
		for _, row := range rows {
			one, err := partner(row)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return err
	})
	return out, err
}

// PartnerOfKey is the company a key speaks for; "" when it speaks for the
// tenant.
func (b *Book) PartnerOfKey(ctx context.Context, tenant uuid.UUID, key string) (id string, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		id, err = tradequeries.New(tx).PartnerOfKey(ctx, tradequeries.PartnerOfKeyParams{TenantID: tenant, KeyID: key})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// Products implements activities.TradeBook.
func (b *Book) Products(ctx context.Context, tenant uuid.UUID, gtins []string) (out []dscsa.Product, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tradequeries.New(tx).Products(ctx, tradequeries.ProductsParams{TenantID: tenant, Gtins: gtins})
		for _, row := range rows {
			out = append(out, product(tradequeries.ProductPageRow(row)).Product)
		}
		return err
	})
	return out, err
}

// ProductPage is a page of products, newest first.
func (b *Book) ProductPage(ctx context.Context, tenant uuid.UUID, after After, limit int) (out []Product, err error) {
	p := tradequeries.ProductPageParams{TenantID: tenant, AtMost: int32(limit), AfterGtin: orNull(after.ID)}
	if after.ID != "" {
		p.AfterAt = &after.At
	}
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tradequeries.New(tx).ProductPage(ctx, p)
		for _, row := range rows {
			out = append(out, product(row))
		}
		return err
	})
	return out, err
}

func product(r tradequeries.ProductPageRow) Product {
	return Product{CreatedAt: r.CreatedAt, Product: dscsa.Product{
		GTIN: r.Gtin, NDC: r.Ndc, Name: r.Name, Strength: r.Strength, DosageForm: r.DosageForm, ContainerSize: r.ContainerSize,
		Manufacturer: r.Manufacturer, Schedule: r.Schedule,
	}}
}

func partner(r tradequeries.PartnersRow) (Partner, error) {
	p := Partner{CreatedAt: r.CreatedAt, Partner: dscsa.Partner{
		ID: r.ID, Name: r.Name, Role: dscsa.PartnerRole(r.Role), Own: r.Own, Verified: r.VerifiedAt != nil, GLNs: r.Glns,
		Address: dscsa.Address{Street: r.Street, City: r.City, State: r.State, PostalCode: r.PostalCode, Country: r.Country},
	}}
	if r.T3Endpoint != nil {
		p.T3Endpoint = *r.T3Endpoint
	}
	var licences []struct {
		Kind      string    `json:"kind"`
		Number    string    `json:"number"`
		State     string    `json:"state"`
		ValidFrom string    `json:"valid_from"`
		ExpiresOn *string   `json:"expires_on"`
		Source    string    `json:"source"`
		CheckedAt time.Time `json:"checked_at"`
		CheckedBy string    `json:"checked_by"`
		Approval  *string   `json:"approval_id"`
	}
	if err := json.Unmarshal(r.Licences, &licences); err != nil {
		return p, fmt.Errorf("read the licences of partner %s: %w", r.ID, err)
	}
	for _, l := range licences {
		one := dscsa.Licence{
			Kind: dscsa.LicenceKind(l.Kind), Number: l.Number, State: l.State, Source: l.Source, CheckedAt: l.CheckedAt, CheckedBy: l.CheckedBy,
		}
		if l.Approval != nil {
			one.ApprovalID = *l.Approval
		}
		var err error
		if one.ValidFrom, err = time.Parse(time.DateOnly, l.ValidFrom); err == nil && l.ExpiresOn != nil {
			one.ExpiresOn, err = time.Parse(time.DateOnly, *l.ExpiresOn)
		}
		if err != nil {
			return p, fmt.Errorf("read the licences of partner %s: %w", r.ID, err)
		}
		p.Licences = append(p.Licences, one)
	}
	return p, nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
