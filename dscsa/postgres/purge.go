package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
)

var (
	sqlPurges     = statement("queries/purges")
	sqlOrderPurge = statement("door/order_purge")
	sqlPurge      = statement("door/purge")
)

// A round of a purge holds the chain for as long as it takes: it looks at no
// more than so many documents and, but for the last, so many bytes.
const (
	lookedAtTogether      = 200
	lookedAtBytesTogether = 16 << 20
)

// Errors of a purge.
var (
	// ErrKept: a record's time is not over, or a hold in force keeps it.
	ErrKept = errors.New("the record is still to be kept")
	// ErrNoSuchPurge: nobody ordered it.
	ErrNoSuchPurge = errors.New("there is no such order to purge")
)

// Purge is an order that documents go, and how far it is carried out.
type Purge struct {
	ID         int64     // the sequence of the decision
	Before     time.Time // what was to be kept until a day before this one goes
	UpTo       int64     // of what was recorded up to here
	Reached    int64     // documents up to here have been looked at
	Documents  int64     // removed so far
	Bytes      int64
	Done       bool // nothing more was found to go
	OrderedAt  time.Time
	OrderedBy  string // who proposed it
	Reason     string
	Approval   string
	ApprovedBy []string
}

// orderBody is what the chain says of an order.
type orderBody struct {
	Before     string   `json:"before"`
	UpTo       int64    `json:"up_to"`
	Approval   string   `json:"approval_id"`
	ApprovedBy []string `json:"approved_by"`
}

// purgedBody is what the chain says of documents that are gone.
type purgedBody struct {
	Order     int64        `json:"order"`
	Documents []purgedFact `json:"documents"`
}

type purgedFact struct {
	Seq       int64  `json:"seq"`
	SHA256    string `json:"sha256"`
	Size      int64  `json:"size"`
	KeptUntil string `json:"kept_until"`
}

// OrderPurgeTx makes the order that two people approved; its payload names
// before (a day, YYYY-MM-DD) and up_to (a sequence). ErrFuture.
func (st *Store) OrderPurgeTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, a Approved) (Purge, error) {
	d, err := a.decides("purge_ordered")
	if err != nil {
		return Purge{}, err
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return Purge{}, err
	}
	id, err := s.decide(ctx, d)
	if err != nil {
		return Purge{}, err
	}
	if _, err := tx.Exec(ctx, sqlOrderPurge, tenant, s.id, id); err != nil {
		if isConstraint(err, "purge_order_is_of_today") {
			return Purge{}, ErrFuture
		}
		return Purge{}, fmt.Errorf("custody.order_purge: %w", err)
	}
	return s.purge(ctx, id)
}

// PurgeTx carries out the next round of an order: it removes the bytes of the
// next documents whose time is over, and an entry of the chain says which, with
// their hashes. What a hold in force keeps is passed over. Done says that there
// is nothing more; called again then, nothing changes. ErrNoSuchPurge, ErrKept.
func (st *Store) PurgeTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, order int64, actor string) (Purge, error) {
	if strings.TrimSpace(actor) == "" {
		return Purge{}, errors.New("a purge says who carries it out")
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return Purge{}, err
	}
	p, err := s.purge(ctx, order)
	if err != nil || p.Done {
		return p, err
	}
	found, err := s.due(ctx, p.Reached, p.UpTo, p.Before, lookedAtTogether, lookedAtBytesTogether)
	if err != nil {
		return p, err
	}
	body, reached, done := purgedBody{Order: order, Documents: []purgedFact{}}, p.Reached, len(found) < lookedAtTogether
	for _, d := range found {
		if !d.looked {
			done = false
			break
		}
		if reached = d.Seq; !d.Goes {
			continue
		}
		body.Documents = append(body.Documents, purgedFact{
			Seq: d.Seq, SHA256: hex.EncodeToString(d.SHA256), Size: d.Size, KeptUntil: d.KeptUntil.Format(time.DateOnly),
		})
	}
	var told *int64
	if len(body.Documents) > 0 {
		raw, err := json.Marshal(body)
		if err != nil {
			return p, fmt.Errorf("encode a decision: %w", err)
		}
		id, err := s.decide(ctx, &decision{kind: "purged", actor: actor, reason: fmt.Sprintf("ordered by entry %d", order), body: raw})
		if err != nil {
			return p, err
		}
		told = &id
	}
	if _, err := tx.Exec(ctx, sqlPurge, tenant, s.id, order, told, reached, done); err != nil {
		if isConstraint(err, "retention_is_over") {
			return p, ErrKept
		}
		return p, fmt.Errorf("custody.purge: %w", err)
	}
	return s.purge(ctx, order)
}

// Purges lists orders to purge, newest first, from before one (0: from the
// newest).
func (st *Store) Purges(ctx context.Context, tenant uuid.UUID, before int64, limit int) (out []Purge, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "read orders to purge", sqlPurges, scanPurge, s.id, before, nil, limit)
		return err
	})
	return out, err
}

func (s *session) purge(ctx context.Context, id int64) (Purge, error) {
	list, err := collect(ctx, s.tx, "read an order to purge", sqlPurges, scanPurge, s.id, int64(math.MaxInt64), id, 1)
	if err != nil {
		return Purge{}, err
	}
	if len(list) == 0 {
		return Purge{}, ErrNoSuchPurge
	}
	return list[0], nil
}

func scanPurge(rows pgx.Rows) (p Purge, err error) {
	var raw []byte
	err = rows.Scan(&p.ID, &p.Before, &p.UpTo, &p.Reached, &p.Documents, &p.Bytes, &p.Done, &p.OrderedAt, &p.OrderedBy, &p.Reason, &raw)
	if err != nil {
		return p, err
	}
	var body orderBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return p, fmt.Errorf("read an order to purge: %w", err)
	}
	p.OrderedAt, p.Approval, p.ApprovedBy = p.OrderedAt.UTC(), body.Approval, body.ApprovedBy
	return p, nil
}
