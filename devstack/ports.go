package devstack

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/recourse/recourse/internal/freeport"
)

// A PortInUseError names the port, who has it, and the flag that changes it.
type PortInUseError struct {
	Port int
	Flag string
	Who  string
}

func (e PortInUseError) Error() string {
	return fmt.Sprintf("port %d is in use%s: stop that, or give another port with -%s (0 picks a free one)", e.Port, e.Who, e.Flag)
}

// claim checks that every fixed port is free and picks the others.
func (c *Config) claim(ctx context.Context) error {
	for flag, port := range map[string]*int{
		"api-port": &c.APIPort, "temporal-port": &c.TemporalPort, "ui-port": &c.UIPort,
		"stripe-port": &c.StripePort, "participants-port": &c.ParticipantsPort, "witness-port": &c.WitnessPort,
	} {
		if *port == 0 {
			var err error
			if *port, err = freeport.Find(ctx); err != nil {
				return err
			}
			continue
		}
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", local(*port))
		if err != nil {
			return PortInUseError{Port: *port, Flag: flag, Who: owner(*port)}
		}
		if err := l.Close(); err != nil {
			return fmt.Errorf("try port %d: %w", *port, err)
		}
	}
	return nil
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// owner finds who listens on a port, where the system tells.
func owner(port int) string {
	raw, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	if v6, err := os.ReadFile("/proc/net/tcp6"); err == nil {
		raw = append(raw, v6...)
	}
	inode := ""
	for line := range strings.SplitSeq(string(raw), "\n") {
		f := strings.Fields(line)
		if len(f) > 9 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "0A" {
			inode = "socket:[" + f[9] + "]"
		}
	}
	processes, err := os.ReadDir("/proc")
	if err != nil || inode == "" {
		return ""
	}
	for _, p := range processes {
		files, err := os.ReadDir("/proc/" + p.Name() + "/fd")
		if err != nil {
			continue
		}
		for _, f := range files {
			if to, err := os.Readlink("/proc/" + p.Name() + "/fd/" + f.Name()); err == nil && to == inode {
				name, err := os.ReadFile("/proc/" + p.Name() + "/comm")
				if err != nil {
					return ""
				}
				return " by " + strings.TrimSpace(string(name)) + " (process " + p.Name() + ")"
			}
		}
	}
	return ""
}
