package devstack

import (
	"flag"
	"fmt"
	"os"
	"strconv"
)

// Config is what `devstack up` is told. A port of 0 picks a free one.
type Config struct {
	Dir              string
	Bin              string // folder of the program recourse; next to this one when empty
	APIPort          int
	TemporalPort     int
	UIPort           int
	StripePort       int
	ParticipantsPort int
	WitnessPort      int
	PGPort           int
	APIs             int
	Workers          int
	Restart          bool
	Attached         bool   // end when standard input does: with whoever started it
	Durable          bool   // false: Postgres may lose data in a crash of the machine; for tests
	Postgres         string // a superuser's URL of another Postgres, instead of the private one
}

// Flags reads the flags of `devstack up`; each has an environment variable too.
func Flags(f *flag.FlagSet, args []string) (Config, error) {
	var c Config
	port := func(into *int, name string, otherwise int, what string) {
		f.IntVar(into, name, fromEnv("RECOURSE_DEV_"+env(name), otherwise), what+"; 0 picks a free port")
	}
	f.StringVar(&c.Dir, "dir", ".recourse", "folder for data, logs and dev.json")
	f.StringVar(&c.Bin, "bin", "", "folder of the program recourse")
	port(&c.APIPort, "api-port", 8080, "port of the API")
	port(&c.TemporalPort, "temporal-port", 7233, "port of Temporal")
	port(&c.UIPort, "ui-port", 8233, "port of Temporal's Web UI")
	port(&c.StripePort, "stripe-port", 12111, "port of the Stripe simulator")
	port(&c.ParticipantsPort, "participants-port", 12112, "port of the participant simulator")
	port(&c.WitnessPort, "witness-port", 8091, "port of the witness")
	port(&c.PGPort, "pg-port", 0, "port of the private Postgres")
	f.IntVar(&c.APIs, "apis", 1, "how many API processes")
	f.IntVar(&c.Workers, "workers", 1, "how many worker processes")
	norestart := f.Bool("no-restart", false, "leave dead what dies")
	f.BoolVar(&c.Attached, "attached", false, "stop when standard input ends")
	f.BoolVar(&c.Durable, "durable", true, "keep what is committed over a crash of the machine")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 || c.APIs < 1 || c.Workers < 1 {
		return c, fmt.Errorf("devstack up takes flags only, and at least one API and one worker")
	}
	c.Restart = !*norestart
	c.Postgres = os.Getenv("RECOURSE_DATABASE_URL")
	return c, nil
}

func env(flag string) string {
	out := []byte(flag)
	for i, b := range out {
		switch {
		case b == '-':
			out[i] = '_'
		case b >= 'a' && b <= 'z':
			out[i] = b - 'a' + 'A'
		}
	}
	return string(out)
}

func fromEnv(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
