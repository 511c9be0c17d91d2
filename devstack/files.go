package devstack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Dev is .recourse/dev.json: where everything is, for people and their scripts.
type Dev struct {
	API          string            `json:"api"`
	APIs         []string          `json:"apis"`
	Keys         map[string]string `json:"keys"`
	Postgres     string            `json:"postgres"`
	Temporal     string            `json:"temporal"`
	UI           string            `json:"ui"`
	StripeSim    string            `json:"stripe_sim"`
	Participants string            `json:"participants"`
	Databases    map[string]string `json:"database_urls"`
	Witness      string            `json:"witness"`     // where it listens
	LedgerKey    string            `json:"ledger_key"`  // public, of the sealer
	WitnessKey   string            `json:"witness_key"` // public
	PIDs         map[string]int    `json:"pids"`
}

// ReadDev reads what a running stack wrote.
func ReadDev(dir string) (Dev, error) {
	var d Dev
	raw, err := os.ReadFile(filepath.Join(dir, "dev.json"))
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("dev.json: %w", err)
	}
	return d, nil
}

// writeJSON replaces a file whole; it may hold credentials.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// secrets are made once and kept beside the data they open.
type secrets struct {
	Roles        map[string]string `json:"roles"` // database passwords
	Temporal     string            `json:"temporal"`
	Stripe       string            `json:"stripe"`
	Participants string            `json:"participants"`
	Cursor       string            `json:"cursor"`
	Keys         map[string]string `json:"keys"` // API keys by name
}

var logins = []string{"migrator", "app_api", "app_worker", "finance_ro", "auditor_ro", "sealer"}

func loadSecrets(dir string) (*secrets, error) {
	path := filepath.Join(dir, "secrets.json")
	s := &secrets{Roles: map[string]string{}, Keys: map[string]string{}}
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, s)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s cannot be read (remove it together with the data in %s): %w", path, dir, err)
	}
	for _, role := range logins {
		if s.Roles[role] == "" {
			s.Roles[role] = rand.Text()
		}
	}
	for _, v := range []*string{&s.Temporal, &s.Participants, &s.Cursor, &s.Stripe} {
		if *v == "" {
			*v = rand.Text() + rand.Text()
		}
	}
	s.Stripe = "sk_test_" + strings.TrimPrefix(s.Stripe, "sk_test_")
	return s, writeJSON(path, s)
}

// lock makes sure that one supervisor works in a folder. It ends with the
// process.
func lock(dir string) (release func(), err error) {
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := os.ReadFile(path)
		return nil, errors.Join(fmt.Errorf("process %s runs in %s already: stop it first, or use another -dir", strings.TrimSpace(string(who)), dir), file.Close())
	}
	if err := file.Truncate(0); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}
