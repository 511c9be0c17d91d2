// Package pglocal runs a private Postgres cluster for development and tests:
// it finds the server's binaries, makes a cluster in a folder of its own, and
// starts and stops it.
//
// A cluster is made whole or not at all: the file recourse-ready is written
// last, and a folder without it is thrown away and made again. A postmaster.pid
// left by a killed server is removed once its process is gone. Postgres refuses
// to run as root, so as root everything is run as the user postgres.
package pglocal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/freeport"
)

// Superuser is the cluster's one superuser; programs do not use it at run time.
const Superuser = "postgres"

// Config of a cluster. Dir is made if it is missing. Port 0 picks a free one.
// Settings go into the server's configuration on top of ours.
type Config struct {
	Dir      string
	Port     int
	Bin      string
	Settings map[string]string
	Log      io.Writer
}

// A Cluster is one private Postgres.
type Cluster struct {
	cfg      Config
	password string
	cred     *syscall.Credential
}

// ErrPortInUse means that something else listens where the cluster should.
type ErrPortInUse struct{ Port int }

func (e ErrPortInUse) Error() string {
	return fmt.Sprintf("port %d is in use by another program: stop it, or choose another port (0 picks a free one)", e.Port)
}

// New prepares a cluster; Ensure makes it and starts it.
func New(cfg Config) *Cluster {
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	return &Cluster{cfg: cfg}
}

// Port is where the running server listens.
func (c *Cluster) Port() int { return c.cfg.Port }

// Password is the superuser's.
func (c *Cluster) Password() string { return c.password }

// SuperURL is the superuser's connection string.
func (c *Cluster) SuperURL(db string) string { return c.URL(Superuser, c.password, db) }

// URL is a role's connection string.
func (c *Cluster) URL(role, password, db string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.cfg.Port)), Path: "/" + db, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (c *Cluster) data() string { return filepath.Join(c.cfg.Dir, "data") }

// Ensure makes the cluster if it is not there whole, and starts it if it is
// not running.
func (c *Cluster) Ensure(ctx context.Context) error {
	if c.cfg.Bin == "" {
		bin, err := Find()
		if err != nil {
			return err
		}
		c.cfg.Bin = bin
	}
	dir, err := filepath.Abs(c.cfg.Dir)
	if err != nil {
		return fmt.Errorf("cluster folder: %w", err)
	}
	c.cfg.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make cluster folder: %w", err)
	}
	if err := c.becomePostgres(); err != nil {
		return err
	}
	if err := c.init(ctx); err != nil {
		return err
	}
	return c.start(ctx)
}

// becomePostgres chooses the account the server runs as and gives it the folder.
func (c *Cluster) becomePostgres() error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return errors.New("Postgres refuses to run as root and there is no user postgres: run as another user, or install the postgresql package") //nolint:staticcheck // a name
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("user postgres: %w", err)
	}
	c.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(c.cfg.Dir, int(uid), int(gid)); err != nil {
		return fmt.Errorf("give the cluster folder to postgres: %w", err)
	}
	for dir := filepath.Dir(c.cfg.Dir); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("cluster folder: %w", err)
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("user postgres cannot enter %s: run as another user than root, or chmod o+x it", dir)
		}
	}
	return nil
}

func (c *Cluster) init(ctx context.Context) error {
	ready := filepath.Join(c.cfg.Dir, "recourse-ready")
	secret := filepath.Join(c.cfg.Dir, "superuser-password")
	if _, err := os.Stat(ready); err == nil {
		raw, err := os.ReadFile(secret)
		if err != nil {
			return fmt.Errorf("read the cluster's password: %w", err)
		}
		c.password = strings.TrimSpace(string(raw))
		return nil
	}
	fmt.Fprintf(c.cfg.Log, "making a Postgres cluster in %s\n", c.cfg.Dir)
	if err := os.RemoveAll(c.data()); err != nil {
		return fmt.Errorf("remove a half-made cluster: %w", err)
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("make a password: %w", err)
	}
	c.password = hex.EncodeToString(random)
	if err := os.WriteFile(secret, []byte(c.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the password: %w", err)
	}
	if c.cred != nil {
		if err := os.Chown(secret, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return fmt.Errorf("keep the password: %w", err)
		}
	}
	err := c.run(ctx, "initdb", "-D", c.data(), "-U", Superuser, "--pwfile="+secret, "--auth-host=scram-sha-256",
		"--auth-local=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C", "--no-instructions")
	if err != nil {
		return err
	}
	return os.WriteFile(ready, nil, 0o600)
}

// start starts the server unless it runs already. After a kill, backends of
// the old server may hold its memory for some seconds; that passes.
func (c *Cluster) start(ctx context.Context) error {
	if port, ok := c.running(); ok {
		c.cfg.Port = port
		return c.ping(ctx)
	}
	if err := c.configure(ctx); err != nil {
		return err
	}
	var err error
	for attempt := 0; attempt < 10; attempt++ {
		// pg_ctl leaves the server with the descriptors it was given, so its
		// log goes to a file and never to a pipe.
		err = c.run(ctx, "pg_ctl", "start", "-D", c.data(), "-w", "-t", "30", "-s", "-l", filepath.Join(c.data(), "server.log"))
		if err == nil {
			return c.ping(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return fmt.Errorf("%w; its log is %s", err, filepath.Join(c.data(), "server.log"))
}

// running reports the port of the server that holds the folder, and removes
// the pid file of one that is gone.
func (c *Cluster) running() (port int, ok bool) {
	pid := c.PID()
	if pid == 0 {
		return 0, false
	}
	if !isPostgres(pid) {
		_ = os.Remove(filepath.Join(c.data(), "postmaster.pid"))
		return 0, false
	}
	lines := c.pidFile()
	if len(lines) < 4 {
		return 0, false
	}
	port, err := strconv.Atoi(strings.TrimSpace(lines[3]))
	return port, err == nil
}

// PID is the postmaster's, 0 when there is none on record.
func (c *Cluster) PID() int {
	lines := c.pidFile()
	if len(lines) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

func (c *Cluster) pidFile() []string {
	raw, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return nil
	}
	return strings.Split(string(raw), "\n")
}

func isPostgres(pid int) bool {
	if syscall.Kill(pid, 0) != nil && !errors.Is(syscall.Kill(pid, 0), syscall.EPERM) {
		return false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return !os.IsNotExist(err) || !hasProc()
	}
	return bytes.Contains(raw, []byte("postgres"))
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/cmdline")
	return err == nil
}

func (c *Cluster) configure(ctx context.Context) error {
	if c.cfg.Port == 0 {
		port, err := freeport.Find(ctx)
		if err != nil {
			return err
		}
		c.cfg.Port = port
	} else if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.cfg.Port))); err != nil {
		return ErrPortInUse{c.cfg.Port}
	} else if err := l.Close(); err != nil {
		return fmt.Errorf("try port %d: %w", c.cfg.Port, err)
	}
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(c.cfg.Port), "unix_socket_directories": "",
		"max_connections": "200", "password_encryption": "scram-sha-256", "timezone": "UTC", "log_timezone": "UTC",
	}
	for name, value := range c.cfg.Settings {
		settings[name] = value
	}
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	sort.Strings(names)
	var conf strings.Builder
	for _, name := range names {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	// postgresql.auto.conf wins over postgresql.conf and is ours alone.
	return os.WriteFile(filepath.Join(c.data(), "postgresql.auto.conf"), []byte(conf.String()), 0o600)
}

// Stop ends the server; what is committed is on disk.
func (c *Cluster) Stop(ctx context.Context) error {
	if _, ok := c.running(); !ok {
		return nil
	}
	return c.run(ctx, "pg_ctl", "stop", "-D", c.data(), "-m", "fast", "-w", "-t", "30", "-s")
}

func (c *Cluster) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.SuperURL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Cluster) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.cfg.Bin, name), args...)
	cmd.Dir = c.cfg.Dir
	out, err := os.CreateTemp("", "recourse-pg-*")
	if err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.cred}
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if err := cmd.Run(); err != nil {
		said, readErr := os.ReadFile(out.Name())
		if readErr != nil {
			said = nil
		}
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(said)))
	}
	return nil
}

// Running reports whether the server's process is there.
func (c *Cluster) Running() bool {
	pid := c.PID()
	return pid != 0 && isPostgres(pid)
}
