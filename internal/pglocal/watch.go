package pglocal

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// DieWithProcess makes the server stop and its folder vanish when this process
// ends, however it ends: a small watcher waits for the end of a pipe that only
// this process holds open. For tests, whose data nobody wants to keep.
func (c *Cluster) DieWithProcess() error {
	return c.watch(`kill -QUIT "$pid" 2>/dev/null
n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
rm -rf "$0"`)
}

// StopWithProcess makes the server stop when this process ends, however it
// ends, and keeps its data.
func (c *Cluster) StopWithProcess() error {
	return c.watch(`[ -n "$pid" ] && kill -INT "$pid" 2>/dev/null; true`)
}

// watch runs a script once this process has ended, with the server's pid at
// that time and its folder.
func (c *Cluster) watch(script string) error {
	hold, end, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("watch the server: %w", err)
	}
	script = `cat >/dev/null; pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null); ` + script
	watcher := exec.Command("/bin/sh", "-c", script, c.cfg.Dir) //nolint:noctx // it outlives every context on purpose
	watcher.Stdin = hold
	watcher.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := watcher.Start(); err != nil {
		return fmt.Errorf("watch the server: %w", err)
	}
	held.Lock()
	defer held.Unlock()
	held.ends = append(held.ends, end)
	return hold.Close()
}

// held keeps the pipes' ends from being closed before the process ends.
var held struct {
	sync.Mutex

	ends []*os.File
}
