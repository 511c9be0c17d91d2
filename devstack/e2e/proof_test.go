package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/devstack/harness"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
)

// What the running product posts is sealed and co-signed within seconds, and
// proved with public keys alone.
func TestAnOrdersTransactionsAreProved(t *testing.T) {
	t.Parallel()
	dev, err := shared.Dev()
	require.NoError(t, err)
	log, err := seal.ParsePublicKey(dev.LedgerKey, seal.ForLog)
	require.NoError(t, err)
	witness, err := seal.ParsePublicKey(dev.WitnessKey, seal.ForWitness)
	require.NoError(t, err)
	auditor := client(t, shared, "auditor")

	for _, flow := range []string{"authorize", "charge"} {
		saga := place(t, harness.Whole(ref(), flow))
		res, err := auditor.Do(t.Context(), http.MethodGet, "/v1/ledger/transactions?saga_id="+saga.ID, "", nil)
		require.NoError(t, err)
		var posted struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(res.Body, &posted))
		require.NotEmpty(t, posted.Data)
		for _, x := range posted.Data {
			var proven proof.Proven
			require.Eventually(t, func() bool {
				res, err := auditor.Do(t.Context(), http.MethodGet, "/v1/ledger/proofs/"+x.ID, "", nil)
				if err != nil || res.Status != http.StatusOK {
					return false
				}
				bundle, err := proof.ParseBundle(res.Body)
				if err == nil {
					proven, err = bundle.Verify(log, witness)
				}
				return err == nil
			}, time.Minute, 200*time.Millisecond, "%s", x.ID)
			require.Equal(t, saga.ID, proven.Record.SagaID)
		}
	}
	cfg, err := pgx.ParseConfig(dev.Databases["auditor_ro"])
	require.NoError(t, err)
	report, err := ledgerpg.Audit{Keys: []seal.PublicKey{log}, Witnesses: []seal.PublicKey{witness}}.Run(t.Context(), cfg)
	require.NoError(t, err)
	require.Empty(t, report.Violations)
	require.NotEmpty(t, report.Books)
}
