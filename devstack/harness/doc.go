// Package harness looks at the product from outside: a client of the API, a
// maker of mixed orders, and a checker that holds the product's database
// against the simulators' books. It shares no code with what it checks.
package harness
