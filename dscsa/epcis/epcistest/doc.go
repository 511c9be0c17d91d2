// Package epcistest generates events and documents for property tests.
package epcistest
