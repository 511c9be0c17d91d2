// Package partners is activities.Inbox over HTTP: it hands transaction data to
// the endpoints of trading partners and asks them whether the goods came.
//
//	PUT {endpoint}/{key}           the document, once under its key
//	GET {endpoint}/{key}/receipt   200 with the receipt, 404 as long as there is none
//
// What happens on failure, for both calls:
//
//	429, 503, no connection            Transient  nothing was taken
//	other 4xx                          Misuse     our request or credential is wrong
//	other 5xx, timeout, cut connection Unknown    send it again under the same key
//	an answer that cannot be read      Unknown
//
// A document that a partner takes twice under one key is one document, so
// sending it again is always right.
//
// Each partner has a credential of its own, so that none can pass for us at
// another: the file TENANT.PARTNER of the folder of secrets, read anew for each
// call. Its first line is the secret that is used. While a partner changes over
// to a new one the old stands on the second line, and is used where the first is
// not accepted. Secrets are neither stored nor shown.
package partners

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/internal/outbound"
)

// Config is how partners are reached.
type Config struct {
	Secrets string        // the folder with a file for each partner
	Shared  string        // a sandbox's credential with partners that have no file
	Timeout time.Duration // of one call
	Plain   bool          // also endpoints without TLS, for a sandbox
}

// Client speaks to trading partners. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

var _ activities.Inbox = (*Client)(nil)

// New returns the client.
func New(cfg Config) *Client {
	return &Client{cfg: cfg, http: outbound.Client("trading partners", cfg.Timeout)}
}

// Deliver implements activities.Inbox.
func (c *Client) Deliver(ctx context.Context, to activities.Addressee, key string, document []byte) error {
	_, err := c.call(ctx, http.MethodPut, to, key, document)
	return err
}

// Receipt implements activities.Inbox.
func (c *Client) Receipt(ctx context.Context, from activities.Addressee, key string) (dscsa.Receipt, bool, error) {
	var r dscsa.Receipt
	raw, err := c.call(ctx, http.MethodGet, from, key+"/receipt", nil)
	if errors.Is(err, errNotYet) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.At.IsZero() {
		return r, false, &step.Unknown{Err: errors.New("the receipt is not the contract's JSON")}
	}
	// Partners name units as the document did; we keep canonical keys.
	for i := range r.Received {
		if r.Received[i], err = keyOf(r.Received[i]); err != nil {
			return r, false, err
		}
	}
	for i := range r.Exceptions {
		if r.Exceptions[i].Unit, err = keyOf(r.Exceptions[i].Unit); err != nil {
			return r, false, err
		}
	}
	return r, true, nil
}

func keyOf(unit string) (string, error) {
	id, err := gs1.Parse(unit)
	if err != nil {
		return "", &step.Unknown{Err: errors.New("the receipt names something that is no unit")}
	}
	return id.Key(), nil
}

// errNotYet: the partner has not received the goods.
var errNotYet = errors.New("there is no receipt yet")

// errCredential: the partner does not accept the credential.
var errCredential = errors.New("the trading partner does not accept our credential")

// call speaks to a partner with its credential, and with the one before where
// that is not accepted.
func (c *Client) call(ctx context.Context, method string, to activities.Addressee, path string, document []byte) ([]byte, error) {
	secrets, err := c.secrets(to)
	if err != nil {
		return nil, err
	}
	for _, secret := range secrets {
		var raw []byte
		if raw, err = c.speak(ctx, method, to.Endpoint, path, secret, document); !errors.Is(err, errCredential) {
			return raw, err
		}
	}
	return nil, &step.Misuse{Code: "partner_credential", Err: err}
}

func (c *Client) speak(ctx context.Context, method, endpoint, path, secret string, document []byte) ([]byte, error) {
	base, err := url.Parse(endpoint)
	if err != nil || base.Host == "" || base.Scheme != "https" && (base.Scheme != "http" || !c.cfg.Plain) {
		return nil, &step.Misuse{Code: "partner_endpoint", Err: errors.New("the partner's endpoint is not an https URL")}
	}
	req, err := http.NewRequestWithContext(ctx, method, base.JoinPath(strings.Split(path, "/")...).String(), bytes.NewReader(document))
	if err != nil {
		return nil, &step.Misuse{Code: "request", Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	if document != nil {
		req.Header.Set("Content-Type", "application/xml")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, outbound.Failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, &step.Unknown{Err: fmt.Errorf("the answer broke off: %w", err)}
	}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return raw, nil
	case res.StatusCode == http.StatusNotFound && method == http.MethodGet:
		return nil, errNotYet
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return nil, errCredential
	default:
		return nil, outbound.Answered(res.StatusCode, "partner", fmt.Errorf("the trading partner answered %d", res.StatusCode))
	}
}
