package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/recourse/recourse/internal/witness"
	"github.com/recourse/recourse/seal"
)

// startSealing starts the witness and the sealer, with keys that live in the
// folder beside the data they sign. Outside a sandbox the witness belongs to
// somebody else.
func (s *supervisor) startSealing(recourse, database string, common []string) error {
	dir := filepath.Join(s.cfg.Dir, "checkpoints")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	ledgerFile, witnessFile, state := filepath.Join(s.cfg.Dir, "ledger.key"), filepath.Join(s.cfg.Dir, "witness.key"), filepath.Join(s.cfg.Dir, "witness.json")
	ledgerKey, _, err := ensureKey(ledgerFile, "recourse.local/ledger", seal.ForLog)
	if err != nil {
		return err
	}
	witnessKey, fresh, err := ensureKey(witnessFile, "recourse.local/witness", seal.ForWitness)
	if err != nil {
		return err
	}
	if fresh {
		if err := witness.Create(state, witnessKey.PublicKey); err != nil {
			return err
		}
	}
	url := "http://" + local(s.cfg.WitnessPort)
	s.mu.Lock()
	s.dev.Witness, s.dev.LedgerKey, s.dev.WitnessKey = url, ledgerKey.String(), witnessKey.String()
	s.mu.Unlock()
	err = s.spawn("witness", []string{recourse, "witness"}, "RECOURSE_WITNESS_ADDR="+local(s.cfg.WitnessPort), "RECOURSE_WITNESS_KEY_FILE="+witnessFile,
		"RECOURSE_WITNESS_STATE="+state, "RECOURSE_WITNESS_LOGS="+ledgerKey.String())
	if err != nil {
		return err
	}
	return s.spawn("sealer", []string{recourse, "sealer"}, append(append([]string{}, common...),
		"RECOURSE_DATABASE_URL="+database, "RECOURSE_DATABASE_MAX_CONNS=4", "RECOURSE_LEDGER_KEY_FILE="+ledgerFile, "RECOURSE_SEAL_DIR="+dir,
		"RECOURSE_WITNESSES="+url+" "+witnessKey.String())...)
}

// ensureKey reads a key, or makes it the first time.
func ensureKey(file, name string, purpose seal.Purpose) (key *seal.Key, fresh bool, err error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = seal.NewKey(name, purpose); err != nil {
			return nil, false, err
		}
		if err := os.WriteFile(file, []byte(key.Secret()+"\n"), 0o600); err != nil {
			return nil, false, fmt.Errorf("keep a key: %w", err)
		}
		return key, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read a key: %w", err)
	}
	key, err = seal.ParseKey(string(raw), purpose)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	return key, false, nil
}
