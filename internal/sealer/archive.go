package sealer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recourse/recourse/seal"
)

// Archive is a directory of checkpoints in which files are only ever added:
// one folder a chain, one file a checkpoint, and one more when witnesses have
// added to it. Keep it where the database's people do not write, or copy it
// there.
//
//	TENANT/ENTITY/00000000000000000600.checkpoint
//	TENANT/ENTITY/00000000000000000600.cosigned
//	custody/TENANT/00000000000000000600.checkpoint
type Archive struct {
	dir        string
	appendOnly bool
	said       func(folder string, err error) // told whether a folder could be made append-only
}

// NewArchive opens a directory, which must exist. With appendOnly the folders
// of chains get the filesystem's append-only attribute (chattr +a), where it
// has one and the process may set it; said is told the outcome.
func NewArchive(dir string, appendOnly bool, said func(folder string, err error)) (*Archive, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the folder for checkpoints %s is not there", dir)
	}
	return &Archive{dir: dir, appendOnly: appendOnly, said: said}, nil
}

const (
	kindSigned   = ".checkpoint"
	kindCosigned = ".cosigned"
)

// folder is TENANT/ENTITY or custody/TENANT, the end of an origin.
func (a *Archive) folder(origin string) (string, error) {
	parts := strings.Split(origin, "/")
	if len(parts) < 2 {
		return "", fmt.Errorf("the origin %q names no chain", origin)
	}
	for _, p := range parts[len(parts)-2:] {
		if p == "" || p == "." || p == ".." {
			return "", fmt.Errorf("the origin %q names no chain", origin)
		}
	}
	return filepath.Join(a.dir, parts[len(parts)-2], parts[len(parts)-1]), nil
}

// Put adds a checkpoint. One that is there already must say the same.
func (a *Archive) Put(c seal.Checkpoint, signed []byte) error { return a.put(c, kindSigned, signed) }

// PutCosigned adds the checkpoint with what witnesses added.
func (a *Archive) PutCosigned(c seal.Checkpoint, signed []byte) error {
	return a.put(c, kindCosigned, signed)
}

func (a *Archive) put(c seal.Checkpoint, kind string, signed []byte) error {
	folder, err := a.folder(c.Origin)
	if err != nil {
		return err
	}
	_, statErr := os.Stat(folder)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	if errors.Is(statErr, os.ErrNotExist) && a.appendOnly {
		a.said(folder, makeAppendOnly(folder))
	}
	path := filepath.Join(folder, fmt.Sprintf("%020d%s", c.Size, kind))
	if had, err := os.ReadFile(path); err == nil {
		if said, err := seal.Peek(had); err != nil || said.Size != c.Size || said.Root != c.Root {
			return fmt.Errorf("%w: %s says something else", seal.ErrInconsistent, path)
		}
		return nil
	}
	// Written whole beside the folder and linked into it: a link is made once
	// and only if the name is free.
	fresh, err := os.CreateTemp(a.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	_, err = fresh.Write(signed)
	err = errors.Join(err, fresh.Chmod(0o440), fresh.Sync(), fresh.Close())
	if err == nil {
		err = os.Link(fresh.Name(), path)
	}
	if err == nil {
		err = syncDir(folder)
	}
	if err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	return nil
}

// Last is the largest checkpoint kept of an origin, signed by one of
// the keys; nil when there is none.
func (a *Archive) Last(origin string, keys []seal.PublicKey) (*seal.Checkpoint, error) {
	folder, err := a.folder(origin)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read the kept checkpoints: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), kindSigned) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // none is not an error
	}
	raw, err := os.ReadFile(filepath.Join(folder, slices.Max(names)))
	if err != nil {
		return nil, fmt.Errorf("read the kept checkpoints: %w", err)
	}
	opened, err := seal.OpenAny(raw, keys)
	if err != nil {
		return nil, fmt.Errorf("%w: the last file kept: %w", seal.ErrInconsistent, err)
	}
	if of, err := a.folder(opened.Origin); err != nil || of != folder {
		return nil, fmt.Errorf("%w: the last file kept is of %s", seal.ErrInconsistent, opened.Origin)
	}
	return &opened.Checkpoint, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
