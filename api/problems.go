package api

import (
	"net/http"
	"slices"
	"strings"
)

// A kind is one type of problem: its page is part of the contract.
type kind struct {
	status    int
	title     string
	meaning   string
	do        string
	retryable bool
}

// kinds are all problems the API answers with, by code. A code is never renamed.
var kinds = map[string]kind{
	"idempotency_key_required": {http.StatusBadRequest, "Idempotency-Key is missing", "A request that starts or changes something needs a key, so that a retry cannot do it twice.", "Make a UUID before the first attempt, keep it with the order, send it as `Idempotency-Key` with every attempt.", true},
	"idempotency_key_invalid":  {http.StatusBadRequest, "Idempotency-Key is malformed", "A key has 1 to 255 visible ASCII characters.", "Use a UUID.", true},
	"idempotency_key_in_use":   {http.StatusConflict, "Another request with this key is being answered", "Two requests with one key came at the same time.", "Wait as `Retry-After` says and send the same request again.", true},
	"idempotency_key_reused":   {http.StatusUnprocessableEntity, "Idempotency-Key was used with a different request", "The key belongs to another body or route. Nothing was done.", "Use a new key for a new order; send the unchanged body to repeat the old one.", false},
	"invalid_json":             {http.StatusBadRequest, "The body is not usable JSON", "The body is not one JSON object in UTF-8, is nested deeper than 32 levels, or names a member twice.", "Correct the body; the same key may be used.", true},
	"validation_failed":        {http.StatusBadRequest, "The request has fields that cannot be taken", "`errors` lists every field with a JSON Pointer and what it must be.", "Correct the fields; the same key may be used.", true},
	"card_number_refused":      {http.StatusBadRequest, "The body holds what looks like a card number", "Card numbers must not reach us. It was neither stored nor logged.", "Send a payment method token (`pm_…`) instead. A number of your own with 13 to 19 digits that passes the card check needs a letter in it.", true},
	"secret_refused":           {http.StatusBadRequest, "The body holds a secret key", "It was neither stored nor logged.", "Take it out, and replace the key: it has travelled further than it should.", true},
	"not_acceptable":           {http.StatusNotAcceptable, "No form of the answer is accepted", "Answers are `application/json`, errors `application/problem+json`, streams `text/event-stream`.", "Correct `Accept`, or leave it out.", true},
	"unauthenticated":          {http.StatusUnauthorized, "The credential is missing or not valid", "There is no live key behind it.", "Send `Authorization: Bearer sk_…` with a key of this environment.", true},
	"forbidden":                {http.StatusForbidden, "The key's role does not allow this", "Each key has one role, and each route the roles it is for.", "Use a key with another role.", true},
	"same_person":              {http.StatusForbidden, "Who proposed cannot decide", "It takes two people; where it takes two to approve, it takes three.", "Let somebody else decide, with a key of their own.", false},
	"not_found":                {http.StatusNotFound, "There is no such thing", "It does not exist, or belongs to somebody else.", "Check the id.", true},
	"route_not_found":          {http.StatusNotFound, "There is no such route", "The path is not part of the API.", "See /openapi.yaml.", true},
	"method_not_allowed":       {http.StatusMethodNotAllowed, "The route does not have this method", "`Allow` lists the methods it has.", "See /openapi.yaml.", true},
	"body_too_large":           {http.StatusRequestEntityTooLarge, "The body is too large", "A body has at most 64 KiB.", "Send less; put your own data behind `order_ref`.", true},
	"unsupported_media_type":   {http.StatusUnsupportedMediaType, "The body is not application/json", "Bodies are JSON in UTF-8, not compressed.", "Set `Content-Type: application/json`.", true},
	"nothing_ordered":          {http.StatusUnprocessableEntity, "The order has no parts", "A booking has a flight, a hotel or a car, or several of them.", "Add a part and use a new key.", false},
	"unknown_currency":         {http.StatusUnprocessableEntity, "The currency is not known", "It is no active code of ISO 4217.", "Use another code and a new key.", false},
	"mixed_currency":           {http.StatusUnprocessableEntity, "The parts have different currencies", "An order is paid in one currency.", "Leave `currency` out of the parts, or make it the order's; use a new key.", false},
	"amount_out_of_range":      {http.StatusUnprocessableEntity, "The total is too large", "The sum of the prices is at most 9007199254740991 minor units; the returns of a transfer give back at most what it cost.", "Split the order, or return less, and use new keys.", false},
	"payment_method_invalid":   {http.StatusUnprocessableEntity, "The payment method is not a token", "A token starts with `pm_`.", "Tokenise the card in the browser, send the token, use a new key.", false},
	"metadata_invalid":         {http.StatusUnprocessableEntity, "A metadata key is too long", "Metadata keys have 1 to 40 characters.", "Shorten it and use a new key.", false},
	"unit_invalid":             {http.StatusUnprocessableEntity, "A unit is not one", "`errors` names every unit that is neither a package (GTIN with serial) nor an SSCC, or is there twice.", "Correct the identifiers, check digits too, and use a new key.", false},
	"partner_unknown":          {http.StatusUnprocessableEntity, "A company is not in the register", "Seller and buyer are partner ids or GLNs of the register, and places are GLNs of theirs.", "Add the company first (`POST /v1/partners`), or correct the number; use a new key.", false},
	"same_partner":             {http.StatusUnprocessableEntity, "Seller and buyer are the same company", "A transfer changes the owner.", "Name another company and use a new key.", false},
	"gln_taken":                {http.StatusConflict, "A GLN belongs to another company", "A GLN names one company of the register.", "Look the company up by the GLN.", false},
	"already_verified":         {http.StatusConflict, "The company is verified in this role already", "Two people agreed on it before.", "Look at the company.", false},
	"evidence_superseded":      {http.StatusConflict, "Newer evidence of a licence was recorded meanwhile", "It came to light after this was proposed, and goes before it. Nothing was recorded.", "Look at the licence again; reject this, and propose what is right.", false},
	"product_known":            {http.StatusConflict, "The product is on record already", "A GTIN has one product.", "Use the product as it is.", false},
	"key_bound":                {http.StatusConflict, "The key speaks for a company already", "A key is bound once.", "Create another key.", false},
	"not_shipped":              {http.StatusConflict, "The transfer has not shipped", "There is no document and no receipt before the owner has changed.", "Follow the transfer, and use a new key.", false},
	"already_received":         {http.StatusConflict, "The receipt is on record already", "A receipt is given once.", "Look at the transfer.", false},
	"not_held":                 {http.StatusConflict, "The order is not held for review", "It was not suspicious, was decided, or has ended.", "Look at the transfer.", false},
	"transfer_not_completed":   {http.StatusConflict, "Only a completed transfer is returned", "Before, it is cancelled or ends by itself.", "Wait until it is `completed`.", false},
	"unit_not_sold":            {http.StatusUnprocessableEntity, "A unit was not sold by this transfer", "A return is tied to the transaction information of its sale (21 USC 360eee-1(g)(1)(F)), and a receipt says what came of what was shipped.", "Return it by the transfer that sold it; name what came besides as an overage; use a new key.", false},
	"order_ref_conflict":       {http.StatusConflict, "The order reference has an order already", "`saga_id` names it. Nothing was done.", "Follow that order, or use another reference and a new key.", false},
	"past_point_of_no_return":  {http.StatusConflict, "The order can no longer be cancelled", "The money was taken and the order will complete.", "Let it complete, then start a return.", false},
	"saga_already_finished":    {http.StatusConflict, "The order has ended", "Its outcome does not change any more.", "Look at its status.", false},
	"not_in_attention":         {http.StatusConflict, "There is nothing for people to decide", "The saga, or this step of it, is not in attention.", "Look at the saga again.", false},
	"already_proposed":         {http.StatusConflict, "A decision about this is already open", "One proposal at a time about one thing.", "Decide that one first.", false},
	"already_decided":          {http.StatusConflict, "It was decided, or is too old to be", "An approval is decided once, within 24 hours.", "Look at the approval; propose again if needed.", false},
	"journal_invalid":          {http.StatusUnprocessableEntity, "The journal is not one that the books can take", "`errors` names every entry and what is wrong with it. Nobody was asked.", "Correct it and use a new key.", false},
	"transaction_invalid":      {http.StatusUnprocessableEntity, "The transaction is not one that the books can take", "`errors` names every field and entry and what is wrong with it. Nothing was posted.", "Correct it; the same key may be used.", false},
	"ledger_refused":           {http.StatusConflict, "The books refuse it as they stand", "`detail` says why: an account is closed or at its bound, a transaction is reversed already, a period is not next. Nothing was posted; if people had to decide, the decision was not kept.", "Put right what is in the way; or reject the proposal and make another.", false},
	"entity_unknown":           {http.StatusUnprocessableEntity, "The legal entity has no books", "`entity` names books that are not open. Nothing was posted, and nobody was asked.", "Correct `entity`, or leave it out for the first one; or have the books opened by whoever looks after the deployment: `recourse ledger open-book`. The same key may be used.", true},
	"nothing_is_over":          {http.StatusConflict, "No document may go", "Nothing has been kept for its six years that no hold keeps longer. Nobody was asked.", "Look at `GET /v1/custody/retention` and use a new key when something is over.", false},
	"approver_lost_role":       {http.StatusConflict, "Somebody who approved may not do so any more", "A key that approved was revoked, has expired or has another role. Nothing was done.", "Reject it and propose again.", false},
	"approval_changed":         {http.StatusConflict, "The payload is not the one that was approved", "Its hash does not match. Nothing was done. Somebody has changed what nobody may change.", "Tell security; propose again.", false},
	"not_sealed_yet":           {http.StatusConflict, "It is in no checkpoint yet", "The sealer signs a checkpoint every ten seconds, and this is newer.", "Ask again, as `Retry-After` says. If it stays, the sealer does not run or has raised an alarm.", true},
	"ticket_invalid":           {http.StatusUnauthorized, "The ticket does not open this stream", "A ticket opens the stream of its saga once, within 30 seconds.", "Get a new one.", true},
	"unavailable":              {http.StatusServiceUnavailable, "The service cannot do this just now", "Something it needs does not answer. If the request had been recorded, the retry gets its answer.", "Send the same request with the same key again, as `Retry-After` says.", true},
	"internal_error":           {http.StatusInternalServerError, "Something went wrong on our side", "It is logged under the `request_id`.", "Send the same request with the same key again; if it stays, name the `request_id`.", true},

	"under_investigation":          {http.StatusConflict, "The quarantine is under investigation", "It is released when its investigation ends.", "Clear the investigation (`POST /v1/investigations/{id}/clear`), or find the product illegitimate.", false},
	"notified_to_fda":              {http.StatusConflict, "FDA was told of this product", "Illegitimate product stays in quarantine until FDA was asked to terminate its notification (21 USC 360eee-1(b) to (e)(4)(B)(iv)).", "Submit a request for termination (`POST /v1/investigations/{id}/notifications`), then let another person release it.", false},
	"investigation_ended":          {http.StatusConflict, "The investigation has ended", "It ends once; `detail` says when and how.", "Look at the investigation; open another if there is new reason to suspect the product.", false},
	"verification_incomplete":      {http.StatusConflict, "Not enough packages are verified to clear the product", "A manufacturer, repackager or wholesaler verifies all; a dispenser at least 3 or a tenth, whichever is more, and all of fewer than 3 (21 USC 360eee-1(d)(4)(A)(ii)). Of none the last word may be that it does not match.", "Record further verifications and use a new key; or find the product illegitimate.", false},
	"fda_not_told":                 {http.StatusConflict, "FDA is to be told first", "FDA had asked for the verification of this product: it is told before the product is cleared (Verification Systems Under DSCSA, III.C).", "Mail the notice (`GET /v1/investigations/{id}/cleared_notice`), say when in `fda_notified_at`, and use a new key.", false},
	"company_cannot_investigate":   {http.StatusUnprocessableEntity, "The company has no such duty", "Manufacturers, repackagers, wholesale distributors and dispensers investigate (21 USC 360eee-1).", "Name the company that has or owns the product; use a new key.", false},
	"unit_not_under_investigation": {http.StatusUnprocessableEntity, "A package is not under this investigation", "`errors` names every unit that the quarantine does not cover, that is a container of something, or that the company neither has nor owns.", "Correct the units and use a new key.", false},
	"not_illegitimate":             {http.StatusConflict, "The product was not found illegitimate", "Disposition and notifications are of illegitimate product.", "Look at the investigation.", false},
	"disposition_known":            {http.StatusConflict, "The disposition is on record already", "It is concluded once.", "Look at the investigation.", false},
	"notification_submitted":       {http.StatusConflict, "The notification was submitted", "What was sent does not change.", "Open a follow-up (`POST /v1/investigations/{id}/notifications`).", false},
	"notification_incomplete":      {http.StatusUnprocessableEntity, "The form lacks items", "`errors` names every item of Form FDA 3911 that is still to be filled in.", "Fill them in (`POST /v1/notifications/{id}/form`) and use a new key.", false},
	"notification_not_first":       {http.StatusConflict, "The initial notification comes first", "It was not submitted yet.", "Submit it first; use a new key.", false},
	"incident_known":               {http.StatusConflict, "The incident has its number already", "FDA gives one number to an incident.", "Look at the notification.", false},
	"time_impossible":              {http.StatusUnprocessableEntity, "A time cannot be", "It is in the future, or before what it follows.", "Correct it and use a new key.", false},
}

func codes() []string {
	var out []string
	for code := range kinds {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// ErrorsDocument is docs/errors.md, made from the table above.
func ErrorsDocument() string {
	var b strings.Builder
	b.WriteString("# Errors\n\nEvery error is `application/problem+json` (RFC 9457) with a stable `code`. `retryable` says whether the same\n" +
		"`Idempotency-Key` may be sent again. Made from `api/problems.go`; each code has its page at `/errors/{code}`.\n")
	for _, code := range codes() {
		k := kinds[code]
		b.WriteString("\n## " + code + "\n\n**" + http.StatusText(k.status) + "** (" + itoa(k.status) + "). " + k.title + ".\n\n" + k.meaning + "\n\n*What to do:* " + k.do + "\n")
	}
	return b.String()
}
