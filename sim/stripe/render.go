package stripe

import "time"

// The renderers give objects every member Stripe's have in this version, null
// where the simulator has nothing to say.

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func metadata(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func nulls(into map[string]any, names ...string) map[string]any {
	for _, name := range names {
		into[name] = nil
	}
	return into
}

func renderIntent(in intent) map[string]any {
	method := "automatic"
	if in.Manual {
		method = "manual"
	}
	var canceled any
	if in.CanceledAt > 0 {
		canceled = in.CanceledAt
	}
	var last, next any
	if in.LastError != nil {
		last = in.LastError
	}
	if in.Status == "requires_action" {
		next = map[string]any{"type": "use_stripe_sdk", "use_stripe_sdk": map[string]any{"type": "three_d_secure_redirect"}}
	}
	return nulls(map[string]any{
		"id": in.ID, "object": "payment_intent", "amount": in.Amount, "amount_capturable": in.Capturable, "amount_received": in.Received,
		"amount_details": map[string]any{"tip": map[string]any{}}, "canceled_at": canceled, "cancellation_reason": orNull(in.CancellationReason),
		"capture_method": method, "client_secret": in.ID + "_secret_simulated", "confirmation_method": "automatic", "created": in.Created,
		"currency": in.Currency, "customer": orNull(in.Customer), "description": orNull(in.Description), "last_payment_error": last,
		"latest_charge": orNull(in.Charge), "livemode": false, "metadata": metadata(in.Metadata), "next_action": next,
		"payment_method": orNull(in.PaymentMethod), "payment_method_options": map[string]any{}, "payment_method_types": []string{"card"},
		"status": in.Status,
	}, "application", "application_fee_amount", "automatic_payment_methods", "invoice", "on_behalf_of", "payment_method_configuration_details",
		"processing", "receipt_email", "review", "setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix",
		"transfer_data", "transfer_group")
}

func renderCharge(ch charge) map[string]any {
	status := "succeeded"
	outcome := map[string]any{"network_status": "approved_by_network", "reason": nil, "risk_level": "normal", "risk_score": 10, "seller_message": "Payment complete.", "type": "authorized"}
	if ch.FailureCode != "" {
		status = "failed"
		outcome = map[string]any{"network_status": "declined_by_network", "reason": ch.FailureCode, "risk_level": "normal", "risk_score": 10, "seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined"}
	}
	refunded := ch.Refunded
	if ch.Released {
		refunded = ch.Amount
	}
	c := cards[ch.PaymentMethod]
	return nulls(map[string]any{
		"id": ch.ID, "object": "charge", "amount": ch.Amount, "amount_captured": ch.CapturedAmount, "amount_refunded": refunded,
		"balance_transaction": orNull(ch.BalanceTransaction), "billing_details": billing(), "captured": ch.Captured, "created": ch.Created,
		"currency": ch.Currency, "customer": orNull(ch.Customer), "description": orNull(ch.Description), "disputed": false,
		"failure_code": orNull(ch.FailureCode), "failure_message": orNull(ch.FailureMessage), "fraud_details": map[string]any{}, "livemode": false,
		"metadata": metadata(ch.Metadata), "outcome": outcome, "paid": ch.Paid, "payment_intent": orNull(ch.Intent),
		"payment_method": orNull(ch.PaymentMethod), "payment_method_details": map[string]any{"card": cardDetails(c, ch.Amount), "type": "card"},
		"receipt_url": "", "refunded": refunded > 0 && refunded == max(ch.CapturedAmount, ch.Amount), "status": status,
	}, "application", "application_fee", "application_fee_amount", "calculated_statement_descriptor", "failure_balance_transaction", "invoice",
		"on_behalf_of", "receipt_email", "receipt_number", "review", "shipping", "source_transfer", "statement_descriptor",
		"statement_descriptor_suffix", "transfer_data", "transfer_group")
}

func billing() map[string]any {
	return nulls(map[string]any{"address": nulls(map[string]any{}, "city", "country", "line1", "line2", "postal_code", "state")}, "email", "name", "phone")
}

func checks() map[string]any {
	return map[string]any{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"}
}

func cardDetails(c card, amount int64) map[string]any {
	no := map[string]any{"status": "unavailable"}
	return nulls(map[string]any{
		"brand": c.brand, "checks": checks(), "country": "US", "exp_month": 8, "exp_year": 2034, "extended_authorization": map[string]any{"status": "disabled"},
		"fingerprint": "sim" + c.last4, "funding": "credit", "incremental_authorization": no, "last4": c.last4, "multicapture": no,
		"network": c.brand, "network_token": map[string]any{"used": false},
		"overcapture": map[string]any{"maximum_amount_capturable": amount, "status": "unavailable"},
	}, "amount_authorized", "installments", "mandate", "three_d_secure", "wallet")
}

func renderRefund(r refund) map[string]any {
	return nulls(map[string]any{
		"id": r.ID, "object": "refund", "amount": r.Amount, "balance_transaction": r.BalanceTransaction, "charge": r.Charge, "created": r.Created,
		"currency": r.Currency, "destination_details": map[string]any{"card": map[string]any{"type": "refund"}, "type": "card"},
		"metadata": metadata(r.Metadata), "payment_intent": orNull(r.Intent), "reason": orNull(r.Reason), "status": "succeeded",
	}, "receipt_number", "source_transfer_reversal", "transfer_reversal")
}

func renderBalance(b balanceTransaction) map[string]any {
	details := []any{}
	if b.Fee > 0 {
		details = append(details, map[string]any{"amount": b.Fee, "application": nil, "currency": b.Currency, "description": "Stripe processing fees", "type": "stripe_fee"})
	}
	return map[string]any{
		"id": b.ID, "object": "balance_transaction", "amount": b.Amount, "available_on": b.Created + int64((48 * time.Hour).Seconds()),
		"created": b.Created, "currency": b.Currency, "description": nil, "exchange_rate": nil, "fee": b.Fee, "fee_details": details,
		"net": b.Amount - b.Fee, "reporting_category": b.Type, "source": b.Source, "status": "pending", "type": b.Type,
	}
}

func renderCustomer(c customer) map[string]any {
	return nulls(map[string]any{
		"id": c.ID, "object": "customer", "balance": 0, "created": c.Created, "currency": "usd", "delinquent": false, "description": orNull(c.Description),
		"email": orNull(c.Email), "invoice_prefix": "SIM", "livemode": false, "metadata": metadata(c.Metadata), "name": orNull(c.Name),
		"invoice_settings":      nulls(map[string]any{}, "custom_fields", "default_payment_method", "footer", "rendering_options"),
		"next_invoice_sequence": 1, "preferred_locales": []string{}, "tax_exempt": "none",
	}, "address", "default_source", "discount", "phone", "shipping", "test_clock")
}

func renderMethod(m paymentMethod) map[string]any {
	c := cards[m.Token]
	return map[string]any{
		"id": m.ID, "object": "payment_method", "billing_details": billing(), "created": m.Created, "customer": orNull(m.Customer), "livemode": false,
		"metadata": map[string]string{}, "type": "card",
		"card": nulls(map[string]any{
			"brand": c.brand, "checks": checks(), "country": "US", "exp_month": 8, "exp_year": 2034, "fingerprint": "sim" + c.last4, "funding": "credit",
			"last4": c.last4, "networks": map[string]any{"available": []string{c.brand}, "preferred": nil},
			"three_d_secure_usage": map[string]any{"supported": true},
		}, "generated_from", "wallet"),
	}
}

func renderEvent(e event) map[string]any {
	return map[string]any{
		"id": e.ID, "object": "event", "api_version": "2023-10-16", "created": e.Created, "data": map[string]any{"object": e.Object}, "livemode": false,
		"pending_webhooks": 0, "request": map[string]any{"id": e.RequestID, "idempotency_key": orNull(e.Key)}, "type": e.Type,
	}
}

func render(o any) map[string]any {
	switch v := o.(type) {
	case intent:
		return renderIntent(v)
	case charge:
		return renderCharge(v)
	case refund:
		return renderRefund(v)
	case balanceTransaction:
		return renderBalance(v)
	case customer:
		return renderCustomer(v)
	case paymentMethod:
		return renderMethod(v)
	case event:
		return renderEvent(v)
	case map[string]any:
		return v
	default:
		return nil
	}
}
