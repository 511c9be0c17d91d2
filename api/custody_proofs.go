package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

func viewCustodyCheckpoint(c sealpg.Sealed) checkpointView {
	return checkpointView{
		Object: "custody_checkpoint", Origin: c.Origin, Size: c.Size, Root: c.Root.String(), SealedAt: stamp(c.SealedAt), Note: string(c.Signed),
	}
}

// CustodyCheckpoint shows the last signed checkpoint of the tenant's custody.
func (s *server) CustodyCheckpoint(ctx context.Context, _ CustodyCheckpointRequestObject) (CustodyCheckpointResponseObject, error) {
	w := whereOf(ctx)
	c, err := s.cfg.Custody.LastCheckpoint(ctx, w.who.Tenant)
	if err != nil {
		return nil, sealRefusal(err)
	}
	if w.plain {
		return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: c.Signed}, nil
	}
	return jsonAnswer(http.StatusOK, viewCustodyCheckpoint(c))
}

// ListCustodyCheckpoints shows the signed checkpoints, newest first.
func (s *server) ListCustodyCheckpoints(ctx context.Context, request ListCustodyCheckpointsRequestObject) (ListCustodyCheckpointsResponseObject, error) {
	before, n, err := s.beforeCursor(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Custody.Checkpoints(ctx, whereOf(ctx).who.Tenant, before, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewCustodyCheckpoint, func(c sealpg.Sealed) (time.Time, string) {
		return c.SealedAt, strconv.FormatInt(c.Size, 10)
	}))
}

// CustodyProof makes the offline proof of an event of the tenant, or of a
// decision: of the one that says that a document is gone, for example.
func (s *server) CustodyProof(ctx context.Context, request CustodyProofRequestObject) (CustodyProofResponseObject, error) {
	tenant := whereOf(ctx).who.Tenant
	places, err := s.placesToProve(ctx, uuid.NullUUID{UUID: tenant, Valid: true}, request.Params)
	if err != nil {
		return nil, err
	}
	switch len(places) {
	case 0:
		return nil, ErrNotFound
	case 1:
	default: // an event, and the declaration that it was wrong
		var list []string
		for _, at := range places {
			list = append(list, strconv.FormatInt(at.Seq, 10))
		}
		return nil, refuseField("validation_failed", "#/parameters/event_id", fmt.Sprintf("names several events: give seq, one of %s", strings.Join(list, ", ")))
	}
	bundle, err := s.cfg.Custody.Prove(ctx, tenant, places[0].Seq)
	if errors.Is(err, custodypg.ErrUnknown) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, sealRefusal(err)
	}
	return jsonAnswer(http.StatusOK, bundle)
}

func (s *server) placesToProve(ctx context.Context, tenant uuid.NullUUID, p CustodyProofParams) ([]custodypg.EventPlace, error) {
	switch {
	case p.EventId != nil && p.Seq == nil && p.Purged == nil:
		return s.cfg.Custody.EventPlaces(ctx, tenant, *p.EventId, 0)
	case p.Seq != nil && p.EventId == nil && p.Purged == nil:
		return s.cfg.Custody.EventPlaces(ctx, tenant, "", *p.Seq)
	case p.Purged != nil && p.EventId == nil && p.Seq == nil:
		document, err := numbered(*p.Purged, documentPrefix)
		if err != nil {
			return nil, err
		}
		return s.cfg.Custody.PurgePlaces(ctx, tenant, document)
	}
	return nil, refuseField("validation_failed", "#/parameters/event_id", "give one of event_id, seq and purged")
}
