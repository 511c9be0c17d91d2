package api

import (
	"context"
	"net/http"
	"time"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
)

type stockView struct {
	Object       string      `json:"object"`
	Unit         string      `json:"unit"`
	GTIN         string      `json:"gtin"`
	NDC          string      `json:"ndc"`
	Name         string      `json:"name"`
	Manufacturer string      `json:"manufacturer"`
	Serial       string      `json:"serial"`
	Lot          string      `json:"lot"`
	ExpiryOn     *string     `json:"expiry_on"`
	Owner        string      `json:"owner_gln"`
	Holder       string      `json:"holder_gln"`
	Parent       *string     `json:"parent"`
	State        string      `json:"state"`
	Sellable     bool        `json:"sellable"`
	WhyNot       *whyNotView `json:"why_not"`
}

type whyNotView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func viewStock(x custodypg.Stock) stockView {
	v := stockView{
		Object: "package", Unit: x.Key, GTIN: x.GTIN, NDC: x.NDC, Name: x.Name, Manufacturer: x.Manufacturer, Serial: x.Serial, Lot: x.Lot,
		Owner: x.Owner, Holder: x.Holder, State: string(x.Shown()), Sellable: x.Code == "",
	}
	if !x.Expiry.IsZero() {
		day := x.Expiry.Format(time.DateOnly)
		v.ExpiryOn = &day
	}
	if x.Parent != "" {
		v.Parent = &x.Parent
	}
	if x.Code != "" {
		v.WhyNot = &whyNotView{string(x.Code), x.Why}
	}
	return v
}

// inventoryPage is how many packages a page has when nobody says.
const inventoryPage = 100

// ListInventory shows packages with what has to be known of them to be sold.
func (s *server) ListInventory(ctx context.Context, request ListInventoryRequestObject) (ListInventoryResponseObject, error) {
	p := request.Params
	after, n, err := s.after(ctx, p.Limit, p.Cursor)
	if err != nil {
		return nil, err
	}
	if p.Limit == nil {
		n = inventoryPage
	}
	f := custodypg.InventoryFilter{Sellable: p.Sellable}
	for to, from := range map[*string]*string{&f.GTIN: p.Gtin, &f.Lot: p.Lot, &f.Owner: p.Owner} {
		if from != nil {
			*to = *from
		}
	}
	if p.ExpiringBefore != nil {
		f.ExpiringBefore = p.ExpiringBefore.Time
	}
	now := s.cfg.Now()
	found, next, err := s.cfg.Custody.Inventory(ctx, whereOf(ctx).who.Tenant, f, after.ID, now, n)
	if err != nil {
		return nil, err
	}
	out := page[stockView]{list: listOf[stockView](nil), HasMore: next != ""}
	if next != "" {
		cursor := s.cursor(whereOf(ctx).who.Tenant[:], now, next)
		out.NextCursor = &cursor
	}
	for _, x := range found {
		out.Data = append(out.Data, viewStock(x))
	}
	return jsonAnswer(http.StatusOK, out)
}
