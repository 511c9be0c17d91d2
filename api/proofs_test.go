package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
)

func TestTheBooksProveThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(path, role, accept string) answer {
		return w.do(call{method: "GET", path: path, role: role, header: map[string]string{"Accept": accept}})
	}
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700)
	results, err := ledgerpg.New(w.db.Pool("app_worker")).Post(t.Context(), ledger.Main(w.tenant), []ledger.Transaction{x})
	require.NoError(t, err)
	require.NoError(t, results[0].Err())
	proofOf := "/v1/ledger/proofs/txn_" + x.ID.String()
	for _, path := range []string{proofOf, "/v1/ledger/checkpoint"} {
		a := get(path, "auditor", "application/json")
		require.Equal(t, http.StatusConflict, a.status)
		require.Equal(t, "not_sealed_yet", a.code(t))
		require.Equal(t, "10", a.header.Get("Retry-After"))
	}

	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := ledgerpg.NewSeals(w.db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	c, signed, _, err := seals.Seal(t.Context(), due[0], key)
	require.NoError(t, err)

	for _, accept := range []string{"", "*/*", "text/plain"} {
		a := get("/v1/ledger/checkpoint", "operator", accept)
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "text/plain; charset=utf-8", a.header.Get("Content-Type"))
		require.Equal(t, signed, a.body)
	}
	a := get("/v1/ledger/checkpoint", "finance_preparer", "application/json")
	require.Equal(t, string(signed), a.json(t)["note"])
	require.Equal(t, c.Origin, a.json(t)["origin"])

	a = get(proofOf, "finance_reviewer", "application/json")
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	bundle, err := proof.ParseBundle(a.body)
	require.NoError(t, err)
	proven, err := bundle.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, x.ID, proven.Record.ID)

	for _, path := range []string{proofOf + "0", "/v1/ledger/proofs/" + x.ID.String(), "/v1/ledger/proofs/txn_" + uuid.NewString()} {
		require.Equal(t, "not_found", get(path, "auditor", "").code(t), path)
	}
	require.Equal(t, "not_found", get(proofOf, "other_auditor", "").code(t))
	require.Equal(t, http.StatusConflict, get("/v1/ledger/checkpoint", "other_auditor", "").status, "they have no books yet")
	require.Equal(t, "not_acceptable", get(proofOf, "auditor", "text/plain").code(t))
}
