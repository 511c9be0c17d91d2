package partners_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/partners"
	"github.com/recourse/recourse/sim/participants"
)

const unit = "01/00379999101303/21/100000000001"

// document is what a transfer with that order reference sends.
func document(t *testing.T, ref string) []byte {
	t.Helper()
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	f := &t3.Facts{
		Transfer: "sg_1", OrderRef: ref, At: at, Seller: t3.Party{GLN: "0810000001019"}, Buyer: t3.Party{GLN: "0810000002016"},
		ShipFrom: "0810000001019", ShipTo: "0810000002016", Shipped: []string{t3.EPC(unit)},
		Units: []t3.Unit{{EPC: t3.EPC(unit), GTIN: "00379999101303", Lot: "L", Expiry: "2029-06-30", Commissioned: at}},
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b, epcis.XML12))
	return b.Bytes()
}

func pharmacy(endpoint string) activities.Addressee {
	return activities.Addressee{Tenant: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Partner: "ptr_00000000000000000000000003", Endpoint: endpoint}
}

// inbox is the simulator's inbox of a partner, and a client that may use it.
func inbox(t *testing.T) (*partners.Client, activities.Addressee) {
	t.Helper()
	sim, err := participants.New(participants.Config{APIKey: "secret", LateAfter: time.Hour, HangFor: time.Millisecond})
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return partners.New(partners.Config{Shared: "secret", Timeout: 30 * time.Second, Plain: true}), pharmacy(server.URL + "/v1/partners/0810000002016/inbox")
}

func TestADocumentIsTakenOnceAndTheGoodsAreReceived(t *testing.T) {
	t.Parallel()
	c, endpoint := inbox(t)
	_, found, err := c.Receipt(t.Context(), endpoint, "sg_1:t3")
	require.NoError(t, err)
	require.False(t, found, "nothing was sent")
	for range 3 {
		require.NoError(t, c.Deliver(t.Context(), endpoint, "sg_1:t3", document(t, "PO/1")))
	}
	r, found, err := c.Receipt(t.Context(), endpoint, "sg_1:t3")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, []string{unit}, r.Received, "as the canonical key")
	require.Empty(t, r.Exceptions)

	var misuse *step.Misuse
	require.ErrorAs(t, c.Deliver(t.Context(), endpoint, "sg_1:t3", document(t, "PO/2")), &misuse, "another document under the same key")
}

func TestWhatGoesWrongAtAnInboxIsToldApart(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"PO-REJECT", "PO-FLAKY2", "PO-DONETIMEOUT"} {
		t.Run(ref, func(t *testing.T) {
			t.Parallel()
			c, endpoint := inbox(t)
			err := c.Deliver(t.Context(), endpoint, "sg_1:t3", document(t, ref))
			var misuse *step.Misuse
			var transient *step.Transient
			var unknown *step.Unknown
			switch ref {
			case "PO-REJECT":
				require.ErrorAs(t, err, &misuse)
				return
			case "PO-FLAKY2":
				require.ErrorAs(t, err, &transient)
			default:
				require.ErrorAs(t, err, &unknown)
			}
			for err != nil {
				err = c.Deliver(t.Context(), endpoint, "sg_1:t3", document(t, ref))
			}
			_, found, err := c.Receipt(t.Context(), endpoint, "sg_1:t3")
			require.NoError(t, err)
			require.True(t, found, "sent again under its key it is one document")
		})
	}
	t.Run("exceptions", func(t *testing.T) {
		t.Parallel()
		for ref, kind := range map[string]dscsa.ExceptionKind{"PO-SHORT": dscsa.Shortage, "PO-DAMAGED": dscsa.Damaged} {
			c, endpoint := inbox(t)
			require.NoError(t, c.Deliver(t.Context(), endpoint, "k", document(t, ref)))
			r, _, err := c.Receipt(t.Context(), endpoint, "k")
			require.NoError(t, err)
			require.Equal(t, unit, r.Exceptions[0].Unit)
			require.Equal(t, kind, r.Exceptions[0].Kind)
		}
		for _, ref := range []string{"PO-SILENT", "PO-LATE"} {
			c, endpoint := inbox(t)
			require.NoError(t, c.Deliver(t.Context(), endpoint, "k", document(t, ref)))
			_, found, err := c.Receipt(t.Context(), endpoint, "k")
			require.NoError(t, err)
			require.False(t, found, ref)
		}
	})
	t.Run("a wrong credential", func(t *testing.T) {
		t.Parallel()
		_, endpoint := inbox(t)
		var misuse *step.Misuse
		require.ErrorAs(t, partners.New(partners.Config{Shared: "other", Timeout: 30 * time.Second, Plain: true}).Deliver(t.Context(), endpoint, "k", document(t, "PO")), &misuse)
	})
	t.Run("without encryption", func(t *testing.T) {
		t.Parallel()
		_, endpoint := inbox(t)
		var misuse *step.Misuse
		require.ErrorAs(t, partners.New(partners.Config{Shared: "secret", Timeout: 30 * time.Second}).Deliver(t.Context(), endpoint, "k", document(t, "PO")), &misuse)
		require.Equal(t, "partner_endpoint", misuse.Code)
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		var transient *step.Transient
		c := partners.New(partners.Config{Shared: "secret", Timeout: 30 * time.Second, Plain: true})
		require.ErrorAs(t, c.Deliver(t.Context(), pharmacy("http://127.0.0.1:1/inbox"), "k", nil), &transient)
	})
	t.Run("rubbish for a receipt", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{`{`, `{}`, `[]`, `{"received":["hello"],"received_at":"2026-11-25T00:00:00Z"}`, `<html>`} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			c := partners.New(partners.Config{Shared: "secret", Timeout: 30 * time.Second, Plain: true})
			_, found, err := c.Receipt(t.Context(), pharmacy(server.URL), "k")
			server.Close()
			var unknown *step.Unknown
			require.ErrorAs(t, err, &unknown, body)
			require.False(t, found)
		}
	})
}
