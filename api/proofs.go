package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

type checkpointView struct {
	Object   string `json:"object"`
	Origin   string `json:"origin"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	SealedAt stamp  `json:"sealed_at"`
	Note     string `json:"note"`
}

// LedgerCheckpoint shows the last signed checkpoint of the tenant's books.
func (s *server) LedgerCheckpoint(ctx context.Context, _ LedgerCheckpointRequestObject) (LedgerCheckpointResponseObject, error) {
	w := whereOf(ctx)
	c, err := s.cfg.Books.LastCheckpoint(ctx, ledger.Main(w.who.Tenant))
	if err != nil {
		return nil, sealRefusal(err)
	}
	if w.plain {
		return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: c.Signed}, nil
	}
	return jsonAnswer(http.StatusOK, checkpointView{
		Object: "ledger_checkpoint", Origin: c.Origin, Size: c.Size, Root: c.Root.String(), SealedAt: stamp(c.SealedAt), Note: string(c.Signed),
	})
}

// LedgerProof makes the offline proof of a transaction of the tenant.
func (s *server) LedgerProof(ctx context.Context, request LedgerProofRequestObject) (LedgerProofResponseObject, error) {
	text, ok := strings.CutPrefix(request.Id, "txn_")
	id, err := uuid.Parse(text)
	if !ok || err != nil {
		return nil, ErrNotFound
	}
	bundle, err := s.cfg.Books.Prove(ctx, ledger.Main(whereOf(ctx).who.Tenant), id)
	if err != nil {
		return nil, sealRefusal(err)
	}
	return jsonAnswer(http.StatusOK, bundle)
}

func sealRefusal(err error) error {
	switch {
	case errors.Is(err, ledgerpg.ErrNoTransaction):
		return ErrNotFound
	case errors.Is(err, sealpg.ErrNotSealed):
		return &refusal{code: "not_sealed_yet", retry: "10"}
	}
	return err
}
