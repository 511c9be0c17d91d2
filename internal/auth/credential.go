package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A Principal is who asks: the tenant whose data it is, the key and its role.
// Proof is the SHA-256 of the key's secret: where people decide, the database
// asks for it once more rather than take a program's word for who they are.
type Principal struct {
	Tenant uuid.UUID
	KeyID  string
	Role   string
	Proof  [32]byte
}

// ErrUnknown means that no live key is behind a credential. It does not say
// whether the key is unknown, wrong, expired or revoked.
var ErrUnknown = errors.New("the credential is not valid")

// remember is how long a key that was let in is let in without asking the
// database again; a revocation takes effect everywhere within this time.
const remember = 30 * time.Second

// maxRemembered bounds the memory a process spends on credentials.
const maxRemembered = 10_000

// Checker finds the principal behind a credential. Refusals are not
// remembered: a key works from the moment it exists.
type Checker struct {
	pool *pgxpool.Pool
	now  func() time.Time

	mu   sync.Mutex
	seen map[[32]byte]sighting
}

type sighting struct {
	who   Principal
	until time.Time
}

// NewChecker returns a checker that asks pool, whose role may execute
// app.authenticate.
func NewChecker(pool *pgxpool.Pool, now func() time.Time) *Checker {
	return &Checker{pool: pool, now: now, seen: map[[32]byte]sighting{}}
}

// Check returns the principal behind a key. Errors: ErrMalformed, ErrUnknown,
// or the database does not answer.
func (c *Checker) Check(ctx context.Context, text string) (Principal, error) {
	if len(text) > maxLength {
		return Principal{}, ErrMalformed
	}
	whole := digest(text)
	if who, ok := c.recall(whole); ok {
		return who, nil
	}
	id, secret, err := Parse(text)
	if err != nil {
		return Principal{}, err
	}
	var who Principal
	err = c.pool.QueryRow(ctx, `select tenant_id, key_id, role from app.authenticate($1, $2)`, id, secret[:]).
		Scan(&who.Tenant, &who.KeyID, &who.Role)
	if errors.Is(err, pgx.ErrNoRows) {
		return Principal{}, ErrUnknown
	}
	if err != nil {
		return Principal{}, fmt.Errorf("check a credential: %w", err)
	}
	who.Proof = secret
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= maxRemembered {
		clear(c.seen)
	}
	c.seen[whole] = sighting{who: who, until: c.now().Add(remember)}
	return who, nil
}

func (c *Checker) recall(whole [32]byte) (Principal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seen[whole]
	if ok && c.now().Before(s.until) {
		return s.who, true
	}
	delete(c.seen, whole)
	return Principal{}, false
}
