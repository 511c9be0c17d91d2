package pglocal

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// DieWithProcess makes the server stop and its folder vanish when this process
// ends, however it ends: a small watcher waits for the end of a pipe that only
// this process holds open. For tests, whose data nobody wants to keep.
func (c *Cluster) DieWithProcess() error {
	hold, end, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("watch the server: %w", err)
	}
	const script = `cat >/dev/null; kill -QUIT "$0" 2>/dev/null
n=0; while kill -0 "$0" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
rm -rf "$1"`
	watcher := exec.Command("/bin/sh", "-c", script, strconv.Itoa(c.PID()), c.cfg.Dir) //nolint:noctx // it outlives every context on purpose
	watcher.Stdin = hold
	watcher.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := watcher.Start(); err != nil {
		return fmt.Errorf("watch the server: %w", err)
	}
	held = append(held, end)
	return hold.Close()
}

// held keeps the pipes' ends from being closed before the process ends.
var held []*os.File
