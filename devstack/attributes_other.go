//go:build !linux

package devstack

import "syscall"

// attributes make a child a process group of its own, so that a Ctrl-C reaches
// it only through the supervisor. Only Linux can end it with a killed
// supervisor; elsewhere the next start finds its port in use and names it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
