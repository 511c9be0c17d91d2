package postgres

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var last time.Time
var lastCPU time.Duration
var StagePID uint32

func cpu(pid uint32) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw))
	u, _ := strconv.Atoi(f[0])
	return time.Duration(u)
}

func stage(name string) {
	if os.Getenv("STAGE") == "" {
		return
	}
	fmt.Fprintln(os.Stderr, name, time.Since(last), "cpu", cpu(StagePID)-lastCPU)
	last = time.Now()
	lastCPU = cpu(StagePID)
}
