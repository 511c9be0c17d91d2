package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Sealer is the environment of the sealer process.
type Sealer struct {
	Profile  Profile `env:"RECOURSE_PROFILE" envDefault:"sandbox"`
	Database Database
	// KeyFile holds the key that signs checkpoints. It must not be readable by
	// the database's user.
	KeyFile string `env:"RECOURSE_LEDGER_KEY_FILE"`
	// OldKeys are public keys that signed before it: what they signed is
	// continued.
	OldKeys []string `env:"RECOURSE_LEDGER_OLD_KEYS"`
	// Dir is where each checkpoint is kept as a file as well; none when empty.
	Dir string `env:"RECOURSE_SEAL_DIR"`
	// Witnesses are "URL KEY", comma separated.
	Witnesses []string `env:"RECOURSE_WITNESSES"`
}

// Witness is the environment of the witness process.
type Witness struct {
	Addr    string   `env:"RECOURSE_WITNESS_ADDR" envDefault:"127.0.0.1:8091"`
	KeyFile string   `env:"RECOURSE_WITNESS_KEY_FILE"`
	State   string   `env:"RECOURSE_WITNESS_STATE"`
	Logs    []string `env:"RECOURSE_WITNESS_LOGS"` // public keys of the sealers it co-signs for
}

// ForSealer reads and checks the environment of the sealer process.
func ForSealer() (Sealer, error) {
	c, err := env.ParseAs[Sealer]()
	if err != nil {
		return Sealer{}, explain(err)
	}
	errs := []error{c.Database.check(c.Profile), checkProfile(c.Profile)}
	c.Database.URL = either(c.Database.URL, c.Database.URLFile)
	if c.KeyFile == "" {
		errs = append(errs, errors.New("RECOURSE_LEDGER_KEY_FILE is not set: make a key with recourse sealer key"))
	}
	for _, w := range c.Witnesses {
		if len(strings.Fields(w)) != 2 {
			errs = append(errs, errors.New("RECOURSE_WITNESSES: each witness is its URL, a space and its public key; a comma stands between two"))
			continue
		}
		errs = append(errs, checkURL("RECOURSE_WITNESSES", strings.Fields(w)[0], Sandbox)) // what is sent is public and signed
	}
	return c, errors.Join(errs...)
}

// ForWitness reads and checks the environment of the witness process.
func ForWitness() (Witness, error) {
	c, err := env.ParseAs[Witness]()
	if err != nil {
		return Witness{}, explain(err)
	}
	var errs []error
	for name, value := range map[string]string{"RECOURSE_WITNESS_KEY_FILE": c.KeyFile, "RECOURSE_WITNESS_STATE": c.State} {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s is not set: recourse witness key makes both", name))
		}
	}
	if len(c.Logs) == 0 {
		errs = append(errs, errors.New("RECOURSE_WITNESS_LOGS is not set: give the public keys of the sealers to co-sign for"))
	}
	return c, errors.Join(errs...)
}
