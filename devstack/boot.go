package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Options of a system that is booted for tests and measurements.
type Options struct {
	APIs    int
	Workers int
	Durable bool // as in production: every commit is on disk
	Dir     string
}

// System is everything running on free ports in a folder of its own, for
// breaking. Stop it.
type System struct {
	Dir string
	Bin string // the folder of its programs

	up    *exec.Cmd
	talk  *bytes.Buffer
	ended chan struct{} // closed when the supervisor has
	mine  bool          // Dir is ours to remove
}

// Boot builds the programs if they are not built yet and starts a system.
// RECOURSE_BIN_DIR names a folder with programs that are built already.
func Boot(ctx context.Context, o Options) (*System, error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	s := &System{Dir: o.Dir, Bin: bin, talk: &bytes.Buffer{}, ended: make(chan struct{})}
	if s.Dir == "" {
		if s.Dir, err = os.MkdirTemp("", "recourse-*"); err != nil {
			return nil, fmt.Errorf("make a folder: %w", err)
		}
		s.mine = true
		if err := os.Chmod(s.Dir, 0o755); err != nil { //nolint:gosec // Postgres' own user must reach its folder in it
			return nil, fmt.Errorf("open the folder: %w", err)
		}
	}
	args := []string{
		"up", "-dir", s.Dir, "-bin", bin, "-api-port", "0", "-temporal-port", "0", "-ui-port", "0", "-stripe-port", "0",
		"-participants-port", "0", "-witness-port", "0", "-apis", strconv.Itoa(max(o.APIs, 1)), "-workers", strconv.Itoa(max(o.Workers, 1)),
		"-durable=" + strconv.FormatBool(o.Durable), "-attached",
	}
	s.up = exec.Command(filepath.Join(bin, "devstack"), args...) //nolint:noctx // it is stopped by Stop
	s.up.Stdout, s.up.Stderr = s.talk, s.talk
	if _, err := s.up.StdinPipe(); err != nil { // it closes with this process, however that ends
		return nil, fmt.Errorf("attach the system: %w", err)
	}
	s.up.Env = withoutDatabase(os.Environ())
	s.up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.up.Start(); err != nil {
		return nil, fmt.Errorf("start the system: %w", err)
	}
	go func() {
		defer close(s.ended)
		_ = s.up.Wait() // what it said is in talk
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if d, err := ReadDev(s.Dir); err == nil && d.PIDs["supervisor"] == s.up.Process.Pid {
			return s, nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return nil, fmt.Errorf("the system did not come up:\n%s", s.talk)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.Stop())
		}
	}
}

// withoutDatabase keeps a test's own database out of the system it boots.
func withoutDatabase(environ []string) []string {
	var out []string
	for _, v := range environ {
		if !bytes.HasPrefix([]byte(v), []byte("RECOURSE_DATABASE_URL")) {
			out = append(out, v)
		}
	}
	return out
}

// Dev is where everything is just now.
func (s *System) Dev() (Dev, error) { return ReadDev(s.Dir) }

// Signal sends a signal to one process by its name in dev.json.
func (s *System) Signal(name string, sig syscall.Signal) error {
	d, err := s.Dev()
	if err != nil {
		return err
	}
	pid := d.PIDs[name]
	if pid == 0 {
		return fmt.Errorf("there is no process %s", name)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

// Kill ends one process with SIGKILL and waits until the supervisor has
// started it again.
func (s *System) Kill(ctx context.Context, name string) error {
	before, err := s.Dev()
	if err != nil {
		return err
	}
	if err := s.Signal(name, syscall.SIGKILL); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, err := s.Dev(); err == nil && now.PIDs[name] != before.PIDs[name] {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not come back: %w", name, ctx.Err())
		}
	}
}

// Stop ends the system and removes its folder if Boot made it.
func (s *System) Stop() error {
	_ = s.up.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(40 * time.Second):
		_ = s.up.Process.Kill()
		<-s.ended
	}
	if s.mine {
		return os.RemoveAll(s.Dir)
	}
	return nil
}

var built = struct {
	sync.Mutex
	dir string
}{}

// binaries finds both programs, in the folder that is named or next to this
// one, or builds them, once a process.
func binaries(ctx context.Context) (string, error) {
	if dir := os.Getenv("RECOURSE_BIN_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if self, err := os.Executable(); err == nil && has(filepath.Dir(self), "recourse") && has(filepath.Dir(self), "devstack") {
		return filepath.Dir(self), nil
	}
	built.Lock()
	defer built.Unlock()
	if built.dir != "" {
		return built.dir, nil
	}
	dir := filepath.Join(os.TempDir(), "recourse-bin-"+strconv.Itoa(os.Getpid()))
	for _, pkg := range []string{"github.com/recourse/recourse/cmd/recourse", "github.com/recourse/recourse/devstack/cmd/devstack"} {
		out, err := exec.CommandContext(ctx, "go", "build", "-o", dir+"/", pkg).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	built.dir = dir
	return dir, nil
}

func has(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

// RemoveBuilt removes what Boot has built.
func RemoveBuilt() {
	built.Lock()
	defer built.Unlock()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}
