package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
	"github.com/recourse/recourse/ledger"
)

// A story is one order and how it has to end.
type story struct {
	title  string
	order  harness.Order
	status string
	undone []string // in this order
	net    int64    // what the customer has paid in the end
}

func stories() []story {
	ref := func(n int) string { return fmt.Sprintf("DEMO-%d-%d", time.Now().Unix(), n) }
	done := harness.Whole(ref(1), "authorize")
	charged := harness.Whole(ref(2), "charge")
	charged.Hotel.SKU = "HT-NYC-0042-REFUSE"
	held := harness.Whole(ref(3), "authorize")
	held.Hotel.SKU = "HT-NYC-0042-REFUSE"
	return []story{
		{"A booking that completes: authorise, reserve, capture, confirm", done, "completed", nil, done.Price()},
		{"The hotel refuses after the card was charged: cancel the flight, refund", charged, "compensated", []string{"flight", "charge"}, 0},
		{"The hotel refuses while the money is only held: cancel car and flight, void", held, "compensated", []string{"car", "flight", "authorize"}, 0},
	}
}

func (s story) tell(ctx context.Context, dev devstack.Dev) error {
	fmt.Printf("\n%s\n%s\n", s.title, strings.Repeat("-", len(s.title)))
	c := harness.NewClient(dev.API, dev.Keys["marketplace"])
	saga, res, err := c.Book(ctx, uuid.NewString(), s.order)
	if err != nil {
		return err
	}
	fmt.Printf("  POST /v1/bookings  %s  %s %s  ->  %d, %s\n", s.order.OrderRef, ledger.FormatAmount(saga.Amount, saga.Currency), strings.ToUpper(saga.Currency), res.Status, saga.ID)
	began := time.Now()
	if err := c.Stream(ctx, saga.ID, 0, show(began)); err != nil {
		return fmt.Errorf("follow the stream: %w", err)
	}
	if saga, err = c.Get(ctx, saga.ID); err != nil {
		return err
	}
	fmt.Printf("  => %s", saga.Status)
	if saga.Failure != nil {
		fmt.Printf(": %s (%s at %s)", saga.Failure.Message, saga.Failure.Code, saga.Failure.Step)
	}
	fmt.Println()
	return errors.Join(s.check(saga), books(ctx, dev, saga), s.money(ctx, dev, saga))
}

// show prints what a stream says, as it comes.
func show(began time.Time) func(harness.Event) bool {
	return func(e harness.Event) bool {
		var data struct {
			Step *struct {
				Name, Op, Status string
				Failure          *struct{ Message string }
			}
		}
		if json.Unmarshal([]byte(e.Data), &data) != nil || data.Step == nil || data.Step.Status == "running" {
			return e.Type != "done"
		}
		word := data.Step.Name
		if data.Step.Op == "undo" {
			word = "undo " + word
		}
		note := ""
		if data.Step.Failure != nil {
			note = "  " + data.Step.Failure.Message
		}
		fmt.Printf("  %5d ms  %-16s %s%s\n", time.Since(began).Milliseconds(), word, data.Step.Status, note)
		return true
	}
}

func (s story) check(saga harness.Saga) error {
	var undone []string
	for _, u := range saga.Compensations {
		undone = append(undone, u.Name)
	}
	if saga.Status != s.status || !slices.Equal(undone, s.undone) {
		return fmt.Errorf("%s with %v undone; it should be %s with %v", saga.Status, undone, s.status, s.undone)
	}
	return nil
}

// books prints what the saga posted and checks that debits equal credits.
func books(ctx context.Context, dev devstack.Dev, saga harness.Saga) error {
	c := harness.NewClient(dev.API, dev.Keys["finance_preparer"])
	res, err := c.Do(ctx, http.MethodGet, "/v1/ledger/transactions?saga_id="+saga.ID, "", nil)
	if err != nil {
		return err
	}
	var list struct {
		Data []struct {
			Seq           int64
			Kind, Purpose string
			Entries       []struct {
				AccountCode    string `json:"account_code"`
				Side, Currency string
				Amount         int64
			}
		}
	}
	if err := json.Unmarshal(res.Body, &list); err != nil {
		return fmt.Errorf("read the books: %w", err)
	}
	fmt.Println("  Books:   seq  what                             account        debit       credit")
	var debits, credits int64
	for _, t := range list.Data {
		if len(t.Entries) == 0 {
			fmt.Printf("  %10d  %-32s (the hold is released)\n", t.Seq, t.Purpose+" "+t.Kind)
		}
		for _, e := range t.Entries {
			debit, credit := ledger.FormatAmount(e.Amount, e.Currency), ""
			if e.Side == "C" {
				debit, credit = "", debit
				credits += e.Amount
			} else {
				debits += e.Amount
			}
			fmt.Printf("  %10d  %-32s %-7s %12s %12s\n", t.Seq, t.Purpose+" "+t.Kind, e.AccountCode, debit, credit)
		}
	}
	if debits != credits {
		return fmt.Errorf("debits of %d and credits of %d", debits, credits)
	}
	return nil
}

// money asks the processor's own book what the customer has paid.
func (s story) money(ctx context.Context, dev devstack.Dev, saga harness.Saga) error {
	facts, err := harness.Gather(ctx, dev.Postgres, dev.StripeSim, dev.Participants)
	if err != nil {
		return err
	}
	m := facts.Money[saga.ID]
	fmt.Printf("  Stripe's own book: captured %s, refunded %s, still held %s; net %s %s\n",
		ledger.FormatAmount(m.Captured, saga.Currency), ledger.FormatAmount(m.Refunded, saga.Currency),
		ledger.FormatAmount(m.OpenAuthorization, saga.Currency), ledger.FormatAmount(m.Captured-m.Refunded, saga.Currency), strings.ToUpper(saga.Currency))
	if m.Captured-m.Refunded != s.net || m.OpenAuthorization != 0 {
		return fmt.Errorf("the customer has paid %d and not %d", m.Captured-m.Refunded, s.net)
	}
	return nil
}
