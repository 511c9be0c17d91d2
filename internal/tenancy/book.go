package tenancy

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrEntityName means that a legal entity cannot have this name.
var ErrEntityName = errors.New("a legal entity's name is a to z, 0 to 9, _ and -, at most 63 of them, and begins with a letter or digit")

// OpenBook opens the books of a legal entity of a tenant, named by its name. It
// reports false when they were open. A tenant's first entity, main, needs no
// opening.
func OpenBook(ctx context.Context, conn *pgx.Conn, tenant, entity string) (opened bool, err error) {
	err = asOwner(ctx, conn, func(tx pgx.Tx) error {
		var id uuid.UUID
		err := tx.QueryRow(ctx, `select id from app.tenant where name = $1 order by created_at limit 1`, tenant).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoTenant
		}
		if err == nil {
			_, err = tx.Exec(ctx, `set local role ledger_owner`)
		}
		if err == nil {
			err = tx.QueryRow(ctx, `select ledger.open_book($1, $2)`, id, entity).Scan(&opened)
		}
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.ConstraintName == "book_entity_shape" {
			return ErrEntityName
		}
		if err != nil || !opened {
			return err
		}
		if _, err := tx.Exec(ctx, `set local role recourse_owner`); err != nil {
			return err
		}
		return tell(ctx, tx, id, "ledger open-book", "/ledger/books/"+entity)
	})
	if err != nil {
		return false, fmt.Errorf("open the books of %q: %w", entity, err)
	}
	return opened, nil
}
