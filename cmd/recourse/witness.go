package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/recourse/recourse/internal/config"
	"github.com/recourse/recourse/internal/witness"
	"github.com/recourse/recourse/seal"
)

// runWitness co-signs checkpoints until it is told to stop, or makes its key.
// It needs neither the database nor anything else of the product.
func runWitness(ctx context.Context, std streams, args []string) (err error) {
	if len(args) > 0 && args[0] == "key" {
		return witnessKey(std, args[1:])
	}
	if _, err := parse(flags(std, "witness"), args); err != nil {
		return err
	}
	cfg, err := config.ForWitness()
	if err != nil {
		return usageError{err}
	}
	key, err := readKey(cfg.KeyFile, seal.ForWitness, config.Production)
	if err != nil {
		return err
	}
	logs := publicKeys{purpose: seal.ForLog}
	for _, text := range cfg.Logs {
		if err := logs.add(text); err != nil {
			return usagef("RECOURSE_WITNESS_LOGS: %w", err)
		}
	}
	log := newLogger(std, "witness")
	w, err := witness.New(witness.Config{Key: key, State: cfg.State, Logs: logs.keys, Now: time.Now, Log: log})
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	log.InfoContext(ctx, "witnessing", slog.String("address", cfg.Addr), slog.String("key", key.String()))
	return listenAndServe(ctx, cfg.Addr, w)
}

func witnessKey(std streams, args []string) error {
	f := flags(std, "witness key")
	name := f.String("name", "", "name of the witness, for ever, such as witness.example.com/w1")
	file := f.String("file", "", "file to make, for the witness alone to read")
	state := f.String("state", "", "file to make for the witness's memory; the key is worth nothing without it")
	public := f.String("public", "", publicUsage)
	if _, err := parse(f, args); err != nil {
		return err
	}
	if *name == "" || *file == "" || *state == "" {
		return usagef("recourse witness key -name witness.example.com/w1 -file witness.key -state witness.json")
	}
	if kept, err := keepKey(std, *file, *public, seal.ForWitness); kept || err != nil {
		return err
	}
	key, err := seal.NewKey(*name, seal.ForWitness)
	if err != nil {
		return usageError{err}
	}
	if err := witness.Create(*state, key.PublicKey); err != nil {
		return usageError{err}
	}
	if err := writeKey(std, *file, key); err != nil {
		return err
	}
	return writePublic(*public, key)
}
