//go:build !linux

package sealer

import "errors"

func makeAppendOnly(string) error {
	return errors.New("this system has no append-only attribute that is known here")
}
