package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/internal/tradebook"
)

// Trade is the register of partners and products, and what transfers left.
type Trade interface {
	Partners(ctx context.Context, tenant uuid.UUID, after tradebook.After, limit int) ([]tradebook.Partner, error)
	ProductPage(ctx context.Context, tenant uuid.UUID, after tradebook.After, limit int) ([]tradebook.Product, error)
	// PartnerOfKey is the company a key speaks for; "": the tenant's own people.
	PartnerOfKey(ctx context.Context, tenant uuid.UUID, key string) (string, error)
	// Stored finds what a transfer's documents are made from.
	Stored(ctx context.Context, tenant uuid.UUID, saga string) (tradebook.Stored, bool, error)
}

// unitKey is the canonical key of a unit in any spelling: a URI, a bracketed
// element string, or what a scanner sends.
func unitKey(text string) (string, bool) {
	text = strings.TrimSpace(text)
	id, err := gs1.Parse(text)
	if err != nil || id.Kind == gs1.Other {
		els, scan := gs1.ParseScan([]byte(text))
		if scan != nil {
			return "", false
		}
		if id, err = gs1.IDOf(els); err != nil {
			return "", false
		}
	}
	if id.Kind != gs1.SGTIN && id.Kind != gs1.SSCC {
		return "", false
	}
	return id.Key(), true
}

// unitKeys reads a list of units and names those that are none, or are there
// twice in whatever spelling.
func unitKeys(texts []string, pointer string) (keys []string, wrong []FieldError) {
	seen := map[string]bool{}
	for i, text := range texts {
		at := pointer + "/" + itoa(i)
		key, ok := unitKey(text)
		switch {
		case !ok:
			wrong = append(wrong, FieldError{Pointer: at, Code: "invalid", Detail: "is neither a package (GTIN with serial) nor an SSCC; check its digits and its spelling"})
		case seen[key]:
			wrong = append(wrong, FieldError{Pointer: at, Code: "duplicate", Detail: "is there twice"})
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys, wrong
}

// glnWrong says what is wrong with a GLN of thirteen digits.
func glnWrong(gln, pointer string) []FieldError {
	if gs1.ValidGLN(gln) {
		return nil
	}
	return []FieldError{{Pointer: pointer, Code: "invalid", Detail: "has a wrong check digit"}}
}

// a page of a register, from its cursor.
func (s *server) after(ctx context.Context, limit *int, cursor *string) (after tradebook.After, n int, err error) {
	n = 20
	if limit != nil {
		n = *limit
	}
	if cursor != nil {
		var ok bool
		if after.At, after.ID, ok = s.openCursor(whereOf(ctx).who.Tenant[:], *cursor); !ok {
			return after, n, &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/cursor", Code: "invalid", Detail: "is not a next_cursor of this list"}}}
		}
	}
	return after, n, nil
}

// numbered is the number in an id such as lgh_12.
func numbered(id, prefix string) (int64, error) {
	text, ok := strings.CutPrefix(id, prefix)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return 0, refuse("not_found")
	}
	return n, nil
}

// beforeCursor is where a list that goes down from its newest goes on: before a
// number, 0 at its beginning.
func (s *server) beforeCursor(ctx context.Context, limit *int, cursor *string) (before int64, n int, err error) {
	after, n, err := s.after(ctx, limit, cursor)
	if err != nil || after.ID == "" {
		return 0, n, err
	}
	if before, err = strconv.ParseInt(after.ID, 10, 64); err != nil {
		return 0, n, refuseField("validation_failed", "#/parameters/cursor", "is not a next_cursor of this list")
	}
	return before, n, nil
}

// A page is a list that may go on.
type page[T any] struct {
	list[T]

	HasMore    bool    `json:"has_more"`
	NextCursor *string `json:"next_cursor"`
}

// pageOf shows the first n of what was found and says where to go on.
func pageOf[T, V any](s *server, ctx context.Context, found []T, n int, show func(T) V, where func(T) (time.Time, string)) page[V] {
	out := page[V]{list: listOf[V](nil)}
	if out.HasMore = len(found) > n; out.HasMore {
		found = found[:n]
		at, id := where(found[n-1])
		next := s.cursor(whereOf(ctx).who.Tenant[:], at, id)
		out.NextCursor = &next
	}
	for _, one := range found {
		out.Data = append(out.Data, show(one))
	}
	return out
}
