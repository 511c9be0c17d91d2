package pglocal

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// ErrNoPostgres means that no Postgres 15 or later was found on this machine.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or later was found; install it with: sudo apt-get install postgresql (or brew install postgresql, dnf install postgresql-server), or set RECOURSE_PG_BIN to the folder that holds initdb")

// oldest is the first major version the product works on.
const oldest = 15

// Find returns the folder that holds initdb, pg_ctl and postgres. It looks at
// RECOURSE_PG_BIN, the PATH, the places package managers use, and .recourse/pgbin
// of the working directory or a parent.
func Find() (string, error) {
	if dir := os.Getenv("RECOURSE_PG_BIN"); dir != "" {
		if usable(dir) {
			return dir, nil
		}
		return "", errors.New("RECOURSE_PG_BIN does not hold initdb, pg_ctl and postgres of version 15 or later")
	}
	for _, dir := range candidates() {
		if usable(dir) {
			return dir, nil
		}
	}
	return "", ErrNoPostgres
}

func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	var versioned []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	} {
		found, err := filepath.Glob(pattern)
		if err == nil {
			versioned = append(versioned, found...)
		}
	}
	sort.Slice(versioned, func(i, j int) bool { return number(versioned[i]) > number(versioned[j]) })
	dirs = append(dirs, versioned...)
	dirs = append(dirs, "/opt/homebrew/bin", "/usr/local/pgsql/bin")
	if wd, err := os.Getwd(); err == nil {
		for dir := wd; ; dir = filepath.Dir(dir) {
			dirs = append(dirs, filepath.Join(dir, ".recourse", "pgbin", "bin"))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return dirs
}

func usable(dir string) bool {
	for _, name := range []string{"initdb", "pg_ctl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	out, err := exec.CommandContext(context.Background(), filepath.Join(dir, "postgres"), "--version").Output()
	return err == nil && number(strings.TrimPrefix(string(out), "postgres (PostgreSQL)")) >= oldest
}

// number is the first whole number in s, 0 if there is none.
func number(s string) int {
	digits := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[0])
	if err != nil {
		return 0
	}
	return n
}
