package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
)

// Custody is where goods are and what keeps them from sale.
type Custody interface {
	Records

	Holds(ctx context.Context, tenant uuid.UUID, inForce bool, before int64, limit int) ([]dscsa.Hold, error)
	LotAt(ctx context.Context, tenant uuid.UUID, gtin, lot string, at time.Time) ([]dscsa.Unit, error)
	OwnersOfLot(ctx context.Context, tenant uuid.UUID, gtin, lot string) ([]string, error)
	Inventory(ctx context.Context, tenant uuid.UUID, f custodypg.InventoryFilter, after string, today time.Time, limit int) (out []custodypg.Stock, next string, err error)
	History(ctx context.Context, tenant uuid.UUID, thing string) (dscsa.Unit, []dscsa.Recorded, []dscsa.Hop, error)
}

type quarantineView struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Class      string `json:"class"`
	GTIN       string `json:"gtin,omitempty"`
	Lot        string `json:"lot,omitempty"`
	Document   string `json:"document,omitempty"`
	Reason     string `json:"reason"`
	PlacedAt   stamp  `json:"placed_at"`
	PlacedBy   string `json:"placed_by"`
	ReleasedBy string `json:"released_by,omitempty"`
}

const quarantinePrefix = "qtn_"

func viewQuarantine(h dscsa.Hold) quarantineView {
	v := quarantineView{
		ID: quarantinePrefix + strconv.FormatInt(h.ID, 10), Object: "quarantine", Class: string(h.Class), GTIN: h.GTIN, Lot: h.Lot,
		Reason: h.Reason, PlacedAt: stamp(h.PlacedAt), PlacedBy: h.PlacedBy, ReleasedBy: h.ReleasedBy,
	}
	if h.Document != 0 {
		v.Document = documentPrefix + strconv.FormatInt(h.Document, 10)
	}
	return v
}

// ListQuarantines shows what is kept from sale, newest first.
func (s *server) ListQuarantines(ctx context.Context, request ListQuarantinesRequestObject) (ListQuarantinesResponseObject, error) {
	before, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	inForce := request.Params.InForce == nil || *request.Params.InForce
	found, err := s.cfg.Custody.Holds(ctx, whereOf(ctx).who.Tenant, inForce, before, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewQuarantine, func(h dscsa.Hold) (time.Time, string) {
		return h.PlacedAt, strconv.FormatInt(h.ID, 10)
	}))
}

// PlaceQuarantine keeps units or a lot from sale.
func (s *server) PlaceQuarantine(ctx context.Context, request PlaceQuarantineRequestObject) (PlaceQuarantineResponseObject, error) {
	b := request.Body
	o := dscsa.HoldOrder{Class: dscsa.HoldClass(b.Class), Actor: whereOf(ctx).who.KeyID, Reason: b.Reason}
	var wrong []FieldError
	o.Things, o.GTIN, o.Lot, wrong = suspected(b.Units, b.Gtin, b.Lot)
	if strings.TrimSpace(o.Reason) == "" {
		wrong = append(wrong, FieldError{Pointer: "/reason", Code: "required", Detail: "is blank"})
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		h, err := tx.Hold(ctx, o)
		if err != nil {
			return Answer{}, err
		}
		return jsonAnswer(http.StatusCreated, viewQuarantine(h))
	})
}

// ReleaseQuarantine ends what a person placed or a document called for.
func (s *server) ReleaseQuarantine(ctx context.Context, request ReleaseQuarantineRequestObject) (ReleaseQuarantineResponseObject, error) {
	id, err := numbered(request.Id, quarantinePrefix)
	if err != nil {
		return nil, err
	}
	by, reason := whereOf(ctx).who.KeyID, request.Body.Reason
	if strings.TrimSpace(reason) == "" {
		return nil, &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "/reason", Code: "required", Detail: "is blank"}}}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		var h dscsa.Hold
		err := tx.Try(ctx, func(ctx context.Context) (err error) {
			h, err = tx.ReleaseHold(ctx, id, by, reason)
			return err
		})
		switch {
		case errors.Is(err, custodypg.ErrNoSuchHold):
			return s.stored(ctx, &refusal{code: "not_found", detail: "There is no such quarantine in force."})
		case errors.Is(err, custodypg.ErrUnderInvestigation):
			return s.stored(ctx, refuse("under_investigation"))
		case errors.Is(err, custodypg.ErrNotified):
			return s.stored(ctx, refuse("notified_to_fda"))
		case errors.Is(err, custodypg.ErrSamePerson):
			return s.stored(ctx, refuse("same_person"))
		case err != nil:
			return Answer{}, err
		}
		return jsonAnswer(http.StatusOK, viewQuarantine(h))
	})
}

// suspected are the goods a request names: canonical keys of units, or a lot by
// its GTIN. wrong says what of it cannot be meant.
func suspected(units *[]string, gtin, lot *string) (keys []string, ofGTIN, ofLot string, wrong []FieldError) {
	byLot := gtin != nil || lot != nil
	switch {
	case byLot == (units != nil):
		wrong = append(wrong, FieldError{Pointer: "/units", Code: "invalid", Detail: "give units, or gtin and lot"})
	case !byLot:
		keys, wrong = unitKeys(*units, "/units")
	case gtin == nil || lot == nil:
		wrong = append(wrong, FieldError{Pointer: "/lot", Code: "required", Detail: "a lot is named by gtin and lot together"})
	case !gs1.ValidGTIN(*gtin):
		wrong = append(wrong, FieldError{Pointer: "/gtin", Code: "invalid", Detail: "has a wrong check digit"})
	default:
		ofGTIN, ofLot = *gtin, *lot
	}
	return keys, ofGTIN, ofLot, wrong
}
