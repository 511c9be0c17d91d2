package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/sandbox"
)

// completed is a transfer of 25000 that has shipped packages 1 to n and ended:
// what the worker would have left behind.
func (w *world) completed(ref string, n int) string {
	w.Helper()
	id := w.sell(ref)
	f := t3.Facts{Transfer: id, OrderRef: ref}
	for i := range n {
		f.Units = append(f.Units, t3.Unit{EPC: t3.EPC(sandbox.Unit(sandbox.Drug, i+1)), GTIN: sandbox.Drug})
	}
	facts, err := json.Marshal(f)
	require.NoError(w, err)
	super := w.db.Super()
	for _, sql := range []string{
		`insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status, result, started_at, finished_at)
		 values ($1, $2, 'authorize', 'do', 3, 'succeeded', '{"intent_id":"pi_1"}', clock_timestamp(), clock_timestamp())`,
		`update app.saga set status = 'completed', finished_at = clock_timestamp(), version = 2 where tenant_id = $1 and id = $2`,
	} {
		_, err := super.Exec(w.Context(), sql, w.tenant, id)
		require.NoError(w, err)
	}
	_, err = super.Exec(w.Context(), `insert into custody.t3 (tenant_id, saga_id, seller_id, buyer_id, facts, xml_sha256)
		select $1, $2, s.request ->> 'seller', s.request ->> 'buyer', $3, sha256('') from app.saga s where s.id = $2`, w.tenant, id, string(facts))
	require.NoError(w, err)
	return id
}

// back asks for a return of package n, again as long as the key is in use.
func (w *world) back(of string, n int, amount int64) answer {
	w.Helper()
	key := uuid.NewString()
	for {
		a := w.do(call{method: "POST", path: "/v1/transfers/" + of + "/returns", role: "marketplace", key: key, body: fmt.Sprintf(
			`{"order_ref":"R-%d","units":["%s"],"amount":%d}`, n, t3.EPC(sandbox.Unit(sandbox.Drug, n)), amount)})
		if a.status != http.StatusConflict || a.code(w.T) != "idempotency_key_in_use" {
			return a
		}
	}
}

// Fifty returns at one moment ask for more than the transfer cost: as many are
// accepted as fit, and the others are told why not.
func TestReturnsGiveBackAtMostWhatWasPaid(t *testing.T) {
	t.Parallel()
	w := goods(t)
	const many, each = 50, 2600 // nine of them are 23400
	of := w.completed("PO-1", many+1)
	answers := make([]answer, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() { answers[i] = w.back(of, i+1, each) })
	}
	group.Wait()
	accepted := 0
	var first string
	for _, a := range answers {
		if a.status == http.StatusAccepted {
			accepted++
			first = fmt.Sprint(a.json(t)["id"])
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, a.status, string(a.body))
		require.Equal(t, "amount_out_of_range", a.code(t))
		require.Equal(t, []string{"/amount"}, pointers(a.json(t)))
	}
	require.Equal(t, 25000/each, accepted)
	var sum int64
	require.NoError(t, w.db.Super().QueryRow(t.Context(), `select sum(amount) from app.saga where type = 'return'`).Scan(&sum))
	require.Equal(t, int64(accepted*each), sum)

	require.Equal(t, "amount_out_of_range", w.back(of, many+1, 25000-sum+1).code(t))
	require.Equal(t, http.StatusAccepted, w.back(of, many+1, 25000-sum).status, "what is left fits")

	// A return that was undone gave nothing back.
	_, err := w.db.Super().Exec(t.Context(), `update app.saga set status = 'rejected', finished_at = clock_timestamp(), version = 2 where id = $1`, first)
	require.NoError(t, err)
	n := 1
	for i, a := range answers {
		if a.status != http.StatusAccepted {
			n = i + 1
			break
		}
	}
	require.Equal(t, http.StatusAccepted, w.back(of, n, each).status)
}

// Whoever writes past the API is refused too.
func TestAReturnIsOfACompletedTransfer(t *testing.T) {
	t.Parallel()
	w := goods(t)
	open := w.sell("PO-1")
	require.Equal(t, "transfer_not_completed", w.back(open, 1, 1).code(t))
	closed := w.completed("PO-2", 1)
	for constraint, row := range map[string][]any{
		"return_of_completed_transfer": {w.tenant, open, 1, "usd"},
		"return_within_price":          {w.tenant, closed, 25001, "usd"},
	} {
		err := pgtenant.Tx(t.Context(), w.db.Pool("app_api"), w.tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, created_by)
				values ($1, 'sg_00000000000000000000000000', 'return', 'R', $3, $4, jsonb_build_object('of', $2::text), '{}', 'key')`, row...)
			return err
		})
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		require.Equal(t, constraint, pg.ConstraintName)
	}
}
