package tradebook

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/tradebook/internal/tradequeries"
)

// OfKeyTx is the company a key speaks for; found is false of a key that speaks
// for the tenant.
func (b *Book) OfKeyTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, key string) (p dscsa.Partner, found bool, err error) {
	id, err := tradequeries.New(tx).PartnerOfKey(ctx, tradequeries.PartnerOfKeyParams{TenantID: tenant, KeyID: key})
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read whose key %s is: %w", key, err)
	}
	got, err := PartnerTx(ctx, tx, tenant, id)
	if errors.Is(err, activities.ErrNoPartner) {
		return p, false, nil
	}
	return got.Partner, err == nil, err
}

// OfGLNsTx are the companies of some numbers, by number.
func (b *Book) OfGLNsTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, glns []string) (map[string]dscsa.Partner, error) {
	out := map[string]dscsa.Partner{}
	if len(glns) == 0 {
		return out, nil
	}
	rows, err := tradequeries.New(tx).PartnersOfGlns(ctx, tradequeries.PartnersOfGlnsParams{TenantID: tenant, Glns: glns})
	if err != nil {
		return nil, fmt.Errorf("read partners by number: %w", err)
	}
	for _, r := range rows {
		p, err := partner(tradequeries.PartnersRow{
			ID: r.ID, Name: r.Name, Role: r.Role, Own: r.Own, Street: r.Street, City: r.City, State: r.State, PostalCode: r.PostalCode,
			Country: r.Country, T3Endpoint: r.T3Endpoint, VerifiedAt: r.VerifiedAt, CreatedAt: r.CreatedAt, Glns: r.Glns, Licences: r.Licences,
		})
		if err != nil {
			return nil, err
		}
		out[r.FoundBy] = p.Partner
	}
	return out, nil
}

// KnownProductsTx are those of some GTINs that are registered.
func (b *Book) KnownProductsTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, gtins []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(gtins) == 0 {
		return out, nil
	}
	rows, err := tradequeries.New(tx).Products(ctx, tradequeries.ProductsParams{TenantID: tenant, Gtins: gtins})
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	for _, r := range rows {
		out[r.Gtin] = true
	}
	return out, nil
}

// MeetTx puts companies down that nobody has met, in one statement: unverified,
// so that nothing can be traded with them. Each has one number, none twice. by
// is an API key.
func (b *Book) MeetTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, by string, companies []dscsa.Partner, at time.Time) error {
	if len(companies) == 0 {
		return nil
	}
	all := tradequeries.MeetParams{TenantID: tenant, CreatedAt: at, CreatedBy: by}
	for _, p := range companies {
		country := p.Address.Country
		if len(country) != 2 {
			country = "US"
		}
		all.Ids, all.Glns = append(all.Ids, metID(tenant, p.GLNs[0])), append(all.Glns, p.GLNs[0])
		all.Names, all.Streets = append(all.Names, cut(p.Name, 200)), append(all.Streets, cut(p.Address.Street, 200))
		all.Cities, all.States = append(all.Cities, cut(p.Address.City, 100)), append(all.States, cut(p.Address.State, 50))
		all.PostalCodes, all.Countries = append(all.PostalCodes, cut(p.Address.PostalCode, 20)), append(all.Countries, strings.ToUpper(country))
	}
	if err := tradequeries.New(tx).Meet(ctx, all); err != nil {
		return fmt.Errorf("put down companies nobody has met: %w", err)
	}
	return nil
}

// metID is the same for whoever meets a company first.
func metID(tenant uuid.UUID, gln string) string {
	sum := sha256.Sum256(append(tenant[:], gln...))
	return "ptr_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

func cut(s string, most int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "")
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
