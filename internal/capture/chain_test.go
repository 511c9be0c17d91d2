package capture_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/auth"
)

// pack is the folder of published documents beside the checkout.
func pack(t *testing.T, path string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	at := filepath.Join(dir, "..", "shared", "dscsa", path)
	if _, err := os.Stat(at); err != nil {
		t.Skipf("needs the published documents at ../shared/dscsa/%s beside the checkout", path)
	}
	return at
}

// A chain from the manufacturer to a pharmacy, a return, a recall and a
// destruction, told by seven documents: in whatever order they come, the goods
// are where they are, and every document is taken as clean.
func TestAChainOfDocumentsInAnyOrder(t *testing.T) {
	t.Parallel()
	dir := pack(t, "examples/dscsa-authored-chain")
	files := []string{
		"01_mfr_to_wholesaler.xml", "02_wholesaler_receiving.xml", "03_wholesaler_to_pharmacy.xml", "04_pharmacy_receive_unpack_all_dispense.xml",
		"05_saleable_return.xml", "06_recall_hold.xml", "07_destroy_decommission.xml",
	}
	documents := make([][]byte, len(files))
	for i, name := range files {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		documents[i] = raw
	}
	const wholesaler, pharmacy = "0860001234107", "0860005678204"
	box := func(n int) string { return fmt.Sprintf("01/50369999123455/21/9000000%d", n) }
	want := map[string][3]string{}
	for n := 1; n <= 12; n++ {
		serial := fmt.Sprintf("1%011d", n)
		switch {
		case n == 1:
			want[serial] = [3]string{string(dscsa.Dispensed), pharmacy, ""}
		case n == 2:
			want[serial] = [3]string{string(dscsa.Quarantined), wholesaler, ""}
		case n <= 4:
			want[serial] = [3]string{string(dscsa.InStock), wholesaler, box(1)}
		case n <= 8:
			want[serial] = [3]string{string(dscsa.Destroyed), wholesaler, box(2)}
		default:
			want[serial] = [3]string{string(dscsa.Quarantined), wholesaler, box(3)}
		}
	}

	b := setup(t)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 25 {
		order := []int{0, 1, 2, 3, 4, 5, 6}
		if round == 1 {
			order = []int{6, 5, 4, 3, 2, 1, 0}
		} else if round > 1 {
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		who := auth.Principal{Tenant: b.db.Tenant(), KeyID: "key", Role: "operator"}
		for _, i := range order {
			job, err := b.service.Capture(t.Context(), who, epcisapi.Submission{Document: documents[i]})
			require.NoError(t, err)
			require.True(t, job.Success)
			require.Equal(t, "accept", job.Verdict, "%s, in order %v: %+v", files[i], order, job.Findings)
		}
		units, err := b.custody.LotAt(t.Context(), who.Tenant, "00369999123450", "AB1234", time.Time{})
		require.NoError(t, err)
		got := map[string][3]string{}
		for i := range units {
			got[units[i].Serial] = [3]string{string(units[i].Shown()), units[i].Holder, units[i].Parent}
		}
		require.Equal(t, want, got, "order %v", order)
	}
}
