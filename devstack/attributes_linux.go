package devstack

import "syscall"

// attributes make a child a process group of its own, so that a Ctrl-C reaches
// it only through the supervisor, and end it with the supervisor.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
