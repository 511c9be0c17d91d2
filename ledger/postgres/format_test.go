package postgres_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
)

// The hash of a transaction is computed in four places: by the writer in Go,
// by the door and by the functions for people in SQL, and by the audit from
// raw rows. They agree on the published vectors and on anything else.

// bySQL recomputes a book's hashes with the functions for people.
const bySQL = `
select j.seq, j.hash, ledger.journal_hash(lag(j.hash, 1, b.genesis) over (order by j.seq), j,
         (select string_agg(ledger.line_bytes(p.line, a.code, a.currency, p.side, p.layer, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after), ''::bytea order by p.line)
            from ledger.posting p join ledger.account a on a.id = p.account_id where p.recorded_at = j.recorded_at and p.book_id = j.book_id))
  from ledger.journal j join ledger.book b on b.id = j.book_id
 where b.tenant_id = $1 order by j.seq`

// history draws transactions that a book takes one after another.
type history struct{ pending, posted []ledger.Transaction }

func (h *history) next(rt *rapid.T) ledger.Transaction {
	text := rapid.StringMatching(`[a-zA-Z0-9 äß€旅\n'"\\|]{0,40}`)
	x := ledger.Transaction{
		ID: uuid.New(), Kind: ledger.Posted, Purpose: "p" + rapid.StringMatching(`[a-z.]{0,90}`).Draw(rt, "purpose"), Actor: "a" + text.Draw(rt, "actor"),
		Reason: text.Draw(rt, "reason"), SagaID: "sg_1", OrderRef: text.Draw(rt, "order"), Document: text.Draw(rt, "document"), Approval: text.Draw(rt, "approval"),
	}
	if rapid.Bool().Draw(rt, "dated") {
		x.EffectiveOn = time.Date(2026, 11, rapid.IntRange(1, 28).Draw(rt, "day"), 0, 0, 0, 0, time.UTC)
	}
	currency := rapid.SampledFrom([]string{"usd", "jpy"}).Draw(rt, "currency")
	amount := rapid.Int64Range(1, ledger.MaxAmount/100).Draw(rt, "amount")
	x.Entries = []ledger.Entry{
		{Account: rapid.SampledFrom([]string{"1020", "1900"}).Draw(rt, "debit"), Side: ledger.Debit, Amount: amount, Currency: currency},
		{Account: "2010", Side: ledger.Credit, Amount: amount, Currency: currency},
	}
	switch kind := rapid.IntRange(0, 4).Draw(rt, "kind"); {
	case kind == 0:
		x.Kind = ledger.Pending
		if rapid.Bool().Draw(rt, "expires") {
			x.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		}
		h.pending = append(h.pending, x)
	case kind == 1 && len(h.pending) > 0:
		x.Kind, x.Resolves, x.Entries = ledger.PostPending, h.pending[0].ID, h.pending[0].Entries
		h.pending = h.pending[1:]
	case kind == 2 && len(h.pending) > 0:
		x.Kind, x.Resolves, x.Entries = ledger.VoidPending, h.pending[0].ID, nil
		h.pending = h.pending[1:]
	case kind == 3 && len(h.posted) > 0:
		x.Reverses, x.Entries = h.posted[0].ID, nil
		for _, e := range h.posted[0].Entries {
			e.Side = map[ledger.Side]ledger.Side{ledger.Debit: ledger.Credit, ledger.Credit: ledger.Debit}[e.Side]
			x.Entries = append(x.Entries, e)
		}
		h.posted = h.posted[1:]
	default:
		h.posted = append(h.posted, x)
	}
	return x
}

func TestFourPlacesComputeOneHash(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	unasked(t, db)
	store := postgres.New(db.Pool("app_worker"))
	auditor := db.Pool("auditor_ro")
	rapid.Check(t, func(rt *rapid.T) {
		book := ledger.Main(db.Tenant())
		var h history
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			results, err := store.Post(t.Context(), book, []ledger.Transaction{h.next(rt)})
			require.NoError(rt, err)
			require.NoError(rt, results[0].Err())
		}
		recorded, err := store.TransactionsOfSaga(t.Context(), book, "sg_1")
		require.NoError(rt, err)
		prev, buf := book.Genesis(), []byte(nil)
		for _, r := range recorded {
			canonical := r.AppendCanonical(nil)
			read, err := ledger.ParseCanonical(canonical)
			require.NoError(rt, err)
			require.Equal(rt, canonical, read.AppendCanonical(nil))
			prev, buf = r.ChainHash(prev, buf)
			require.Equal(rt, r.Hash, prev, "Go and the door, sequence %d", r.Seq)
		}
		rows, err := auditor.Query(t.Context(), bySQL, book.Tenant)
		require.NoError(rt, err)
		defer rows.Close()
		n := 0
		for rows.Next() {
			var seq int64
			var stored, computed []byte
			require.NoError(rt, rows.Scan(&seq, &stored, &computed))
			require.Equal(rt, stored, computed, "the door and SQL, sequence %d", seq)
			n++
		}
		require.NoError(rt, rows.Err())
		require.Len(rt, recorded, n)
	})
	requireSound(t, db)
}

func TestSQLAgreesWithThePublishedVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../testdata/vectors.json")
	require.NoError(t, err)
	var v struct {
		Tenant, Entity, Genesis string
		Transactions            []json.RawMessage
	}
	require.NoError(t, json.Unmarshal(raw, &v))
	db := pgtest.New(t)
	auditor := db.Pool("auditor_ro")
	var prev []byte
	require.NoError(t, auditor.QueryRow(t.Context(), `select ledger.genesis($1, $2)`, v.Tenant, v.Entity).Scan(&prev))
	require.Equal(t, v.Genesis, hex.EncodeToString(prev))
	for _, x := range v.Transactions {
		var hash []byte
		var want string
		err := auditor.QueryRow(t.Context(), `
			select x->>'hash', ledger.journal_hash($2,
			  row((x->>'seq')::bigint, timestamptz 'epoch' + (x->>'recorded_at_us')::bigint * interval '1 microsecond', (x->>'id')::uuid,
			      nullif(x->>'resolves', '')::uuid, nullif(x->>'reverses', '')::uuid,
			      timestamptz 'epoch' + nullif((x->>'expires_at_us')::bigint, 0) * interval '1 microsecond', 1, (x->>'effective_on')::date, (x->>'period')::date,
			      x->>'kind', x->>'purpose', x->>'actor', x->>'reason', x->>'saga_id', x->>'order_ref', x->>'document', x->>'approval_id', null)::ledger.journal,
			  (select string_agg(ledger.line_bytes((l->>'line')::smallint, l->>'account', l->>'currency', l->>'side', l->>'layer', (l->>'amount')::bigint,
			                       (l->>'posted_after')::bigint, (l->>'held_debits_after')::bigint, (l->>'held_credits_after')::bigint), ''::bytea order by (l->>'line')::int)
			     from jsonb_array_elements(x->'lines') l))
			  from (select $1::jsonb as x) v`, x, prev).Scan(&want, &hash)
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(hash))
		prev = hash
	}
}
