package stripe

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// webhooks sends events to one endpoint, signed as Stripe signs them
// (https://docs.stripe.com/webhooks#verify-manually), each a few times until it
// is taken. What does not fit the queue is only in the list of events.
type webhooks struct {
	url    string
	secret string
	queue  chan event
	stop   context.CancelFunc
	done   sync.WaitGroup
}

func newWebhooks(url, secret string) *webhooks {
	ctx, stop := context.WithCancel(context.Background())
	h := &webhooks{url: url, secret: secret, queue: make(chan event, 1000), stop: stop}
	h.done.Go(func() { h.run(ctx) })
	return h
}

func (h *webhooks) send(e event) {
	if h == nil {
		return
	}
	select {
	case h.queue <- e:
	default:
	}
}

func (h *webhooks) close() {
	if h == nil {
		return
	}
	h.stop()
	h.done.Wait()
}

func (h *webhooks) run(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-h.queue:
			for attempt := range 3 {
				if h.deliver(ctx, client, e) {
					break
				}
				wait := time.NewTimer(time.Duration(attempt+1) * 200 * time.Millisecond)
				select {
				case <-ctx.Done():
				case <-wait.C:
				}
				wait.Stop()
			}
		}
	}
}

func (h *webhooks) deliver(ctx context.Context, client *http.Client, e event) bool {
	body, err := json.Marshal(renderEvent(e))
	if err != nil {
		return true // it never will
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return true
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Stripe-Signature", sign(h.secret, time.Now(), body))
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode < 300
}

func sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", t, body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
