package api

import (
	"context"
	"net/http"
	"time"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/internal/tradebook"
)

type productView struct {
	Object        string `json:"object"`
	GTIN          string `json:"gtin"`
	NDC           string `json:"ndc"`
	NDC11         string `json:"ndc11"`
	Name          string `json:"name"`
	Strength      string `json:"strength"`
	DosageForm    string `json:"dosage_form"`
	ContainerSize string `json:"container_size"`
	Manufacturer  string `json:"manufacturer"`
	Schedule      string `json:"schedule"`
	CreatedAt     stamp  `json:"created_at"`
}

func viewProduct(p tradebook.Product) productView {
	v := productView{
		Object: "product", GTIN: p.GTIN, NDC: p.NDC, Name: p.Name, Strength: p.Strength, DosageForm: p.DosageForm,
		ContainerSize: p.ContainerSize, Manufacturer: p.Manufacturer, Schedule: p.Schedule, CreatedAt: stamp(p.CreatedAt),
	}
	if ndc, err := gs1.ParseNDC(p.NDC); err == nil {
		v.NDC11 = ndc.Padded(gs1.NDC11)
	}
	return v
}

// CreateProduct adds a drug's master data. Its GTIN must be that of its NDC, at
// whatever level.
func (s *server) CreateProduct(ctx context.Context, request CreateProductRequestObject) (CreateProductResponseObject, error) {
	b := request.Body
	p := dscsa.Product{
		GTIN: b.Gtin, NDC: b.Ndc, Name: b.Name, Strength: b.Strength, DosageForm: b.DosageForm, ContainerSize: b.ContainerSize, Manufacturer: b.Manufacturer,
	}
	if b.Schedule != nil {
		p.Schedule = string(*b.Schedule)
	}
	var wrong []FieldError
	ndc, err := gs1.ParseNDC(p.NDC)
	if err != nil {
		wrong = append(wrong, FieldError{Pointer: "/ndc", Code: "invalid", Detail: "is no NDC of 4-4-2, 5-3-2 or 5-4-1"})
	}
	if !gs1.ValidGTIN(p.GTIN) {
		wrong = append(wrong, FieldError{Pointer: "/gtin", Code: "invalid", Detail: "has a wrong check digit"})
	} else if gtin, no := ndc.GTIN(p.GTIN[0]); err == nil && (no != nil || gtin != p.GTIN) {
		wrong = append(wrong, FieldError{Pointer: "/gtin", Code: "invalid", Detail: "is not the GTIN of this NDC"})
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		at := whereOf(ctx).once.At
		add := func(ctx context.Context) error { return tx.AddProduct(ctx, p, whereOf(ctx).who.KeyID, at) }
		if err := tx.Try(ctx, add); err != nil {
			return s.stored(ctx, err)
		}
		return jsonAnswer(http.StatusCreated, viewProduct(tradebook.Product{Product: p, CreatedAt: at}))
	})
}

// ListProducts shows the products, newest first.
func (s *server) ListProducts(ctx context.Context, request ListProductsRequestObject) (ListProductsResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Trade.ProductPage(ctx, whereOf(ctx).who.Tenant, after, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewProduct, func(p tradebook.Product) (time.Time, string) { return p.CreatedAt, p.GTIN }))
}
