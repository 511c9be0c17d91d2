package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// verifyState is where a run of verify is: the books first, then custody.
type verifyState struct {
	Books   json.RawMessage       `json:"books,omitempty"`
	Custody *custodypg.AuditState `json:"custody,omitempty"`
}

// keepState makes a run go on where one with the same file was interrupted.
func keepState(books *ledgerpg.Audit, custody *custodypg.Audit, file string) error {
	if file == "" {
		return nil
	}
	var state verifyState
	raw, err := os.ReadFile(file)
	switch {
	case err == nil:
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&state); err != nil {
			return usagef("the state of the interrupted run cannot be read; remove %s to begin again: %w", file, err)
		}
		if custody.Resume = state.Custody; state.Books != nil {
			if books.Resume, err = ledgerpg.UnmarshalState(state.Books); err != nil {
				return usageError{err}
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return usagef("-state cannot be read: %w", err)
	}
	save := func() error {
		raw, err := json.Marshal(state)
		if err != nil {
			return fmt.Errorf("keep the state: %w", err)
		}
		if err := os.WriteFile(file+".new", raw, 0o600); err != nil {
			return fmt.Errorf("keep the state: %w", err)
		}
		return os.Rename(file+".new", file)
	}
	books.Save = func(s ledgerpg.AuditState) error {
		raw, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("keep the state: %w", err)
		}
		state.Books = raw
		return save()
	}
	custody.Save = func(s custodypg.AuditState) error {
		state.Custody = &s
		return save()
	}
	return nil
}
