package partners_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/partners"
)

// door is a partner's endpoint that lets one credential in and keeps what came.
type door struct {
	mu     sync.Mutex
	accept string
	came   []string
	server *httptest.Server
}

func opened(t *testing.T, accept string) *door {
	t.Helper()
	d := &door{accept: accept}
	d.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.came = append(d.came, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if d.came[len(d.came)-1] != d.accept {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(d.server.Close)
	return d
}

// put gives a partner its secrets.
func put(t *testing.T, dir string, of activities.Addressee, secrets string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, of.Tenant.String()+"."+of.Partner), []byte(secrets), 0o600))
}

func TestEachPartnerHasItsOwnCredential(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := partners.New(partners.Config{Secrets: dir, Timeout: 5 * time.Second, Plain: true})
	one, two := opened(t, "first-secret"), opened(t, "second-secret")
	to, other := pharmacy(one.server.URL), pharmacy(two.server.URL)
	other.Partner = "ptr_00000000000000000000000004"
	put(t, dir, to, "first-secret\n")
	put(t, dir, other, "second-secret")
	require.NoError(t, c.Deliver(t.Context(), to, "k", []byte("<a/>")))
	require.NoError(t, c.Deliver(t.Context(), other, "k", []byte("<a/>")))
	require.Equal(t, []string{"first-secret"}, one.came)
	require.Equal(t, []string{"second-secret"}, two.came)

	// The same id in another tenant is another company.
	stranger := to
	stranger.Tenant[0]++
	refused(t, c.Deliver(t.Context(), stranger, "k", nil))
	require.Len(t, one.came, 1, "nothing was sent without a credential")
}

// While a partner changes over, either secret works on either side; no call
// fails, and nothing is started anew.
func TestACredentialChangesWithoutAGap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := partners.New(partners.Config{Secrets: dir, Timeout: 5 * time.Second, Plain: true})
	d := opened(t, "old")
	to := pharmacy(d.server.URL)
	put(t, dir, to, "old")
	require.NoError(t, c.Deliver(t.Context(), to, "k", nil))
	put(t, dir, to, "new\nold\n")
	require.NoError(t, c.Deliver(t.Context(), to, "k", nil), "the partner knows the old one only")
	d.mu.Lock()
	d.accept = "new"
	d.mu.Unlock()
	require.NoError(t, c.Deliver(t.Context(), to, "k", nil))
	put(t, dir, to, "new")
	require.NoError(t, c.Deliver(t.Context(), to, "k", nil))
	require.Equal(t, []string{"old", "new", "old", "new", "new"}, d.came)
	put(t, dir, to, "old")
	refused(t, c.Deliver(t.Context(), to, "k", nil))
}

func TestACredentialThatIsNoneIsNamedAndNotShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := opened(t, "x")
	to := pharmacy(d.server.URL)
	c := partners.New(partners.Config{Secrets: dir, Timeout: 5 * time.Second, Plain: true})
	require.Contains(t, refused(t, c.Deliver(t.Context(), to, "k", nil)), "RECOURSE_PARTNER_SECRETS")
	for _, secrets := range []string{"", "\n \n", "hunter2 b c", "hunter2\x00", "hunter2-\u00e4"} {
		put(t, dir, to, secrets)
		require.NotContains(t, refused(t, c.Deliver(t.Context(), to, "k", nil)), "hunter2")
	}
	outside := to
	outside.Partner = "/../../secret"
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(dir), "secret"), []byte("x"), 0o600))
	refused(t, c.Deliver(t.Context(), outside, "k", nil))
	require.Empty(t, d.came)
}

// refused is what people read about a credential that does not do.
func refused(t *testing.T, err error) string {
	t.Helper()
	var misuse *step.Misuse
	require.ErrorAs(t, err, &misuse)
	require.Equal(t, "partner_credential", misuse.Code)
	return misuse.Error()
}
