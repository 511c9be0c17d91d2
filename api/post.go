package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

// postPatience bounds how long a caller waits for the books.
const postPatience = 5 * time.Second

// keyNamespace of the transaction ids that keys give (RFC 9562, version 5).
var keyNamespace = uuid.MustParse("b7f1a7de-3c3c-4a55-9d0a-5e1f0e7f6d21")

// keyedID is the id of the transaction that a key names: the key itself if it
// is a UUID. The transaction is the key's record; there is no other, and it is
// kept as long as the books are.
func keyedID(tenant uuid.UUID, key string) uuid.UUID {
	if id, err := uuid.Parse(key); err == nil && id != uuid.Nil && key == id.String() {
		return id
	}
	return uuid.NewSHA1(keyNamespace, append(tenant[:], key...))
}

// PostTransaction posts what a program asks.
func (s *server) PostTransaction(ctx context.Context, request PostTransactionRequestObject) (PostTransactionResponseObject, error) {
	p, err := asked(request.Body)
	if err != nil {
		return nil, err
	}
	return s.post(ctx, p)
}

// post posts under the request's key. It answers from the books alone, so that
// a repeat has the same bytes.
func (s *server) post(ctx context.Context, p *posting) (Answer, error) {
	w, t := whereOf(ctx), p.asks
	t.ID, t.Actor = keyedID(w.who.Tenant, w.once.Key), w.who.KeyID
	if err := t.Validate(); err != nil {
		r := notAJournal(err)
		r.code = "transaction_invalid"
		return Answer{}, r
	}
	ctx, cancel := context.WithTimeout(ctx, postPatience)
	defer cancel()
	results, err := s.cfg.Books.Post(ctx, bookOf(ctx, p.entity), []ledger.Transaction{t})
	switch {
	case errors.Is(err, ledger.ErrBusy), errors.Is(err, ledger.ErrOutcomeUnknown):
		return Answer{}, errors.Join(ErrUnavailable, err)
	case err != nil:
		return Answer{}, err
	}
	result := results[0]
	if result.Outcome == ledger.IDReused {
		return Answer{}, refuse("idempotency_key_reused")
	}
	if !result.Posted() {
		entries := make([]journalEntry, len(t.Entries))
		for i, e := range t.Entries {
			entries[i] = journalEntry{Account: e.Account, Currency: e.Currency}
		}
		return Answer{}, refusedBy(result, "/entries", entries)
	}
	a, err := jsonAnswer(http.StatusCreated, viewTransaction(result.Recorded), "Location", "/v1/ledger/transactions?id="+transactionName(t.ID))
	if err == nil && result.Outcome == ledger.Exists {
		a = a.with("Idempotent-Replayed", "true")
	}
	return a, err
}

// asked is what a request to post asks for.
func asked(b *PostTransactionJSONRequestBody) (*posting, error) {
	p := &posting{entity: b.Entity}
	t := &p.asks
	*t = ledger.Transaction{Kind: ledger.Posted, Purpose: b.Purpose}
	for to, from := range map[*string]*string{&t.Reason: b.Reason, &t.OrderRef: b.OrderRef, &t.Document: b.Document} {
		if from != nil {
			*to = *from
		}
	}
	if b.Kind != nil {
		t.Kind = ledger.Kind(*b.Kind)
	}
	if b.EffectiveOn != nil {
		t.EffectiveOn = b.EffectiveOn.Time
	}
	if b.ExpiresAt != nil {
		t.ExpiresAt = b.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	for _, link := range []struct {
		name    string
		from    *TransactionID
		pointer *uuid.UUID
	}{{"/resolves", b.Resolves, &t.Resolves}, {"/reverses", b.Reverses, &t.Reverses}} {
		if link.from == nil {
			continue
		}
		id, err := uuid.Parse(strings.TrimPrefix(*link.from, "txn_"))
		if err != nil {
			return nil, refuseField("validation_failed", link.name, "is not the id of a transaction")
		}
		*link.pointer = id
	}
	if b.Entries != nil {
		for _, e := range *b.Entries {
			t.Entries = append(t.Entries, ledger.Entry{Account: e.AccountCode, Side: ledger.Side(e.Side), Amount: e.Amount, Currency: e.Currency})
		}
	}
	return p, nil
}
