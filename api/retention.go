package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
	custodyproof "github.com/recourse/recourse/dscsa/proof"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// Records is what is kept of custody, for how long, and its proofs.
type Records interface {
	LegalHolds(ctx context.Context, tenant uuid.UUID, inForce bool, before int64, limit int) ([]custodypg.LegalHold, error)
	Retention(ctx context.Context, tenant uuid.UUID, before time.Time) (custodypg.Retention, error)
	DocumentsDue(ctx context.Context, tenant uuid.UUID, before time.Time, after int64, limit int) ([]custodypg.DueDocument, error)
	Purges(ctx context.Context, tenant uuid.UUID, before int64, limit int) ([]custodypg.Purge, error)

	LastCheckpoint(ctx context.Context, tenant uuid.UUID) (sealpg.Sealed, error)
	Checkpoints(ctx context.Context, tenant uuid.UUID, before int64, limit int) ([]sealpg.Sealed, error)
	EventPlaces(ctx context.Context, tenant uuid.NullUUID, id string, seq int64) ([]custodypg.EventPlace, error)
	PurgePlaces(ctx context.Context, tenant uuid.NullUUID, document int64) ([]custodypg.EventPlace, error)
	Prove(ctx context.Context, tenant uuid.UUID, seq int64) (custodyproof.Bundle, error)
}

// RecordsTx is what a request may do about what is kept, in the transaction of
// its key. LiftLegalHold and OrderPurge are for an approval that was consumed in
// the same transaction.
type RecordsTx interface {
	// Errors: custodypg.ErrUnknown, there is no such document.
	LegalHold(ctx context.Context, document int64, by, reason string) (custodypg.LegalHold, error)
	// Errors: custodypg.ErrNoSuchHold.
	LegalHoldOf(ctx context.Context, id int64) (custodypg.LegalHold, error)
	LiftLegalHold(ctx context.Context, id int64, a custodypg.Approved) (custodypg.LegalHold, error)
	Retention(ctx context.Context, before time.Time) (custodypg.Retention, error)
	OrderPurge(ctx context.Context, a custodypg.Approved) (custodypg.Purge, error)
	// Errors: custodypg.ErrNoSuchPurge, custodypg.ErrKept.
	Purge(ctx context.Context, order int64, by string) (custodypg.Purge, error)
}

const (
	purgeAction = "custody.purge"
	purgePrefix = "prg_"
)

type retentionView struct {
	Object    string           `json:"object"`
	Before    string           `json:"before"`
	Classes   []retentionClass `json:"classes"`
	Documents int64            `json:"documents"`
	Bytes     int64            `json:"bytes"`
	Held      int64            `json:"held"`
}

type retentionClass struct {
	Class   string `json:"class"`
	What    string `json:"what"`
	Source  string `json:"source"`
	Years   int    `json:"years"`
	Records int64  `json:"records"`
	Open    int64  `json:"open"`
	Over    int64  `json:"over"`
}

// classes are why a record is kept, and from when on for six years.
var classes = map[string][2]string{
	"K1": {"transaction information and statement, from the transaction", "21 USC 360eee-1(b)(1)(A)(ii), (c)(1)(A)(v), (d)(1)(A)(iii), (e)(1)(A)(iii)"},
	"K2": {"product identifiers of what was made or repackaged, from the making", "21 USC 360eee-1(b)(2)(A), (e)(2)(A)"},
	"K3": {"investigation of suspect product, from its conclusion", "21 USC 360eee-1(b), (c), (d) and (e), each (4)(A)"},
	"K4": {"disposition of illegitimate product, from its conclusion", "21 USC 360eee-1(b), (c), (d) and (e), each (4)(B)(v)"},
}

type dueView struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	SHA256     string `json:"sha256"`
	Size       int64  `json:"size"`
	Sender     string `json:"sender,omitempty"`
	RecordedAt stamp  `json:"recorded_at"`
	KeptUntil  string `json:"kept_until,omitempty"`
	Goes       bool   `json:"goes"`
}

type purgeView struct {
	ID         string   `json:"id"`
	Object     string   `json:"object"`
	Before     string   `json:"before"`
	Documents  int64    `json:"documents"`
	Bytes      int64    `json:"bytes"`
	Done       bool     `json:"done"`
	OrderedAt  stamp    `json:"ordered_at"`
	OrderedBy  string   `json:"ordered_by"`
	ApprovedBy []string `json:"approved_by"`
	ApprovalID string   `json:"approval_id"`
	Reason     string   `json:"reason"`
}

func viewPurge(p custodypg.Purge) purgeView {
	return purgeView{
		ID: purgePrefix + strconv.FormatInt(p.ID, 10), Object: "purge", Before: p.Before.Format(time.DateOnly), Documents: p.Documents, Bytes: p.Bytes,
		Done: p.Done, OrderedAt: stamp(p.OrderedAt), OrderedBy: p.OrderedBy, ApprovedBy: p.ApprovedBy, ApprovalID: p.Approval, Reason: p.Reason,
	}
}

func dayOf(d *types.Date) (day time.Time) {
	if d != nil {
		day = d.Time
	}
	return day
}

func future(pointer string) *refusal {
	return refuseField("validation_failed", pointer, "is in the future: what is kept until then is not over")
}

// GetRetention shows what is kept, and what is over.
func (s *server) GetRetention(ctx context.Context, request GetRetentionRequestObject) (GetRetentionResponseObject, error) {
	r, err := s.cfg.Custody.Retention(ctx, whereOf(ctx).who.Tenant, dayOf(request.Params.Before))
	if errors.Is(err, custodypg.ErrFuture) {
		return nil, future("#/parameters/before")
	}
	if err != nil {
		return nil, err
	}
	v := retentionView{Object: "retention", Before: r.Before.Format(time.DateOnly), Documents: r.Documents, Bytes: r.Bytes, Held: r.Held, Classes: []retentionClass{}}
	for _, c := range r.Classes {
		v.Classes = append(v.Classes, retentionClass{
			Class: c.Class, What: classes[c.Class][0], Source: classes[c.Class][1], Years: 6, Records: c.Records, Open: c.Open, Over: c.Over,
		})
	}
	return jsonAnswer(http.StatusOK, v)
}

// ListDueDocuments shows documents of which a class is over, in order, and which
// of them a purge would take: a dry run.
func (s *server) ListDueDocuments(ctx context.Context, request ListDueDocumentsRequestObject) (ListDueDocumentsResponseObject, error) {
	after, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Custody.DocumentsDue(ctx, whereOf(ctx).who.Tenant, dayOf(request.Params.Before), after, n+1)
	if errors.Is(err, custodypg.ErrFuture) {
		return nil, future("#/parameters/before")
	}
	if err != nil {
		return nil, err
	}
	view := func(d custodypg.DueDocument) dueView {
		v := dueView{
			ID: documentPrefix + strconv.FormatInt(d.Seq, 10), Object: "due_document", SHA256: hex.EncodeToString(d.SHA256), Size: d.Size,
			Sender: d.Sender, RecordedAt: stamp(d.RecordedAt), Goes: d.Goes,
		}
		if !d.KeptUntil.IsZero() {
			v.KeptUntil = d.KeptUntil.Format(time.DateOnly)
		}
		return v
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, view, func(d custodypg.DueDocument) (time.Time, string) {
		return d.RecordedAt, strconv.FormatInt(d.Seq, 10)
	}))
}

// purgePayload is what an approval to purge says: what was to be kept until a
// day before Before and recorded up to UpTo goes. Documents and Bytes are how
// many that were at most when it was proposed.
type purgePayload struct {
	Before    string `json:"before"`
	UpTo      int64  `json:"up_to"`
	Documents int64  `json:"documents"`
	Bytes     int64  `json:"bytes"`
	Reason    string `json:"reason"`
}

// ProposePurge records for another person to approve that what is over is to
// go.
func (s *server) ProposePurge(ctx context.Context, request ProposePurgeRequestObject) (ProposePurgeResponseObject, error) {
	b := request.Body
	if strings.TrimSpace(b.Reason) == "" {
		return nil, refuseField("validation_failed", "/reason", "is blank")
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		r, err := tx.Retention(ctx, dayOf(b.Before))
		if errors.Is(err, custodypg.ErrFuture) {
			return Answer{}, future("/before")
		}
		if err != nil {
			return Answer{}, err
		}
		if r.Documents == 0 {
			return s.stored(ctx, refuse("nothing_is_over"))
		}
		return s.propose(ctx, tx, proposal{
			action: purgeAction, subject: "custody", reason: b.Reason, ticket: b.Ticket,
			payload: purgePayload{Before: r.Before.Format(time.DateOnly), UpTo: r.UpTo, Documents: r.Documents, Bytes: r.Bytes, Reason: b.Reason},
			check:   func(context.Context, Tx, string) error { return nil },
		})
	})
}

// orderPurge makes the order that an approval gives. Nothing is removed yet.
func orderPurge(ctx context.Context, tx Tx, _ uuid.UUID, a ApprovalRecord) (any, error) {
	var p purgePayload
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	order, err := tx.OrderPurge(ctx, agreed(a, p.Reason))
	if err != nil {
		return nil, err
	}
	return viewPurge(order), nil
}

// agreed is an approval as the chain tells of it.
func agreed(a ApprovalRecord, reason string) custodypg.Approved {
	out := custodypg.Approved{Approval: a.ID, Maker: a.Maker, Reason: reason, Payload: a.Payload, Checkers: []string{}}
	for _, d := range a.Decisions {
		if d.Decision == decisionYes {
			out.Checkers = append(out.Checkers, d.Checker)
		}
	}
	slices.Sort(out.Checkers)
	return out
}

// ListPurges shows orders to purge and how far they are carried out, newest
// first.
func (s *server) ListPurges(ctx context.Context, request ListPurgesRequestObject) (ListPurgesResponseObject, error) {
	before, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Custody.Purges(ctx, whereOf(ctx).who.Tenant, before, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewPurge, func(p custodypg.Purge) (time.Time, string) {
		return p.OrderedAt, strconv.FormatInt(p.ID, 10)
	}))
}

// RunPurge carries out the next round of an order.
func (s *server) RunPurge(ctx context.Context, request RunPurgeRequestObject) (RunPurgeResponseObject, error) {
	id, err := numbered(request.Id, purgePrefix)
	if err != nil {
		return nil, err
	}
	by := whereOf(ctx).who.KeyID
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		p, err := tx.Purge(ctx, id, by)
		if errors.Is(err, custodypg.ErrNoSuchPurge) {
			return Answer{}, &refusal{code: "not_found", detail: "There is no such order to purge."}
		}
		if errors.Is(err, custodypg.ErrKept) { // something has come to keep it in the meantime: another round passes it over
			return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err != nil {
			return Answer{}, err
		}
		return jsonAnswer(http.StatusOK, viewPurge(p))
	})
}
