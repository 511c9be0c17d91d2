package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/recourse/recourse/internal/config"
	"github.com/recourse/recourse/internal/sealer"
	"github.com/recourse/recourse/seal"
)

// runSealer signs checkpoints until it is told to stop, or makes its key.
func runSealer(ctx context.Context, std streams, args []string) error {
	if len(args) > 0 && args[0] == "key" {
		return sealerKey(std, args[1:])
	}
	if _, err := parse(flags(std, "sealer"), args); err != nil {
		return err
	}
	cfg, err := config.ForSealer()
	if err != nil {
		return usageError{err}
	}
	key, err := readKey(cfg.KeyFile, seal.ForLog, cfg.Profile)
	if err != nil {
		return err
	}
	log := newLogger(std, "sealer")
	s := &sealer.Sealer{Key: key, Log: log, Pace: sealer.Usual}
	old := publicKeys{purpose: seal.ForLog}
	for _, text := range cfg.OldKeys {
		if err := old.add(text); err != nil {
			return usagef("RECOURSE_LEDGER_OLD_KEYS: %w", err)
		}
	}
	s.Old = old.keys
	for _, w := range cfg.Witnesses {
		parts := strings.Fields(w)
		public, err := publicKey(parts[1], seal.ForWitness)
		if err != nil {
			return usagef("RECOURSE_WITNESSES: %w", err)
		}
		s.Witnesses = append(s.Witnesses, sealer.NewWitness(parts[0], public))
	}
	if cfg.Dir != "" {
		if s.Archive, err = sealer.NewArchive(cfg.Dir, cfg.Profile == config.Production, func(folder string, err error) {
			if err != nil {
				log.WarnContext(ctx, "a folder of checkpoints is not append-only; keep a copy elsewhere", slog.String("folder", folder), slog.Any("error", err))
				return
			}
			log.InfoContext(ctx, "a folder of checkpoints is append-only now", slog.String("folder", folder))
		}); err != nil {
			return usagef("RECOURSE_SEAL_DIR: %w", err)
		}
	}
	if s.Pool, err = connect(ctx, cfg.Database); err != nil {
		return err
	}
	defer s.Pool.Close()
	log.InfoContext(ctx, "sealing", slog.String("key", key.String()), slog.Int("witnesses", len(s.Witnesses)))
	s.Run(ctx)
	return nil
}

func sealerKey(std streams, args []string) error {
	f := flags(std, "sealer key")
	name := f.String("name", "", "name of the ledger, for ever: the first part of every checkpoint's origin, such as books.example.com/ledger")
	file := f.String("file", "", "file to make, for the sealer alone to read")
	public := f.String("public", "", publicUsage)
	if _, err := parse(f, args); err != nil {
		return err
	}
	if *name == "" || *file == "" {
		return usagef("recourse sealer key -name books.example.com/ledger -file ledger.key")
	}
	if kept, err := keepKey(std, *file, *public, seal.ForLog); kept || err != nil {
		return err
	}
	key, err := seal.NewKey(*name, seal.ForLog)
	if err != nil {
		return usageError{err}
	}
	if err := writeKey(std, *file, key); err != nil {
		return err
	}
	return writePublic(*public, key)
}

// publicUsage is for who starts a system without looking: a container that
// makes a key before the first start runs before every other one too.
const publicUsage = "file to write the public key to; a key that is there already is kept then"

// keepKey keeps the key that is there, if its public part is asked for.
func keepKey(std streams, file, public string, purpose seal.Purpose) (bool, error) {
	if _, err := os.Stat(file); public == "" || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	key, err := readKey(file, purpose, config.Sandbox)
	if err != nil {
		return false, err
	}
	fmt.Fprintln(std.out, key.String())
	fmt.Fprintf(std.err, "the private key that is in %s is kept\n", file)
	return true, writePublic(public, key)
}

func writePublic(file string, key *seal.Key) error {
	if file == "" {
		return nil
	}
	if err := os.WriteFile(file, []byte(key.String()+"\n"), 0o644); err != nil { //nolint:gosec // it is public
		return fmt.Errorf("write the public key: %w", err)
	}
	return nil
}

// writeKey makes the file of a key and prints its public part. It never
// replaces a file.
func writeKey(std streams, file string, key *seal.Key) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s is there already: a key that is lost cannot be made again", file)
	}
	if err != nil {
		return fmt.Errorf("make the key's file: %w", err)
	}
	_, err = f.WriteString(key.Secret() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the key's file: %w", err)
	}
	fmt.Fprintln(std.out, key.String())
	fmt.Fprintf(std.err, "the private key is in %s; the line above is public: give it to everybody who verifies\n", file)
	return nil
}

// readKey reads a private key. In production nobody else may be able to.
func readKey(file string, purpose seal.Purpose, profile config.Profile) (*seal.Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, usagef("the key's file cannot be read: %w", err)
	}
	if profile == config.Production && info.Mode().Perm()&0o077 != 0 {
		return nil, usagef("%s can be read by others: chmod 600 it", file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("the key's file cannot be read: %w", err)
	}
	key, err := seal.ParseKey(string(raw), purpose)
	if err != nil {
		return nil, usagef("%s: %w", file, err)
	}
	return key, nil
}

// publicKey takes a public key as text or as the name of a file that holds it.
func publicKey(text string, purpose seal.Purpose) (seal.PublicKey, error) {
	if raw, err := os.ReadFile(text); err == nil {
		text = string(raw)
	}
	key, err := seal.ParsePublicKey(strings.TrimSpace(text), purpose)
	if err != nil {
		return key, usageError{err}
	}
	return key, nil
}

// publicKeys takes the values of a flag that may stand several times.
type publicKeys struct {
	purpose seal.Purpose
	keys    []seal.PublicKey
}

func (p *publicKeys) add(text string) error {
	key, err := publicKey(text, p.purpose)
	if err == nil {
		p.keys = append(p.keys, key)
	}
	return err
}
