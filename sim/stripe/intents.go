package stripe

import (
	"net/http"
	"slices"
	"strings"
)

// feeOf is 2.9 % and 30 minor units, Stripe's price for cards in the US
// (https://stripe.com/pricing).
func feeOf(amount int64) int64 { return (amount*29+500)/1000 + 30 }

func (t *tx) createIntent(_ string, p params) (any, *apiError) {
	if e := p.only("amount", "currency", "payment_method", "payment_method_types", "capture_method", "confirm", "customer", "description",
		"metadata", "confirmation_method", "off_session", "receipt_email", "statement_descriptor", "statement_descriptor_suffix",
		"automatic_payment_methods", "setup_future_usage", "payment_method_options", "return_url"); e != nil {
		return nil, e
	}
	amount, e := p.amount("amount")
	if e != nil {
		return nil, e
	}
	currency := strings.ToLower(p.Get("currency"))
	switch {
	case amount == 0:
		return nil, early("parameter_missing", "amount", "Missing required param: amount.")
	case len(currency) != 3:
		return nil, early("parameter_missing", "currency", "Missing required param: currency.")
	}
	if method := p.Get("capture_method"); method != "" && !slices.Contains([]string{"automatic", "automatic_async", "manual"}, method) {
		return nil, early("parameter_invalid_enum", "capture_method", "Invalid capture_method: must be one of automatic, automatic_async, or manual")
	}
	method := p.Get("payment_method")
	if method != "" && !t.knowsMethod(method) {
		return nil, &apiError{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "resource_missing", Param: "payment_method", Message: "No such PaymentMethod: '" + method + "'", Early: true}
	}
	in := intent{
		ID: t.s.newID("pi_"), Status: "requires_payment_method", Manual: p.Get("capture_method") == "manual", Amount: amount,
		Currency: currency, Customer: p.Get("customer"), PaymentMethod: method, Description: p.Get("description"),
		Created: t.at.Unix(), Metadata: p.metadata(),
	}
	if method != "" {
		in.Status = "requires_confirmation"
	}
	t.putIntent(in)
	t.emit("payment_intent.created", renderIntent(in))
	if p.Get("confirm") == "true" {
		return t.confirm(in)
	}
	return in, nil
}

func (t *tx) confirmIntent(id string, p params) (any, *apiError) {
	if e := p.only("payment_method", "return_url", "off_session", "capture_method", "receipt_email", "setup_future_usage", "payment_method_options", "mandate"); e != nil {
		return nil, e
	}
	in, ok := t.intent(id)
	if !ok {
		return nil, missing("payment_intent", id)
	}
	if method := p.Get("payment_method"); method != "" {
		if !t.knowsMethod(method) {
			return nil, invalid("resource_missing", "payment_method", "No such PaymentMethod: '"+method+"'")
		}
		in.PaymentMethod = method
	}
	if in.PaymentMethod == "" || !slices.Contains([]string{"requires_payment_method", "requires_confirmation", "requires_action"}, in.Status) {
		return nil, unexpected(in, "confirm")
	}
	return t.confirm(in)
}

// confirm asks the card.
func (t *tx) confirm(in intent) (any, *apiError) {
	c := t.cardOf(in.PaymentMethod)
	if c.action {
		in.Status = "requires_action"
		t.putIntent(in)
		t.emit("payment_intent.requires_action", renderIntent(in))
		return in, nil
	}
	ch := charge{
		ID: t.s.newID("ch_"), Intent: in.ID, PaymentMethod: in.PaymentMethod, Currency: in.Currency, Customer: in.Customer,
		Description: in.Description, Amount: in.Amount, Created: t.at.Unix(), Metadata: in.Metadata,
	}
	in.Charge = ch.ID
	if c.code != "" {
		ch.FailureCode, ch.FailureMessage = c.code, c.message()
		e := &apiError{
			Status: http.StatusPaymentRequired, Type: "card_error", Code: c.code, DeclineCode: c.decline, Message: c.message(), Charge: ch.ID,
		}
		in.Status, in.PaymentMethod, in.LastError = "requires_payment_method", "", e
		t.putCharge(ch)
		t.putIntent(in)
		t.emit("charge.failed", renderCharge(ch))
		t.emit("payment_intent.payment_failed", renderIntent(in))
		answer := *e
		answer.PaymentIntent = renderIntent(in)
		return nil, &answer
	}
	ch.Paid, in.LastError = true, nil
	t.write("authorized", in, "", in.Amount)
	if in.Manual {
		in.Status, in.Capturable = "requires_capture", in.Amount
		t.putCharge(ch)
		t.putIntent(in)
		t.emit("charge.succeeded", renderCharge(ch))
		t.emit("payment_intent.amount_capturable_updated", renderIntent(in))
		return in, nil
	}
	return t.take(in, ch, in.Amount), nil
}

func (t *tx) captureIntent(id string, p params) (any, *apiError) {
	if e := p.only("amount_to_capture", "metadata", "statement_descriptor", "statement_descriptor_suffix", "final_capture"); e != nil {
		return nil, e
	}
	amount, e := p.amount("amount_to_capture")
	if e != nil {
		return nil, e
	}
	in, ok := t.intent(id)
	if !ok {
		return nil, missing("payment_intent", id)
	}
	if in.Status != "requires_capture" {
		return nil, unexpected(in, "capture")
	}
	if amount == 0 {
		amount = in.Capturable
	}
	if amount > in.Capturable {
		return nil, invalid("amount_too_large", "amount_to_capture", "The amount to capture is greater than the amount you can capture.")
	}
	ch, _ := t.charge(in.Charge)
	return t.take(in, ch, amount), nil
}

// take moves the money.
func (t *tx) take(in intent, ch charge, amount int64) intent {
	b := balanceTransaction{
		ID: t.s.newID("txn_"), Type: "charge", Source: ch.ID, Amount: amount, Fee: feeOf(amount), Currency: in.Currency, Created: t.at.Unix(),
	}
	if rest := in.Capturable - amount; rest > 0 {
		t.write("canceled", in, "", rest) // a partial capture releases the rest
	}
	ch.Captured, ch.CapturedAmount, ch.BalanceTransaction = true, amount, b.ID
	in.Status, in.Capturable, in.Received = "succeeded", 0, amount
	t.putBalance(b)
	t.putCharge(ch)
	t.putIntent(in)
	t.write("captured", in, b.ID, amount)
	t.write("fee", in, b.ID, b.Fee)
	t.emit("charge.captured", renderCharge(ch))
	t.emit("payment_intent.succeeded", renderIntent(in))
	return in
}

func (t *tx) cancelIntent(id string, p params) (any, *apiError) {
	if e := p.only("cancellation_reason"); e != nil {
		return nil, e
	}
	reason := p.Get("cancellation_reason")
	if reason != "" && !slices.Contains([]string{"duplicate", "fraudulent", "requested_by_customer", "abandoned"}, reason) {
		return nil, early("parameter_invalid_enum", "cancellation_reason", "Invalid cancellation_reason")
	}
	in, ok := t.intent(id)
	if !ok {
		return nil, missing("payment_intent", id)
	}
	if in.Status == "succeeded" || in.Status == "canceled" {
		return nil, unexpected(in, "cancel")
	}
	if ch, ok := t.charge(in.Charge); ok && in.Status == "requires_capture" {
		ch.Released = true
		t.putCharge(ch)
		t.write("canceled", in, "", in.Capturable)
	}
	in.Status, in.Capturable, in.CanceledAt, in.CancellationReason = "canceled", 0, t.at.Unix(), reason
	t.putIntent(in)
	t.emit("payment_intent.canceled", renderIntent(in))
	return in, nil
}

func unexpected(in intent, what string) *apiError {
	e := invalid("payment_intent_unexpected_state", "", "You cannot "+what+" this PaymentIntent because it has a status of "+in.Status+".")
	e.PaymentIntent = renderIntent(in)
	return e
}

func (t *tx) createRefund(_ string, p params) (any, *apiError) {
	if e := p.only("payment_intent", "charge", "amount", "reason", "metadata"); e != nil {
		return nil, e
	}
	amount, e := p.amount("amount")
	if e != nil {
		return nil, e
	}
	id := p.Get("charge")
	if pi := p.Get("payment_intent"); pi != "" {
		in, ok := t.intent(pi)
		if !ok {
			return nil, missing("payment_intent", pi)
		}
		if in.Status != "succeeded" {
			return nil, invalid("", "payment_intent", "This PaymentIntent ("+pi+") does not have a successful charge to refund.")
		}
		id = in.Charge
	}
	if id == "" {
		return nil, early("parameter_missing", "", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	ch, ok := t.charge(id)
	if !ok {
		return nil, missing("charge", id)
	}
	left := ch.CapturedAmount - ch.Refunded
	switch {
	case !ch.Captured:
		return nil, invalid("", "charge", "Charge "+id+" has not been captured.")
	case left == 0:
		return nil, invalid("charge_already_refunded", "", "Charge "+id+" has already been refunded.")
	case amount == 0:
		amount = left
	case amount > left:
		return nil, invalid("", "amount", "Refund amount is greater than unrefunded amount on charge.")
	}
	b := balanceTransaction{ID: t.s.newID("txn_"), Type: "refund", Amount: -amount, Currency: ch.Currency, Created: t.at.Unix()}
	r := refund{
		ID: t.s.newID("re_"), Charge: ch.ID, Intent: ch.Intent, Amount: amount, Currency: ch.Currency, Reason: p.Get("reason"),
		BalanceTransaction: b.ID, Created: t.at.Unix(), Metadata: p.metadata(),
	}
	b.Source = r.ID
	ch.Refunded += amount
	t.putBalance(b)
	t.putRefund(r)
	t.putCharge(ch)
	in, _ := t.intent(ch.Intent)
	t.write("refunded", in, b.ID, amount)
	t.emit("charge.refunded", renderCharge(ch))
	return r, nil
}

func (t *tx) createCustomer(_ string, p params) (any, *apiError) {
	if e := p.only("email", "name", "description", "metadata", "phone", "payment_method"); e != nil {
		return nil, e
	}
	c := customer{
		ID: t.s.newID("cus_"), Email: p.Get("email"), Name: p.Get("name"), Description: p.Get("description"),
		Created: t.at.Unix(), Metadata: p.metadata(),
	}
	t.change.Customers = append(t.change.Customers, c)
	t.emit("customer.created", renderCustomer(c))
	return c, nil
}

func (t *tx) attachMethod(id string, p params) (any, *apiError) {
	if e := p.only("customer"); e != nil {
		return nil, e
	}
	if _, ok := t.s.state.customers[p.Get("customer")]; !ok {
		return nil, invalid("resource_missing", "customer", "No such customer: '"+p.Get("customer")+"'")
	}
	m, ok := t.s.state.methods[id]
	if !ok {
		if _, token := cards[id]; !token {
			return nil, missing("PaymentMethod", id)
		}
		m = paymentMethod{ID: t.s.newID("pm_"), Token: id, Created: t.at.Unix()}
	}
	m.Customer = p.Get("customer")
	t.change.Methods = append(t.change.Methods, m)
	t.emit("payment_method.attached", renderMethod(m))
	return m, nil
}

func (t *tx) knowsMethod(id string) bool {
	_, token := cards[id]
	_, made := t.s.state.methods[id]
	return token || made
}

func (t *tx) cardOf(id string) card {
	if m, ok := t.s.state.methods[id]; ok {
		return cards[m.Token]
	}
	return cards[id]
}
