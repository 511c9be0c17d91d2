package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/devstack/temporal"
	"github.com/recourse/recourse/internal/freeport"
	"github.com/recourse/recourse/internal/orchestrator"
	"github.com/recourse/recourse/internal/pglocal"
)

// a supervisor is one run of Up.
type supervisor struct {
	cfg     Config
	talk    io.Writer
	secrets *secrets
	cluster *pglocal.Cluster // nil with another Postgres
	super   string

	mu       sync.Mutex
	dev      Dev
	ready    bool
	children []*child
}

// Up starts everything, says how to use it, and keeps it running until ctx
// ends. Errors are for people: they say what to do.
func Up(ctx context.Context, cfg Config, talk io.Writer) (err error) {
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return err
	}
	for _, dir := range []string{cfg.Dir, filepath.Join(cfg.Dir, "log"), filepath.Join(cfg.Dir, "sim")} {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Postgres' own user must reach its folder in it
			return fmt.Errorf("make %s: %w", dir, err)
		}
	}
	release, err := lock(cfg.Dir)
	if err != nil {
		return err
	}
	defer release()
	if cfg.Attached {
		attached, end := context.WithCancel(ctx)
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); end() }()
		ctx = attached
	}
	began := time.Now()
	if err := cfg.claim(ctx); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(cfg.Dir, "dev.json")) // it says that a stack is ready
	s := &supervisor{cfg: cfg, talk: talk, dev: Dev{PIDs: map[string]int{}}}
	if s.secrets, err = loadSecrets(cfg.Dir); err != nil {
		return err
	}
	defer s.down()
	if err := s.bringUp(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // somebody has changed their mind
		}
		return err
	}
	s.greet(time.Since(began))
	s.watchPostgres(ctx)
	return nil
}

func (s *supervisor) say(format string, args ...any) {
	fmt.Fprintf(s.talk, "recourse: "+format+"\n", args...)
}

// bringUp starts the parts in order, side by side where they can be.
func (s *supervisor) bringUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	s.say("starting Postgres")
	if err := s.startPostgres(ctx); err != nil {
		return err
	}
	s.say("starting Temporal and the simulators, migrating the database")
	var g errgroup.Group
	g.Go(func() error { return s.startStack(ctx) })
	g.Go(func() error {
		if err := prepare(ctx, s.super, "http://"+local(s.cfg.ParticipantsPort)+"/v1/partners", s.secrets); err != nil {
			return err
		}
		return writeJSON(filepath.Join(s.cfg.Dir, "secrets.json"), s.secrets)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	s.say("starting the API, the worker, the sealer and its witness")
	return s.startProduct(ctx)
}

func (s *supervisor) startPostgres(ctx context.Context) error {
	if s.cfg.Postgres != "" {
		s.super = s.cfg.Postgres
		return nil
	}
	settings := map[string]string{"max_connections": "300", "shared_buffers": "256MB", "max_wal_size": "2GB"}
	if !s.cfg.Durable {
		// A killed Postgres must still have what it acknowledged, so commits are
		// written; only the machine may not crash.
		settings["fsync"], settings["full_page_writes"] = "off", "off"
	}
	port := s.cfg.PGPort
	portFile := filepath.Join(s.cfg.Dir, "pg-port")
	if raw, err := os.ReadFile(portFile); err == nil && port == 0 {
		port, _ = strconv.Atoi(string(raw)) // 0 again if it cannot be read
	}
	start := func(port int) error {
		s.cluster = pglocal.New(pglocal.Config{Dir: filepath.Join(s.cfg.Dir, "postgres"), Port: port, Settings: settings})
		return s.cluster.Ensure(ctx)
	}
	err := start(port)
	var inUse pglocal.ErrPortInUse
	if errors.As(err, &inUse) && s.cfg.PGPort == 0 {
		err = start(0) // somebody has taken yesterday's port
	}
	if errors.As(err, &inUse) {
		return PortInUseError{Port: inUse.Port, Flag: "pg-port", Who: owner(inUse.Port)}
	}
	if err != nil {
		return err
	}
	s.super = s.cluster.SuperURL("postgres")
	s.changed("postgres", s.cluster.PID())
	if err := os.WriteFile(portFile, []byte(strconv.Itoa(s.cluster.Port())), 0o600); err != nil {
		return fmt.Errorf("keep the port of Postgres: %w", err)
	}
	return s.cluster.StopWithProcess()
}

// StackConfig is what the process `devstack stack` is told, in RECOURSE_STACK.
type StackConfig struct {
	Temporal         temporal.Config
	UIPort           int
	StripePort       int
	ParticipantsPort int
	ParticipantsKey  string
	StripeKey        string
	Journals         string
}

func (s *supervisor) startStack(ctx context.Context) error {
	if err := temporal.Prepare(ctx, s.super, s.secrets.Temporal); err != nil {
		return err
	}
	u, err := url.Parse(s.super)
	if err != nil {
		return fmt.Errorf("RECOURSE_DATABASE_URL is not a URL")
	}
	port := 5432
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return fmt.Errorf("RECOURSE_DATABASE_URL has no usable port")
		}
	}
	what, err := json.Marshal(StackConfig{
		Temporal: temporal.Config{Port: s.cfg.TemporalPort, PGHost: u.Hostname(), PGPort: port, Password: s.secrets.Temporal},
		UIPort:   s.cfg.UIPort, StripePort: s.cfg.StripePort, ParticipantsPort: s.cfg.ParticipantsPort,
		ParticipantsKey: s.secrets.Participants, StripeKey: s.secrets.Stripe, Journals: filepath.Join(s.cfg.Dir, "sim"),
	})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if name := os.Getenv("RECOURSE_DEVSTACK_BIN"); name != "" {
		self = name
	}
	if err := s.spawn("stack", []string{self, "stack"}, "RECOURSE_STACK="+string(what)); err != nil {
		return err
	}
	if err := orchestrator.Prepare(ctx, local(s.cfg.TemporalPort), orchestratorNamespace); err != nil {
		return s.blame("Temporal did not come up", "stack", err)
	}
	return nil
}

const orchestratorNamespace = "recourse"

func (s *supervisor) startProduct(ctx context.Context) error {
	recourse, err := program(s.cfg.Bin, "recourse")
	if err != nil {
		return err
	}
	database := func(role string) string { return roleURL(s.super, role, s.secrets.Roles[role]) }
	common := []string{
		"RECOURSE_PROFILE=sandbox", "RECOURSE_TEMPORAL_ADDRESS=" + local(s.cfg.TemporalPort),
		"RECOURSE_TEMPORAL_NAMESPACE=" + orchestratorNamespace,
	}
	s.mu.Lock()
	s.dev.Keys, s.dev.Postgres = s.secrets.Keys, roleURL(s.super, "", "")
	s.dev.Temporal, s.dev.UI = local(s.cfg.TemporalPort), "http://"+local(s.cfg.UIPort)
	s.dev.StripeSim, s.dev.Participants = "http://"+local(s.cfg.StripePort), "http://"+local(s.cfg.ParticipantsPort)
	s.dev.Databases = map[string]string{}
	for _, role := range logins {
		s.dev.Databases[role] = database(role)
	}
	s.mu.Unlock()

	for i := range s.cfg.Workers {
		err := s.spawn(numbered("worker", i), []string{recourse, "worker"}, append(common,
			"RECOURSE_DATABASE_URL="+database("app_worker"), "RECOURSE_DATABASE_MAX_CONNS=32",
			"RECOURSE_STRIPE_URL=http://"+local(s.cfg.StripePort), "RECOURSE_STRIPE_KEY="+s.secrets.Stripe,
			"RECOURSE_PARTICIPANTS_URL=http://"+local(s.cfg.ParticipantsPort), "RECOURSE_PARTICIPANTS_KEY="+s.secrets.Participants)...)
		if err != nil {
			return err
		}
	}
	if err := s.startSealing(recourse, database("sealer"), common); err != nil {
		return err
	}
	for i := range s.cfg.APIs {
		port := s.cfg.APIPort
		if i > 0 {
			if port, err = freeport.Find(ctx); err != nil {
				return err
			}
		}
		base := "http://" + local(port)
		err := s.spawn(numbered("api", i), []string{recourse, "serve"}, append(common,
			"RECOURSE_DATABASE_URL="+database("app_api"), "RECOURSE_DATABASE_MAX_CONNS=24", "RECOURSE_HTTP_ADDR="+local(port),
			"RECOURSE_CURSOR_KEY="+s.secrets.Cursor)...)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.dev.APIs = append(s.dev.APIs, base)
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.dev.API = s.dev.APIs[0]
	s.mu.Unlock()
	for i, base := range s.dev.APIs {
		if err := answers(ctx, base+"/readyz"); err != nil {
			return s.blame("the API is not ready", numbered("api", i), err)
		}
	}
	s.mu.Lock()
	s.ready = true
	s.mu.Unlock()
	s.changed("supervisor", os.Getpid())
	return nil
}

func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + strconv.Itoa(i+1)
}

func (s *supervisor) spawn(name string, command []string, env ...string) error {
	c := &child{
		name: name, log: filepath.Join(s.cfg.Dir, "log", name+".log"), command: command, env: env,
		restart: s.cfg.Restart, changed: s.changed,
	}
	if err := c.start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = append(s.children, c)
	return nil
}

// changed keeps dev.json true about who runs.
func (s *supervisor) changed(name string, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.dev.PIDs[name]; was != 0 && was != pid {
		s.say("%s had died and is back (process %d)", name, pid)
	}
	s.dev.PIDs[name] = pid
	if !s.ready {
		return
	}
	if err := writeJSON(filepath.Join(s.cfg.Dir, "dev.json"), s.dev); err != nil {
		s.say("%v", err)
	}
}

// blame adds the end of a log to an error.
func (s *supervisor) blame(what, name string, err error) error {
	path := filepath.Join(s.cfg.Dir, "log", name+".log")
	raw, _ := os.ReadFile(path)
	if len(raw) > 2000 {
		raw = raw[len(raw)-2000:]
	}
	return fmt.Errorf("%s: %w\nthe end of %s:\n%s", what, err, path, raw)
}

// answers waits until a URL answers 200.
func answers(ctx context.Context, url string) error {
	client := &http.Client{Timeout: 3 * time.Second}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s answers %s", url, res.Status)
		}
		var refused *net.OpError
		if !errors.As(err, &refused) || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

// watchPostgres starts a killed Postgres again, until ctx ends.
func (s *supervisor) watchPostgres(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.cluster == nil || !s.cfg.Restart || s.cluster.Running() {
			continue
		}
		again, cancel := context.WithTimeout(ctx, time.Minute)
		if err := s.cluster.Ensure(again); err != nil && ctx.Err() == nil {
			s.say("Postgres does not start again: %v", err)
		} else if err == nil {
			s.changed("postgres", s.cluster.PID())
		}
		cancel()
	}
}

// down stops everything, the product first and Postgres last.
func (s *supervisor) down() {
	s.say("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s.mu.Lock()
	children := s.children
	s.ready = false
	s.mu.Unlock()
	stop := func(wanted func(name string) bool) {
		var all sync.WaitGroup
		for _, c := range children {
			if wanted(c.name) {
				all.Go(func() { c.stop(ctx) })
			}
		}
		all.Wait()
	}
	stop(func(name string) bool { return name != "stack" })
	stop(func(name string) bool { return name == "stack" })
	if s.cluster != nil {
		if err := s.cluster.Stop(context.WithoutCancel(ctx)); err != nil {
			s.say("Postgres did not stop: %v", err)
		}
	}
	_ = os.Remove(filepath.Join(s.cfg.Dir, "dev.json"))
}
