package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

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
	const transactions, lines, accounts = "$11", "$12", "$13"
	spoil := func(array, element string, columns []string, set ...string) string {
		sorted := strings.Join(columns, ", ")
		values := make([]string, len(columns))
		for i, c := range columns {
			values[i] = c
			for k := 0; k < len(set); k += 2 {
				if set[k] == c {
					values[i] = set[k+1]
				}
			}
		}
		return `(select array_agg((` + strings.Join(values, ", ") + `)::ledger.` + element + ` order by place)
			from unnest(` + array + `::ledger.` + element + `[]) with ordinality as u (` + sorted + `, place))`
	}
	line := func(set ...string) string {
		return spoil(lines, "batch_line", []string{
			"amount", "debits", "posted", "held_debits", "held_credits", "net", "of", "account", "prev", "next", "at", "line", "nth", "layer",
		}, set...)
	}
	transaction := func(set ...string) string {
		return spoil(transactions, "batch_transaction", []string{
			"id", "period", "effective_on", "hash", "kind", "purpose", "actor", "reason", "saga_id", "order_ref", "document", "approval_id", "resolves",
			"reverses", "expires_at", "last", "bytes",
		}, set...)
	}
	account := func(set ...string) string {
		return spoil(accounts, "batch_account", []string{"account_id", "posted", "held_debits", "held_credits", "first", "last", "name"}, set...)
	}
	const ts, ls, as = "::ledger.batch_transaction[]", "::ledger.batch_line[]", "::ledger.batch_account[]"
	for name, x := range map[string]struct{ transactions, lines, accounts, want string }{
		"transactions counted from 2":     {`('[2:3]=' || $11` + ts + `::text)` + ts, lines, accounts, "1 to 10000"},
		"lines counted from 2":            {transactions, `('[2:5]=' || $12` + ls + `::text)` + ls, accounts, "1 to 10000"},
		"accounts counted from 2":         {transactions, lines, `('[2:3]=' || $13` + as + `::text)` + as, "1 to 10000"},
		"transactions in two dimensions":  {`array[$11` + ts + `]`, lines, accounts, "1 to 10000"},
		"lines in two dimensions":         {transactions, `array[$12` + ls + `]`, accounts, "1 to 10000"},
		"accounts in two dimensions":      {transactions, lines, `array[$13` + as + `]`, "1 to 10000"},
		"transactions missing":            {`null` + ts, lines, accounts, "1 to 10000"},
		"lines missing":                   {transactions, `null` + ls, accounts, "1 to 10000"},
		"accounts missing":                {transactions, lines, `null` + as, "1 to 10000"},
		"no transactions":                 {`'{}'` + ts, lines, accounts, "1 to 10000"},
		"no lines":                        {transactions, `'{}'` + ls, accounts, "1 to 10000"},
		"no accounts":                     {transactions, lines, `'{}'` + as, "1 to 10000"},
		"more lines than a batch has":     {transactions, `array_fill(($12` + ls + `)[1], array[100001])`, accounts, "1 to 10000"},
		"a transaction that is not there": {`array_append($11` + ts + `, null)`, lines, accounts, ""},
		"a line that is not there":        {transactions, `array_append($12` + ls + `, null)`, accounts, "line"},
		"a line in front":                 {transactions, `array_prepend(null, $12` + ls + `)`, accounts, "line"},
		"an account that is not there":    {transactions, lines, `array_append($13` + as + `, null)`, "account"},
		"an account in front":             {transactions, lines, `array_prepend(null, $13` + as + `)`, ""},
		"an account twice":                {transactions, lines, `array_append($13` + as + `, ($13` + as + `)[1])`, "account"},
		"an account too few":              {transactions, lines, `($13` + as + `)[1:1]`, "balance"},
		"the accounts in another order":   {transactions, lines, `array[($13` + as + `)[2], ($13` + as + `)[1]]`, "balance"},
		"the last transaction cut off":    {`($11` + ts + `)[1:1]`, lines, accounts, "chain"},
		"the first transaction cut off":   {`($11` + ts + `)[2:2]`, lines, accounts, ""},
		"the last line cut off":           {transactions, `($12` + ls + `)[1:3]`, accounts, "lines"},
		"the first line cut off":          {transactions, `($12` + ls + `)[2:4]`, accounts, "line"},
		"the lines twice":                 {transactions, `array_cat($12` + ls + `, $12` + ls + `)`, accounts, "line"},
		"the lines in another order": {
			transactions, `array[($12` + ls + `)[4], ($12` + ls + `)[3], ($12` + ls + `)[2], ($12` + ls + `)[1]]`, accounts, "line",
		},
		// The run.
		"another sum of the run":           {transactions, line("net", "net + 1"), accounts, "line"},
		"a run that ends at one":           {transactions, line("net", "case line when 2 then 1 else net end"), accounts, "line"},
		"the sum of the run unknown":       {transactions, line("net", "null"), accounts, "line"},
		"a run counted from 2":             {transactions, line("nth", "nth + 1::smallint"), accounts, "line"},
		"a run that does not count":        {transactions, line("nth", "1::smallint"), accounts, "line"},
		"the number in the run unknown":    {transactions, line("nth", "null"), accounts, "line"},
		"a line of no amount":              {transactions, line("amount", "0"), accounts, "line"},
		"a line of an unknown amount":      {transactions, line("amount", "null"), accounts, "line"},
		"the layers not of one run":        {transactions, line("layer", "case line when 2 then -1 else 0 end::smallint", "nth", "1::smallint", "net", "amount"), accounts, "line"},
		"a layer unknown":                  {transactions, line("layer", "null"), accounts, "line"},
		"a layer that is not one":          {transactions, line("layer", "2::smallint"), accounts, "line"},
		"lines of the second in the first": {transactions, line("of", "1"), accounts, "line"},
		"lines of a transaction unknown":   {transactions, line("of", "null"), accounts, "line"},
		"a transaction passed over":        {transactions, line("of", "case of when 2 then 3 else of end"), accounts, "line"},
		"lines numbered from 2":            {transactions, line("line", "line + 1::smallint"), accounts, "line"},
		"lines without a number":           {transactions, line("line", "null"), accounts, "line"},
		// The account's list.
		"more debits than there were":            {transactions, line("debits", "debits + 1"), accounts, "balance"},
		"more debits in the last line":           {transactions, line("debits", "debits + case when next = 0 then 1 else 0 end"), accounts, "balance"},
		"debits unknown":                         {transactions, line("debits", "null"), accounts, "balance"},
		"a balance unknown":                      {transactions, line("posted", "null"), accounts, "balance"},
		"held below nothing":                     {transactions, line("held_debits", "-1"), account("held_debits", "-1"), "balance"},
		"held credits below nothing":             {transactions, line("held_credits", "-1"), account("held_credits", "-1"), "balance"},
		"no last line":                           {transactions, line("next", "case when next = 0 then 5 else next end"), accounts, "balance"},
		"no last line, nowhere":                  {transactions, line("next", "case when next = 0 then 99 else next end"), account("last", "99"), "balance"},
		"a last line before the last":            {transactions, line("next", "case place when 1 then 0 else next end"), account("last", "case place when 1 then 1 else last end"), "balance"},
		"every line the last":                    {transactions, line("next", "0"), accounts, "balance"},
		"the next line another's":                {transactions, line("next", "case place when 1 then 4 when 2 then 3 else next end"), accounts, "balance"},
		"the next line unknown":                  {transactions, line("next", "null"), accounts, "balance"},
		"the next line before":                   {transactions, line("next", "-1"), accounts, "balance"},
		"a list begun again":                     {transactions, line("prev", "0"), accounts, "balance"},
		"a list begun again, and moved there":    {transactions, line("prev", "0"), account("first", "last"), "balance"},
		"a line before itself":                   {transactions, line("prev", "place"), accounts, "balance"},
		"a line before the first":                {transactions, line("prev", "-1"), accounts, "balance"},
		"the line before unknown":                {transactions, line("prev", "null"), accounts, "balance"},
		"the other account's":                    {transactions, line("account", "3 - account"), accounts, "balance"},
		"an account that is none of the batch's": {transactions, line("account", "3"), accounts, ""},
		"an account unknown":                     {transactions, line("account", "null"), accounts, ""},
		"an account before the first":            {transactions, line("account", "0"), accounts, ""},
		"the first line elsewhere":               {transactions, lines, account("first", "first + 2"), "balance"},
		"the first line unknown":                 {transactions, lines, account("first", "null"), "balance"},
		"the last line elsewhere":                {transactions, lines, account("last", "last - 2"), "balance"},
		"the last line the other's":              {transactions, lines, account("last", "7 - last"), "balance"},
		"the last line unknown":                  {transactions, lines, account("last", "null"), "balance"},
		"the last line nowhere":                  {transactions, lines, account("last", "99"), "balance"},
		"another balance before":                 {transactions, line("posted", "posted + 1"), account("posted", "posted + 1"), "chain"},
		"another account's number":               {transactions, lines, account("account_id", "account_id + 1"), "account"},
		"no account's number":                    {transactions, lines, account("account_id", "null"), ""},
		"another name":                           {transactions, lines, account("name", "'x' || substr(name, 2)"), "chain"},
		"no name":                                {transactions, lines, account("name", "null"), ""},
		// The bytes.
		"bytes that begin later":        {transactions, line("at", "at + 1"), accounts, "line"},
		"bytes that begin nowhere":      {transactions, line("at", "null"), accounts, "line"},
		"bytes after the lines'":        {transaction("bytes", "bytes || '\\x00'"), lines, accounts, "lines"},
		"bytes before the lines'":       {transaction("bytes", "'\\x00' || bytes"), lines, accounts, "chain"},
		"other bytes":                   {transaction("bytes", "set_byte(bytes, 60, 255)"), lines, accounts, "chain"},
		"no bytes":                      {transaction("bytes", "''"), lines, accounts, "chain"},
		"bytes unknown":                 {transaction("bytes", "null"), lines, accounts, "chain"},
		"no hash":                       {transaction("hash", "null"), lines, accounts, "chain"},
		"the last line of another":      {transaction("last", "6 - last"), lines, accounts, "lines"},
		"a last line before it":         {transaction("last", "last - 1"), lines, accounts, "lines"},
		"no transaction's last line":    {transaction("last", "null"), lines, accounts, "lines"},
		"a last line that is not there": {transaction("last", "99"), lines, accounts, "lines"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := h.rows(t, x.transactions, x.lines, x.accounts)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Contains(t, pg.Message, x.want)
		})
	}
	t.Run("not spoiled", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, h.rows(t, transactions, lines, accounts))
		require.NoError(t, h.rows(t, transaction(), line(), account()))
	})
	t.Cleanup(func() {
		require.Equal(t, before, h.fingerprint(context.WithoutCancel(t.Context()), t), "nothing was written")
	})
}

// rows takes a good batch to the door with something else in the place of its
// arrays. What the door takes is not kept.
func (h *hostile) rows(t *testing.T, transactions, lines, accounts string) error {
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
		sql := strings.NewReplacer("$11", "("+transactions+")::ledger.batch_transaction[]", "$12", "("+lines+")::ledger.batch_line[]",
			"$13", "("+accounts+")::ledger.batch_account[]").Replace(postgres.Door) +
			` where $11::ledger.batch_transaction[] is not null and $12::ledger.batch_line[] is not null and $13::ledger.batch_account[] is not null`
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

// What a batch says that it has not, none of its rows has.
func TestTheDoorRefusesMoreThanWasSaid(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	no := []byte{0}
	several := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
	for _, e := range several.Entries {
		e.Currency = "eur"
		several.Entries = append(several.Entries, e)
	}
	back := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 60)
	back.Reverses = h.posted
	void := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: h.hold, Purpose: "test", Actor: "test"}
	late := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
	late.EffectiveOn = time.Date(2026, 8, 15, 0, 0, 0, 0, time.UTC)
	plain := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
	for name, x := range map[string]struct {
		transaction ledger.Transaction
		argument    int
		said        []byte
		want        string
	}{
		"several currencies":              {several, 7, no, "currencies"},
		"several currencies, nobody says": {several, 7, nil, "currencies"},
		"a reversal":                      {back, 8, no, "linked"},
		"a resolution":                    {void, 8, nil, "linked"},
		"a floor":                         {ledgertest.Transfer(uuid.New(), ledger.CashBank, wallet, 1), 9, no, "account"},
		"a ceiling":                       {ledgertest.Transfer(uuid.New(), pot, ledger.CashBank, 1), 9, nil, "account"},
		"something late":                  {late, 6, []byte{0, 0, 0, 0}, "period"}, // 2000-01-01
		"something before":                {plain, 6, []byte{0x7f, 0, 0, 0}, "period"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, h.said(t, x.transaction, -1, nil))
			err := h.said(t, x.transaction, x.argument, x.said)
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Equal(t, "LG002", pg.Code)
			require.Contains(t, pg.Message, x.want)
		})
	}
	// Who says nothing of the time has each row looked at.
	require.NoError(t, h.said(t, plain, 6, nil))
}

// said takes a good transaction to the door with another argument. What the
// door takes is not kept.
func (h *hostile) said(t *testing.T, x ledger.Transaction, argument int, says []byte) error {
	t.Helper()
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, h.book.Tenant.String()); err != nil {
			return err
		}
		head, recorded, results, err := h.store.Compute(ctx, tx, h.book, []ledger.Transaction{x})
		require.NoError(t, err)
		require.NoError(t, results[0].Err())
		args, err := postgres.DoorRows(ctx, tx.Conn(), h.book, head, recorded)
		require.NoError(t, err)
		if argument >= 0 {
			args[argument] = says
		}
		if _, err := tx.Conn().PgConn().ExecParams(ctx, postgres.Door, args, nil, []int16{1}, nil).Close(); err != nil {
			return err
		}
		return errNotKept
	})
	if errors.Is(err, errNotKept) {
		return nil
	}
	return err
}
