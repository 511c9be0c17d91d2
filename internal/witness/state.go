package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/recourse/recourse/seal"
)

// state is the last tree of every origin, on disk.
type state struct {
	path string
	lock *os.File // held while the process lives: two on one file would fork

	mu   sync.Mutex
	last map[string]seal.Checkpoint
}

// stateFile is the file. Key names the witness, so that a state is not taken
// over by another key.
type stateFile struct {
	Key     string                `json:"key"`
	Origins map[string]stateEntry `json:"origins"`
}

type stateEntry struct {
	Size int64     `json:"size"`
	Root seal.Hash `json:"root"`
}

// Create makes the state of a new key. It refuses when there is one.
func Create(path string, key seal.PublicKey) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the state %s is there already: a witness keeps its memory for ever", path)
	}
	return (&state{path: path, last: map[string]seal.Checkpoint{}}).write(key.String())
}

func open(path string, key seal.PublicKey) (*state, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the state of the witness cannot be read (recourse witness key makes it with the key): %w", err)
	}
	var f stateFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("the state %s is damaged; retire the key %s: %w", path, key.Name, err)
	}
	if f.Key != key.String() {
		return nil, fmt.Errorf("the state %s belongs to another key", path)
	}
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another witness works on %s", path), lock.Close())
	}
	s := &state{path: path, lock: lock, last: map[string]seal.Checkpoint{}}
	for origin, e := range f.Origins {
		s.last[origin] = seal.Checkpoint{Origin: origin, Size: e.Size, Root: e.Root}
	}
	return s, nil
}

func (s *state) close() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// put records a tree on disk, then in memory. The caller holds mu.
func (s *state) put(key string, c seal.Checkpoint) error {
	before, known := s.last[c.Origin]
	s.last[c.Origin] = c
	err := s.write(key)
	if err != nil && known {
		s.last[c.Origin] = before
	} else if err != nil {
		delete(s.last, c.Origin)
	}
	return err
}

// write replaces the file whole and waits until it is on disk.
func (s *state) write(key string) (err error) {
	f := stateFile{Key: key, Origins: map[string]stateEntry{}}
	for origin, c := range s.last {
		f.Origins[origin] = stateEntry{c.Size, c.Root}
	}
	raw, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	fresh, err := os.OpenFile(s.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	_, err = fresh.Write(append(raw, '\n'))
	if err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	dir, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
