package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
	"github.com/recourse/recourse/ledger"
)

// A deal is one transfer, or return, and how it has to end.
type deal struct {
	title  string
	path   string
	order  any
	status string
	code   string   // of its failure
	undone []string // with how, in this order
}

// trade tells the stories of goods. What the first sells comes back in the
// second, so that the demo can be told again.
func trade(ctx context.Context, dev devstack.Dev) error {
	sold, units, err := sale(ctx, dev)
	if err != nil {
		return err
	}
	back := deal{
		title: "Both packages come back: the goods first, then the money", path: "/v1/transfers/" + sold.ID + "/returns", status: "completed",
		order: map[string]any{"order_ref": name("RMA"), "units": units, "amount": sold.Amount},
	}
	closed := harness.Sell(name("PO"), harness.Package(harness.Exampril, 100))
	closed.Buyer = harness.Closed
	_, one := back.tell(ctx, dev, nil)
	_, two := deal{
		title: "A pharmacy whose licence has expired: nothing is reserved, nothing charged", path: "/v1/transfers", order: closed, status: "rejected", code: "licence_expired",
	}.tell(ctx, dev, nil)
	return errors.Join(one, two, lapsed(ctx, dev))
}

func name(kind string) string { return fmt.Sprintf("%s-%d", kind, time.Now().UnixNano()) }

// sale finds two packages that are still the wholesaler's and sells them.
func sale(ctx context.Context, dev devstack.Dev) (harness.Saga, []string, error) {
	for n := 71; n < 100; n += 2 {
		units := harness.Packages(harness.Exampril, n, n+1)
		direct, err := bought(ctx, dev, units[0])
		if err != nil {
			return harness.Saga{}, nil, err
		}
		s, err := deal{
			title: "A wholesaler sells two packages to a pharmacy", path: "/v1/transfers", order: harness.Sell(name("PO"), units...), status: "completed",
		}.tell(ctx, dev, func(s harness.Saga) error { return document(ctx, dev, s, direct) })
		if s.Failure == nil || s.Failure.Code != "not_holder" {
			return s, units, err
		}
		fmt.Println("  (these are sold already; the next two, then)")
	}
	return harness.Saga{}, nil, errors.New("the sandbox has no packages left: remove .recourse and start again")
}

// tell places the order, shows its life and the books, and checks its end.
func (d deal) tell(ctx context.Context, dev devstack.Dev, more func(harness.Saga) error) (harness.Saga, error) {
	fmt.Printf("\n%s\n%s\n", d.title, strings.Repeat("-", len(d.title)))
	c := harness.NewClient(dev.API, dev.Keys["marketplace"])
	s, res, err := c.Order(ctx, d.path, uuid.NewString(), d.order)
	if err != nil {
		return s, err
	}
	fmt.Printf("  POST %s  %s %s  ->  %d, %s\n", d.path, ledger.FormatAmount(s.Amount, s.Currency), strings.ToUpper(s.Currency), res.Status, s.ID)
	if err := c.Stream(ctx, s.ID, 0, show(time.Now())); err != nil {
		return s, fmt.Errorf("follow the stream: %w", err)
	}
	return d.ended(ctx, dev, s.ID, more)
}

func (d deal) ended(ctx context.Context, dev devstack.Dev, id string, more func(harness.Saga) error) (harness.Saga, error) {
	s, err := harness.NewClient(dev.API, dev.Keys["marketplace"]).Get(ctx, id)
	if err != nil {
		return s, err
	}
	fmt.Printf("  => %s", s.Status)
	if s.Failure != nil {
		fmt.Printf(": %s (%s at %s)", s.Failure.Message, s.Failure.Code, s.Failure.Step)
	}
	fmt.Println()
	code := ""
	if s.Failure != nil {
		code = s.Failure.Code
	}
	if undone := harness.Names(s.Compensations); s.Status != d.status || code != d.code || !slices.Equal(undone, d.undone) {
		return s, fmt.Errorf("%s %s with %v undone; it should be %s %s with %v", s.Status, code, undone, d.status, d.code, d.undone)
	}
	if err := books(ctx, dev, s); err != nil || more == nil {
		return s, err
	}
	return s, more(s)
}

// bought reports whether the seller has a package straight from its maker. One
// that was sold and came back, when the demo is told again, is not.
func bought(ctx context.Context, dev devstack.Dev, unit string) (bool, error) {
	res, err := harness.NewClient(dev.API, dev.Keys["marketplace"]).Do(ctx, http.MethodGet, "/v1/trace?unit="+url.QueryEscape(unit), "", nil)
	if err != nil {
		return false, err
	}
	var traced struct {
		Owners []struct{} `json:"owners"` // its changes of owner
	}
	if err := json.Unmarshal(res.Body, &traced); err != nil || res.Status != http.StatusOK {
		return false, fmt.Errorf("trace %s: %d %s", unit, res.Status, res.Body)
	}
	return len(traced.Owners) == 1, nil
}

// document shows what the law asks for in the transfer's document, fetched with
// the buyer's own key. Only of what was bought directly it says so (21 USC
// 360eee-1(c)(1)(A)(ii)).
func document(ctx context.Context, dev devstack.Dev, s harness.Saga, direct bool) error {
	res, err := harness.NewClient(dev.API, dev.Keys["trading_partner"]).Do(ctx, http.MethodGet, "/v1/transfers/"+s.ID+"/t3", "", nil)
	if err != nil {
		return err
	}
	if res.Status != http.StatusOK {
		return fmt.Errorf("the document was not given: %d %s", res.Status, res.Body)
	}
	fmt.Printf("  T3: EPCIS 1.2, %d bytes, sha256 %s\n", len(res.Body), strings.Trim(res.Header.Get("ETag"), `"`))
	for _, row := range []struct{ what, pattern string }{
		{"product", `#regulatedProductName">([^<]*)`},
		{"strength", `#strengthDescription">([^<]*)`},
		{"NDC", `#additionalTradeItemIdentification">([^<]*)`},
		{"lot", `lotNumber>([^<]*)`},
		{"expiry", `itemExpirationDate>([^<]*)`},
		{"history", `GS1 US DSCSA (R1.3)`},
		{"statement", `legalNotice>([^<]*)`},
		{"purchase", `directPurchaseStatement>([^<]*)`},
	} {
		found := regexp.MustCompile(row.pattern).FindSubmatch(res.Body)
		if row.what == "purchase" && !direct {
			if found != nil {
				return fmt.Errorf("the document says %q of packages that came back from a pharmacy", found[1])
			}
			fmt.Printf("    %-10s not said to be direct: these came back from a pharmacy once\n", row.what)
			continue
		}
		if found == nil {
			return fmt.Errorf("the document says nothing of %s", row.what)
		}
		if row.what != "history" {
			fmt.Printf("    %-10s %s\n", row.what, found[1])
		}
	}
	for _, epc := range regexp.MustCompile(`<epc>(urn:epc:id:sgtin:[^<]*)</epc>`).FindAllSubmatch(res.Body, 2) {
		fmt.Printf("    %-10s %s\n", "package", epc[1])
	}
	return nil
}

// lapsed is an order of a controlled substance that is held as suspicious; the
// buyer's licence turns out to have expired before two people clear it. What
// was held is undone at the pivot: the money goes back, the units stay.
func lapsed(ctx context.Context, dev devstack.Dev) error {
	d := deal{
		title: "Ten times the usual quantity is held; the licence runs out meanwhile; all is undone", path: "/v1/transfers", status: "compensated",
		code: "licence_expired", undone: []string{"capture succeeded", "authorize skipped", "reserve succeeded"},
	}
	c, operator, second := harness.NewClient(dev.API, dev.Keys["marketplace"]), harness.NewClient(dev.API, dev.Keys["operator"]), harness.NewClient(dev.API, dev.Keys["recall_operator"])
	gln := newGLN()
	if err := harness.Admit(ctx, operator, second, map[string]any{
		"name": "Lapsing Pharmacy", "role": "dispenser", "verified": true, "glns": []string{gln},
		"address":     map[string]string{"street": "7 Main St", "city": "Dayton", "state": "OH", "postal_code": "45402", "country": "US"},
		"licences":    []any{map[string]string{"kind": "state_licence", "number": "RX-7", "state": "OH", "valid_from": "2020-01-01", "source": "the board"}},
		"t3_endpoint": dev.Participants + "/v1/partners/" + gln + "/inbox",
	}); err != nil {
		return err
	}
	order := func(from, to int) harness.Sale {
		o := harness.Sell(name("PO"), harness.Packages(harness.Examphetan, from, to)...)
		o.Buyer = gln
		return o
	}
	next := 1
	for usual := 0; usual < 3; next++ { // three transfers of one package are what is usual here
		if next > 280 {
			return errors.New("the sandbox has no packages left: remove .recourse and start again")
		}
		s, _, err := c.Order(ctx, "/v1/transfers", uuid.NewString(), order(next, next))
		if err == nil {
			s, err = c.Wait(ctx, s.ID)
		}
		if err != nil {
			return err
		}
		if s.Status == "completed" {
			usual++
		}
	}
	fmt.Printf("\n%s\n%s\n", d.title, strings.Repeat("-", len(d.title)))
	s, res, err := c.Order(ctx, d.path, uuid.NewString(), order(next, next+9))
	if err != nil {
		return err
	}
	fmt.Printf("  POST %s  ->  %d, %s\n", d.path, res.Status, s.ID)
	began := time.Now()
	followed := make(chan error, 1)
	go func() { followed <- c.Stream(ctx, s.ID, 0, show(began)) }()
	var approval string
	for approval == "" { // it is held as soon as the monitor has seen it
		err := post(ctx, operator, "/v1/transfers/"+s.ID+"/review", map[string]string{"decision": "clear", "reason": "a new clinic opened next door"}, &approval)
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	fmt.Println("  the monitor holds it; one person proposes to clear it")
	if err := post(ctx, operator, "/v1/partners/"+gln+"/licences", map[string]string{
		"kind": "state_licence", "number": "RX-7", "state": "OH", "valid_from": "2020-01-01", "expires_on": "2026-10-31", "source": "the board",
	}, nil); err != nil {
		return err
	}
	fmt.Println("  meanwhile the board says that the licence expired on 2026-10-31; another person clears the order")
	if err := post(ctx, second, approval+"/approve", nil, nil); err != nil {
		return err
	}
	if err := <-followed; err != nil {
		return fmt.Errorf("follow the stream: %w", err)
	}
	_, err = d.ended(ctx, dev, s.ID, nil)
	return err
}

// post sends one request that has to succeed.
func post(ctx context.Context, c *harness.Client, path string, body any, location *string) error {
	res, err := c.Do(ctx, http.MethodPost, path, uuid.NewString(), body)
	if err != nil {
		return err
	}
	if res.Status >= 300 {
		return fmt.Errorf("%s: %d %s", path, res.Status, res.Body)
	}
	if location != nil {
		*location = res.Header.Get("Location")
	}
	return nil
}

// newGLN is a number that nobody has in this sandbox.
func newGLN() string {
	digits := fmt.Sprintf("0810%08d", time.Now().UnixNano()/1000%100000000)
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * (1 + 2*(i%2))
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}
