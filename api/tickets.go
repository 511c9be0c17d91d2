package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/recourse/recourse/internal/auth"
)

const ticketLives = 30 * time.Second

// CreateStreamTicket makes a ticket for one stream. Only its hash is kept.
func (s *server) CreateStreamTicket(ctx context.Context, request CreateStreamTicketRequestObject) (CreateStreamTicketResponseObject, error) {
	ticket := "st_" + rand.Text() + rand.Text()
	expires := s.cfg.Now().Add(ticketLives)
	if err := s.cfg.Store.PutTicket(ctx, whereOf(ctx).who, request.Body.SagaId, sha256.Sum256([]byte(ticket)), expires); err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusCreated, struct {
		Object    string `json:"object"`
		Ticket    string `json:"ticket"`
		ExpiresAt stamp  `json:"expires_at"`
	}{"stream_ticket", ticket, stamp(expires)})
}

// redeem lets the holder of a ticket into the stream of one saga, once.
func (s *server) redeem(ctx context.Context, ticket, saga string) (auth.Principal, error) {
	tenant, forSaga, keyID, err := s.cfg.Store.RedeemTicket(ctx, sha256.Sum256([]byte(ticket)))
	if errors.Is(err, ErrNotFound) || err == nil && forSaga != saga {
		return auth.Principal{}, refuse("ticket_invalid")
	}
	return auth.Principal{Tenant: tenant, KeyID: keyID, Role: "ticket"}, err
}
