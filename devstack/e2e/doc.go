// Package e2e holds the end-to-end tests: the product from outside, with every
// process real, and the checker's verdict at the end.
package e2e
