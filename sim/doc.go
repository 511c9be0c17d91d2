// Package sim holds the stand-ins for the outside world: a Stripe and the
// participants of a booking, real HTTP servers with books of their own. They
// share no code with the product, so that their books can convict it.
package sim
