// Package journal keeps a simulator's changes in a file, one JSON line each, so
// that it comes back from a kill with everything it had answered.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Journal is an append-only file. A nil *Journal keeps nothing.
type Journal struct{ file *os.File }

// Open reads every whole line of the file at path through replay and goes on
// behind it. A line cut by a kill is dropped: its answer was never sent.
func Open(path string, replay func(line []byte) error) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	end, err := read(file, replay)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read journal: %w", err), file.Close())
	}
	return &Journal{file: file}, nil
}

func read(file *os.File, replay func([]byte) error) (end int64, err error) {
	in := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		if err := replay(line); err != nil {
			return end, err
		}
		end += int64(len(line))
	}
}

// Append writes one change. It is with the operating system when Append
// returns, which outlives a killed process.
func (j *Journal) Append(change any) error {
	if j == nil {
		return nil
	}
	line, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	return nil
}

// Close closes the file.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}
