// Package txguard keeps network calls out of database transactions. Whoever
// opens a transaction marks the context it hands on; whoever calls out over the
// network refuses a marked context.
package txguard

import (
	"context"
	"errors"
)

type key struct{}

// ErrInTransaction is a mistake in the program: a foreign call while a
// database transaction is open would hold its locks for as long as a stranger
// likes.
var ErrInTransaction = errors.New("network call inside a database transaction")

// Mark returns a context that says a transaction is open.
func Mark(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// InTx reports whether ctx belongs to an open transaction.
func InTx(ctx context.Context) bool {
	in, ok := ctx.Value(key{}).(bool)
	return ok && in
}
