package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	sqlPurgedBy        = statement("queries/purged_by")
	sqlPurgeWrong      = statement("queries/purge_wrong")
	sqlPurgeOrdered    = statement("queries/purge_ordered")
	sqlLegalHoldIs     = statement("queries/legal_hold_is")
	sqlLegalHoldLifted = statement("queries/legal_hold_lifted")
)

// gone looks for the entry that says that a document's bytes are gone. That the
// entry may say so is proved when the chain reaches it.
func (v *verifier) gone(ctx context.Context, e *verified) error {
	var by int64
	var raw []byte
	err := v.tx.QueryRow(ctx, sqlPurgedBy, v.id, e.seq).Scan(&by, &raw)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read why a document is gone: %w", err)
	}
	if err == nil && v.purge.seq != by {
		var body purgedBody
		if err := json.Unmarshal(raw, &body); err != nil {
			return &Fault{Seq: by, What: "what it says is gone cannot be read"}
		}
		v.purge.seq, v.purge.says = by, make(map[int64]string, len(body.Documents))
		for _, d := range body.Documents {
			v.purge.says[d.Seq] = d.SHA256
		}
	}
	if err != nil || v.purge.says[e.seq] != hex.EncodeToString(e.sha) || by <= e.seq {
		return &Fault{Seq: e.seq, What: "the document's bytes are gone and no entry says so"}
	}
	v.at.Purged++
	return nil
}

// decided holds what follows from a decision about keeping records against it.
// Holds are folded with the items.
func (v *verifier) decided(ctx context.Context, e *verified) error {
	wrong := func(what string) error { return &Fault{Seq: e.seq, What: what} }
	ask := func(sql string, args ...any) (ok bool, err error) {
		if err := v.tx.QueryRow(ctx, sql, append([]any{v.id}, args...)...).Scan(&ok); err != nil {
			return false, fmt.Errorf("read what a decision did: %w", err)
		}
		return ok, nil
	}
	switch e.decided[0].String {
	case "legal_hold":
		var body struct {
			Subject *int64 `json:"subject"`
		}
		if err := json.Unmarshal(e.decision, &body); err != nil {
			return wrong("the decision cannot be read")
		}
		if ok, err := ask(sqlLegalHoldIs, e.seq, body.Subject); err != nil || !ok {
			return orFault(err, wrong("the legal hold does not stand as it was placed and lifted"))
		}
	case "legal_hold_lifted":
		var body struct {
			Hold int64 `json:"hold"`
		}
		if err := json.Unmarshal(e.decision, &body); err != nil {
			return wrong("the decision cannot be read")
		}
		if ok, err := ask(sqlLegalHoldLifted, body.Hold, e.seq); err != nil || !ok {
			return orFault(err, wrong("the legal hold it lifted does not say so"))
		}
	case "purge_ordered":
		_, err := v.order(ctx, e.seq, e.seq)
		return err
	case "purged":
		return v.purged(ctx, e)
	}
	return nil
}

// order is an order to purge; the entry that needs it is named when it is not
// as its decision says.
func (v *verifier) order(ctx context.Context, id, needed int64) (body orderBody, err error) {
	var raw []byte
	var stands bool
	err = v.tx.QueryRow(ctx, sqlPurgeOrdered, v.id, id).Scan(&raw, &stands)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return body, fmt.Errorf("read an order to purge: %w", err)
	}
	if err != nil || !stands || json.Unmarshal(raw, &body) != nil {
		return body, &Fault{Seq: needed, What: fmt.Sprintf("the order to purge of entry %d does not stand as it was given", id)}
	}
	return body, nil
}

// purged proves that what an entry says is gone could go: under an order given
// before, when its time was over and no legal hold kept it.
func (v *verifier) purged(ctx context.Context, e *verified) error {
	var body purgedBody
	if err := json.Unmarshal(e.decision, &body); err != nil {
		return &Fault{Seq: e.seq, What: "what it says is gone cannot be read"}
	}
	order, err := v.order(ctx, body.Order, e.seq)
	if err != nil {
		return err
	}
	seqs, hashes := make([]int64, 0, len(body.Documents)), make([]string, 0, len(body.Documents))
	for _, d := range body.Documents {
		if body.Order >= e.seq || d.Seq > order.UpTo || d.KeptUntil >= order.Before {
			return &Fault{Seq: e.seq, What: fmt.Sprintf("it says that document %d is gone, which the order of entry %d does not cover", d.Seq, body.Order)}
		}
		seqs, hashes = append(seqs, d.Seq), append(hashes, d.SHA256)
	}
	var seq int64
	var what string
	err = v.tx.QueryRow(ctx, sqlPurgeWrong, v.id, e.seq, e.at.UTC().Truncate(24*time.Hour), seqs, hashes).Scan(&seq, &what)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return orFault(err, &Fault{Seq: e.seq, What: fmt.Sprintf("it says that document %d is gone, but %s", seq, what)})
}

func orFault(err, fault error) error {
	if err != nil {
		return fmt.Errorf("read what was purged: %w", err)
	}
	return fault
}
