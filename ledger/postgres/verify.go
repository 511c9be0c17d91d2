package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

// Violation is one breach of an invariant of the books, by its number in the
// published list (I1 debits equal credits, I2 balances equal entries, I3 the
// sequence has no gap).
type Violation struct {
	Invariant string `json:"invariant"`
	Tenant    string `json:"tenant"`
	Where     string `json:"where"`
	Detail    string `json:"detail"`
}

// Verify recomputes the books of every tenant from their entries, in one
// snapshot, and lists at most limit breaches of each invariant. The connection
// must belong to a role that sees all tenants: auditor_ro.
func Verify(ctx context.Context, conn *pgx.Conn, limit int32) ([]Violation, error) {
	var out []Violation
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		q := ledgerdb.New(tx)
		unbalanced, err := q.VerifyBalanced(ctx, limit)
		if err != nil {
			return fmt.Errorf("I1: %w", err)
		}
		for _, v := range unbalanced {
			out = append(out, Violation{
				"I1", v.TenantID.String(), fmt.Sprintf("transaction %d", v.Seq),
				fmt.Sprintf("debits and credits differ by %s in %s", v.Difference, v.Currency),
			})
		}
		balances, err := q.VerifyBalances(ctx, limit)
		if err != nil {
			return fmt.Errorf("I2: %w", err)
		}
		for _, v := range balances {
			out = append(out, Violation{"I2", v.TenantID.String(), v.Code + " " + v.Currency, v.Difference})
		}
		sequence, err := q.VerifySequence(ctx, limit)
		if err != nil {
			return fmt.Errorf("I3: %w", err)
		}
		for _, v := range sequence {
			out = append(out, Violation{
				"I3", v.TenantID.String(), "sequence",
				fmt.Sprintf("the head says %d, the last transaction is %d, there are %d", v.Head, v.Last, v.N),
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("verify the ledger: %w", err)
	}
	return out, nil
}
