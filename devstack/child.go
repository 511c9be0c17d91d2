package devstack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// A child is a process that is started again when it dies.
type child struct {
	name    string
	log     string
	command []string
	env     []string
	restart bool
	changed func(name string, pid int)

	mu      sync.Mutex
	process *os.Process
	stopped bool
	done    chan struct{}
}

// start runs the child until stop is called.
func (c *child) start() error {
	started := make(chan error, 1)
	c.done = make(chan struct{})
	go func() {
		// The kernel kills a child when the thread that started it ends, so
		// this thread lives as long as the child is wanted.
		runtime.LockOSThread()
		defer close(c.done)
		wait := 500 * time.Millisecond
		for first := true; ; first = false {
			began := time.Now()
			if ran := c.run(started, first); first && !ran {
				return
			}
			c.mu.Lock()
			stopped := c.stopped
			c.mu.Unlock()
			if stopped || !c.restart {
				return
			}
			if time.Since(began) > 10*time.Second {
				wait = 500 * time.Millisecond
			}
			time.Sleep(wait) //nolint:forbidigo // a dead child is given a moment; stop finds nothing to signal
			wait = min(2*wait, 5*time.Second)
		}
	}()
	return <-started
}

// run is one life of the child; it reports whether it began.
func (c *child) run(started chan<- error, first bool) bool {
	log, err := os.OpenFile(c.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		if first {
			started <- err
		}
		return false
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(c.command[0], c.command[1:]...) //nolint:noctx // it is stopped by a signal
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return false
	}
	err = cmd.Start()
	if err == nil {
		c.process = cmd.Process
	}
	c.mu.Unlock()
	if first {
		started <- err
	}
	if err != nil {
		return false
	}
	c.changed(c.name, cmd.Process.Pid)
	_ = cmd.Wait() // however it ended, it is started again
	return true
}

// stop asks the child to end and kills it when it does not.
func (c *child) stop(ctx context.Context) {
	c.mu.Lock()
	c.stopped = true
	process := c.process
	c.mu.Unlock()
	if process == nil {
		return
	}
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-ctx.Done():
		_ = process.Kill()
		<-c.done
	}
}

// program finds a program of ours: in the folder given, or next to this one.
func program(bin, name string) (string, error) {
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find the program %s: %w", name, err)
		}
		bin = filepath.Dir(self)
	}
	path, err := filepath.Abs(filepath.Join(bin, name))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the program %s is not in %s: use make run, which builds it", name, bin)
	}
	return path, nil
}
