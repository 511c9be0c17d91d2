package ledger

import "slices"

// AccountType is what an account counts.
type AccountType string

// The five types of account.
const (
	Asset     AccountType = "asset"
	Liability AccountType = "liability"
	Equity    AccountType = "equity"
	Revenue   AccountType = "revenue"
	Expense   AccountType = "expense"
)

// Account is one line of the chart of accounts. It exists once for each
// currency that is used.
type Account struct {
	Code   string
	Name   string
	Type   AccountType
	Normal Side // the side on which the balance usually stands
}

// The accounts a booking and a transfer use.
const (
	CashBank         = "1010"
	StripeClearing   = "1020"
	Suspense         = "1900"
	CustomerDeposits = "2010"
	SellerPayable    = "2100"
	RefundsPayable   = "2300"
	BookingRevenue   = "4010"
	ProcessorFees    = "5010"
)

// Chart is the chart of accounts every tenant starts with.
func Chart() []Account {
	return []Account{
		{CashBank, "Cash, bank", Asset, Debit},
		{StripeClearing, "Stripe clearing", Asset, Debit},
		{"1030", "Authorisations held", Asset, Debit},
		{"1200", "Receivable", Asset, Debit},
		{Suspense, "Suspense", Asset, Debit},
		{CustomerDeposits, "Customer deposits", Liability, Credit},
		{SellerPayable, "Seller payable", Liability, Credit},
		{"2200", "Sales tax payable", Liability, Credit},
		{RefundsPayable, "Refunds payable", Liability, Credit},
		{BookingRevenue, "Booking revenue", Revenue, Credit},
		{"4020", "Usage revenue", Revenue, Credit},
		{"4030", "Commission", Revenue, Credit},
		{"4900", "Refunds", Revenue, Debit},
		{ProcessorFees, "Processor fees", Expense, Debit},
		{"5020", "Chargebacks", Expense, Debit},
		{"5030", "FX gain and loss", Expense, Debit},
	}
}

// InChart reports whether code is an account of the standard chart.
func InChart(code string) bool {
	return slices.ContainsFunc(Chart(), func(a Account) bool { return a.Code == code })
}
