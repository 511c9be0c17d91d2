package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// The door as it is called, with its rows spoiled in SQL on their way: arrays
// of another shape, rows that are not there, and what a line says of the other
// lines of its account.
func TestTheDoorRefusesRowsThatDoNotBelongTogether(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	before := h.fingerprint(t.Context(), t)
	// Two transfers between the same accounts: lines 1 and 3 are one account's, 2 and 4 the other's.
	const transactions, lines = "$7", "$8"
	line := func(set ...string) string {
		columns := []string{"account_id", "amount", "posted", "held_debits", "held_credits", "debits", "of", "prev", "first", "line", "layer", "name"}
		for i, c := range columns {
			for k := 0; k < len(set); k += 2 {
				if set[k] == c {
					columns[i] = set[k+1]
				}
			}
		}
		return `(select array_agg((` + strings.Join(columns, ", ") + `)::ledger.door_line order by place)
			from unnest($8::ledger.door_line[]) with ordinality as u (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name, place))`
	}
	for name, x := range map[string]struct{ transactions, lines, want string }{
		"transactions counted from 2":     {`('[2:3]=' || $7::ledger.door_transaction[]::text)::ledger.door_transaction[]`, lines, "1 to 10000"},
		"lines counted from 2":            {transactions, `('[2:5]=' || $8::ledger.door_line[]::text)::ledger.door_line[]`, "1 to 10000"},
		"transactions in two dimensions":  {`array[$7::ledger.door_transaction[]]`, lines, "1 to 10000"},
		"lines in two dimensions":         {transactions, `array[$8::ledger.door_line[]]`, "1 to 10000"},
		"transactions missing":            {`null::ledger.door_transaction[]`, lines, "1 to 10000"},
		"lines missing":                   {transactions, `null::ledger.door_line[]`, "1 to 10000"},
		"no transactions":                 {`'{}'::ledger.door_transaction[]`, lines, "1 to 10000"},
		"no lines":                        {transactions, `'{}'::ledger.door_line[]`, "1 to 10000"},
		"more lines than a batch has":     {transactions, `array_fill(($8::ledger.door_line[])[1], array[100001])`, "1 to 10000"},
		"a transaction that is not there": {`array_append($7::ledger.door_transaction[], null)`, lines, ""},
		"a line that is not there":        {transactions, `array_append($8::ledger.door_line[], null)`, ""},
		"a line in front":                 {transactions, `array_prepend(null, $8::ledger.door_line[])`, ""},
		"the last transaction cut off":    {`($7::ledger.door_transaction[])[1:1]`, lines, ""},
		"the last line cut off":           {transactions, `($8::ledger.door_line[])[1:3]`, ""},
		"the first line cut off":          {transactions, `($8::ledger.door_line[])[2:4]`, ""},
		"the lines twice":                 {transactions, `array_cat($8::ledger.door_line[], $8::ledger.door_line[])`, ""},
		"more debits than there were":     {transactions, line("debits", "debits + 1"), "balance"},
		"more debits in the last line":    {transactions, line("debits", "debits + case when first > 0 then 1 else 0 end"), "balance"},
		"debits unknown":                  {transactions, line("debits", "null"), "balance"},
		"no last line":                    {transactions, line("first", "0"), "balance"},
		"one account without a last line": {transactions, line("first", "case when place = 4 then 0 else first end"), "balance"},
		"every line the last":             {transactions, line("first", "case when first > 0 then first else place end"), "balance"},
		"a last line before the last":     {transactions, line("first", "case place when 1 then 1 when 4 then 2 else 0 end"), "balance"},
		"the last line begins with itself": {
			transactions, line("first", "case when first > 0 then place else 0 end"), "balance",
		},
		"the last line begins with the other's": {transactions, line("first", "case place when 3 then 2 when 4 then 1 else 0 end"), "balance"},
		"the last line begins nowhere":          {transactions, line("first", "case when first > 0 then 99 else 0 end"), "balance"},
		"the first unknown":                     {transactions, line("first", "null"), "balance"},
		"a list begun again":                    {transactions, line("prev", "0"), "balance"},
		"a line before itself":                  {transactions, line("prev", "place"), "balance"},
		"the lines in another order": {transactions, `(select array_agg(u.x order by u.place desc) from
			(select (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name)::ledger.door_line as x, place
			   from unnest($8::ledger.door_line[]) with ordinality as y (account_id, amount, posted, held_debits, held_credits, debits, of, prev, first, line, layer, name, place)) u)`, "line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := h.rows(t, x.transactions, x.lines)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Contains(t, pg.Message, x.want)
		})
	}
	t.Run("not spoiled", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, h.rows(t, transactions, lines))
		require.NoError(t, h.rows(t, transactions, line()))
	})
	t.Cleanup(func() {
		require.Equal(t, before, h.fingerprint(context.WithoutCancel(t.Context()), t), "nothing was written")
	})
}

// rows takes a good batch to the door with something else in the place of its
// arrays. What the door takes is not kept.
func (h *hostile) rows(t *testing.T, transactions, lines string) error {
	t.Helper()
	ctx := t.Context()
	batch := []ledger.Transaction{
		ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100),
		ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 30),
	}
	err := pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, h.book.Tenant.String()); err != nil {
			return err
		}
		head, recorded, _, err := h.store.Compute(ctx, tx, h.book, batch)
		if err != nil {
			return err
		}
		args, err := postgres.DoorRows(ctx, tx.Conn(), h.book, head, recorded)
		if err != nil {
			return err
		}
		// Every argument is used, so that each has a type; a parameter may not be what it was.
		sql := strings.NewReplacer("$7", "("+transactions+")::ledger.door_transaction[]", "$8", "("+lines+")::ledger.door_line[]").Replace(postgres.Door) +
			` where $7::ledger.door_transaction[] is not null and $8::ledger.door_line[] is not null`
		if _, err := tx.Conn().PgConn().ExecParams(ctx, sql, args, nil, []int16{1}, nil).Close(); err != nil {
			return err
		}
		return errNotKept
	})
	if errors.Is(err, errNotKept) {
		return nil
	}
	return err
}
