package main

import (
	"log/slog"
)

// newLogger writes JSON lines to the talk stream, with the name of the process
// on each. Bodies, credentials and personal data are never attributes.
func newLogger(std streams, process string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(std.err, &slog.HandlerOptions{Level: slog.LevelInfo})).
		With(slog.String("process", process), slog.String("version", version))
}
