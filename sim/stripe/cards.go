package stripe

// A card is what a test token stands for. Tokens and answers are those of
// https://docs.stripe.com/testing.
type card struct {
	brand   string
	last4   string
	code    string // declined with this code
	decline string
	action  bool // the bank wants the customer to confirm
}

var cards = map[string]card{
	"pm_card_visa":                                     {brand: "visa", last4: "4242"},
	"pm_card_visa_debit":                               {brand: "visa", last4: "5556"},
	"pm_card_mastercard":                               {brand: "mastercard", last4: "4444"},
	"pm_card_mastercard_debit":                         {brand: "mastercard", last4: "8210"},
	"pm_card_amex":                                     {brand: "amex", last4: "8431"},
	"pm_card_discover":                                 {brand: "discover", last4: "9424"},
	"pm_card_diners":                                   {brand: "diners", last4: "3220"},
	"pm_card_jcb":                                      {brand: "jcb", last4: "0505"},
	"pm_card_unionpay":                                 {brand: "unionpay", last4: "0005"},
	"pm_card_chargeDeclined":                           {brand: "visa", last4: "0002", code: "card_declined", decline: "generic_decline"},
	"pm_card_visa_chargeDeclined":                      {brand: "visa", last4: "0002", code: "card_declined", decline: "generic_decline"},
	"pm_card_chargeDeclinedInsufficientFunds":          {brand: "visa", last4: "9995", code: "card_declined", decline: "insufficient_funds"},
	"pm_card_visa_chargeDeclinedInsufficientFunds":     {brand: "visa", last4: "9995", code: "card_declined", decline: "insufficient_funds"},
	"pm_card_visa_chargeDeclinedLostCard":              {brand: "visa", last4: "9987", code: "card_declined", decline: "lost_card"},
	"pm_card_visa_chargeDeclinedStolenCard":            {brand: "visa", last4: "9979", code: "card_declined", decline: "stolen_card"},
	"pm_card_visa_chargeDeclinedVelocityLimitExceeded": {brand: "visa", last4: "6975", code: "card_declined", decline: "card_velocity_exceeded"},
	"pm_card_chargeDeclinedExpiredCard":                {brand: "visa", last4: "0069", code: "expired_card", decline: "expired_card"},
	"pm_card_chargeDeclinedIncorrectCvc":               {brand: "visa", last4: "0127", code: "incorrect_cvc", decline: "incorrect_cvc"},
	"pm_card_chargeDeclinedProcessingError":            {brand: "visa", last4: "0119", code: "processing_error", decline: "processing_error"},
	"pm_card_chargeCustomerFail":                       {brand: "visa", last4: "0341", code: "card_declined", decline: "generic_decline"},
	"pm_card_authenticationRequired":                   {brand: "visa", last4: "3184", action: true},
	"pm_card_threeDSecure2Required":                    {brand: "visa", last4: "3220", action: true},
}

var messages = map[string]string{
	"card_declined":    "Your card was declined.",
	"expired_card":     "Your card has expired.",
	"incorrect_cvc":    "Your card's security code is incorrect.",
	"processing_error": "An error occurred while processing your card. Try again in a little bit.",
}

func (c card) message() string {
	if c.decline == "insufficient_funds" {
		return "Your card has insufficient funds."
	}
	return messages[c.code]
}
