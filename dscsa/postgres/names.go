package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
)

// names are the statements behind Names, by collection. Each goes from name to
// name along an index, however many events there are of one.
var names = map[string]string{
	"epcs": `
		select i.key from custody.item i
		 where i.chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()) and i.key > $1
		 order by i.key limit $2`,
	"bizSteps":     distinct("biz_step"),
	"dispositions": distinct("disposition"),
	"readPoints":   distinct("read_point"),
	"bizLocations": distinct("biz_location"),
}

// distinct hops over an index that begins with chain_id and the column.
func distinct(column string) string {
	least := `(select e.` + column + ` from custody.event e
		    where e.chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()) and e.` + column + ` <> '' and e.` + column + ` > `
	return `with recursive found (name, n) as (
		select ` + least + `$1 order by e.` + column + ` limit 1), 1
		union all
		select ` + least + `f.name order by e.` + column + ` limit 1), f.n + 1 from found f where f.name is not null and f.n < $2
	)
	select name from found where name is not null`
}

// Names lists what occurs in the tenant's events, in the database's order, from
// after a name: epcs, bizSteps, dispositions, readPoints or bizLocations.
func (s *Store) Names(ctx context.Context, tenant uuid.UUID, of, after string, limit int) ([]string, error) {
	statement, ok := names[of]
	if !ok {
		return nil, fmt.Errorf("there is no list of %s", of)
	}
	var out []string
	err := pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, statement, after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", of, err)
	}
	return out, nil
}
