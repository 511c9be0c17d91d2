// Package config reads the settings of a process from its environment, checks
// them before anything starts, and names the variable that is wrong.
//
// A secret X may be given as X or, better, as X_FILE, the path of a file that
// holds it. Values are never printed.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Profile says how strict a start is.
type Profile string

// The profiles. Sandbox allows loopback without TLS and Stripe's simulator;
// production refuses both.
const (
	Sandbox    Profile = "sandbox"
	Production Profile = "production"
)

// Database is one login to Postgres.
type Database struct {
	URL     string `env:"RECOURSE_DATABASE_URL"`
	URLFile string `env:"RECOURSE_DATABASE_URL_FILE,file"`
	// MaxConns bounds the pool: a small pool keeps Postgres fast. The sum over
	// all processes must stay below the server's max_connections.
	MaxConns int32 `env:"RECOURSE_DATABASE_MAX_CONNS" envDefault:"16"`
}

// Temporal is where workflows run.
type Temporal struct {
	Address   string `env:"RECOURSE_TEMPORAL_ADDRESS" envDefault:"127.0.0.1:7233"`
	Namespace string `env:"RECOURSE_TEMPORAL_NAMESPACE" envDefault:"recourse"`
}

// Stripe is the card processor.
type Stripe struct {
	URL     string        `env:"RECOURSE_STRIPE_URL" envDefault:"https://api.stripe.com"`
	Key     string        `env:"RECOURSE_STRIPE_KEY"`
	KeyFile string        `env:"RECOURSE_STRIPE_KEY_FILE,file"`
	Timeout time.Duration `env:"RECOURSE_STRIPE_TIMEOUT" envDefault:"5s"`
}

// Participants is where seats, rooms and cars are reserved.
type Participants struct {
	URL     string        `env:"RECOURSE_PARTICIPANTS_URL"`
	Key     string        `env:"RECOURSE_PARTICIPANTS_KEY"`
	KeyFile string        `env:"RECOURSE_PARTICIPANTS_KEY_FILE,file"`
	Timeout time.Duration `env:"RECOURSE_PARTICIPANTS_TIMEOUT" envDefault:"3s"`
}

// Serve is the environment of the API process.
type Serve struct {
	Profile Profile `env:"RECOURSE_PROFILE" envDefault:"sandbox"`
	Addr    string  `env:"RECOURSE_HTTP_ADDR" envDefault:"127.0.0.1:8080"`
	// BaseURL is what links in answers start with; http://ADDR when empty.
	BaseURL string `env:"RECOURSE_BASE_URL"`
	// CursorKey signs the cursors of lists. Every API process of a deployment
	// needs the same one.
	CursorKey     string `env:"RECOURSE_CURSOR_KEY"`
	CursorKeyFile string `env:"RECOURSE_CURSOR_KEY_FILE,file"`
	Database      Database
	Temporal      Temporal
}

// Worker is the environment of the worker process.
type Worker struct {
	Profile      Profile `env:"RECOURSE_PROFILE" envDefault:"sandbox"`
	Database     Database
	Temporal     Temporal
	Stripe       Stripe
	Participants Participants
	// PartnerSecrets is the folder with our credential for each trading partner.
	PartnerSecrets string `env:"RECOURSE_PARTNER_SECRETS"`
}

// ForServe reads and checks the environment of the API process.
func ForServe() (Serve, error) {
	c, err := env.ParseAs[Serve]()
	if err != nil {
		return Serve{}, explain(err)
	}
	c.CursorKey = either(c.CursorKey, c.CursorKeyFile)
	if c.BaseURL == "" {
		c.BaseURL = "http://" + c.Addr
	}
	errs := []error{c.Database.check(c.Profile), checkProfile(c.Profile)}
	if c.Profile == Production && len(c.CursorKey) < 32 {
		errs = append(errs, errors.New("RECOURSE_CURSOR_KEY must hold at least 32 characters, the same in every API process"))
	}
	c.Database.URL = either(c.Database.URL, c.Database.URLFile)
	return c, errors.Join(errs...)
}

// ForWorker reads and checks the environment of the worker process.
func ForWorker() (Worker, error) {
	c, err := env.ParseAs[Worker]()
	if err != nil {
		return Worker{}, explain(err)
	}
	errs := []error{c.Database.check(c.Profile), checkProfile(c.Profile)}
	c.Database.URL = either(c.Database.URL, c.Database.URLFile)
	c.Stripe.Key = either(c.Stripe.Key, c.Stripe.KeyFile)
	c.Participants.Key = either(c.Participants.Key, c.Participants.KeyFile)
	if c.Stripe.Key == "" {
		errs = append(errs, errors.New("RECOURSE_STRIPE_KEY (or _FILE) is not set: use a restricted key of your Stripe account, or any sk_test_ key with the simulator"))
	}
	if c.Participants.Key == "" {
		errs = append(errs, errors.New("RECOURSE_PARTICIPANTS_KEY (or _FILE) is not set"))
	}
	if info, err := os.Stat(c.PartnerSecrets); c.PartnerSecrets != "" && (err != nil || !info.IsDir()) {
		errs = append(errs, errors.New("RECOURSE_PARTNER_SECRETS is not a folder that can be read"))
	}
	errs = append(errs,
		checkURL("RECOURSE_STRIPE_URL", c.Stripe.URL, c.Profile),
		checkURL("RECOURSE_PARTICIPANTS_URL", c.Participants.URL, c.Profile))
	return c, errors.Join(errs...)
}

func (d Database) check(p Profile) error {
	u := either(d.URL, d.URLFile)
	if u == "" {
		return errors.New("RECOURSE_DATABASE_URL (or _FILE) is not set: give a postgres:// URL, or use make run, which starts everything")
	}
	parsed, err := url.Parse(u)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return errors.New("RECOURSE_DATABASE_URL is not a postgres:// URL")
	}
	if mode := parsed.Query().Get("sslmode"); p == Production && mode != "verify-full" && mode != "verify-ca" {
		return errors.New("RECOURSE_DATABASE_URL: production needs sslmode=verify-full")
	}
	return nil
}

func checkProfile(p Profile) error {
	if p != Sandbox && p != Production {
		return fmt.Errorf("RECOURSE_PROFILE is %q: use sandbox or production", string(p))
	}
	return nil
}

func checkURL(name, value string, p Profile) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%s is not an http(s) URL", name)
	}
	if p == Production && u.Scheme != "https" {
		return fmt.Errorf("%s: production needs https", name)
	}
	return nil
}

func either(value, fromFile string) string {
	if value != "" {
		return value
	}
	return strings.TrimSpace(fromFile)
}

// explain turns the parser's error into one that names the variable and never
// repeats its value.
func explain(err error) error {
	var aggregate env.AggregateError
	if !errors.As(err, &aggregate) {
		return errors.New("the environment cannot be read")
	}
	var out []error
	for _, e := range aggregate.Errors {
		var parse env.ParseError
		var file env.LoadFileContentError
		switch {
		case errors.As(e, &parse):
			out = append(out, fmt.Errorf("setting %s has the wrong form: want a %s", parse.Name, parse.Type))
		case errors.As(e, &file):
			out = append(out, fmt.Errorf("setting %s names a file that cannot be read", file.Key))
		default:
			out = append(out, errors.New("a setting of the environment cannot be read"))
		}
	}
	return errors.Join(out...)
}
