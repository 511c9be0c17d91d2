package partners

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// secrets are our credentials with a partner, the newest first.
func (c *Client) secrets(of activities.Addressee) ([]string, error) {
	name := of.Tenant.String() + "." + of.Partner
	raw, err := c.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.cfg.Shared != "":
		return []string{c.cfg.Shared}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, unusable("there is no file " + name + " in RECOURSE_PARTNER_SECRETS: put our credential with this partner there")
	case err != nil: // its words name the file and nothing that is in it
		return nil, &step.Misuse{Code: "partner_credential", Err: fmt.Errorf("read the credential with a partner: %w", err)}
	}
	lines := strings.Fields(string(raw))
	if len(lines) == 0 || len(lines) > 2 {
		return nil, unusable("the file " + name + " must hold one secret, or two while it changes, each on a line of its own")
	}
	for _, l := range lines {
		if strings.ContainsFunc(l, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, unusable("the file " + name + " holds a character that no credential has")
		}
	}
	return lines, nil
}

// read never leaves the folder, whatever a partner is called.
func (c *Client) read(name string) ([]byte, error) {
	if c.cfg.Secrets == "" {
		return nil, fs.ErrNotExist
	}
	root, err := os.OpenRoot(c.cfg.Secrets)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	return root.ReadFile(name)
}

func unusable(why string) error {
	return &step.Misuse{Code: "partner_credential", Err: errors.New(why)}
}
