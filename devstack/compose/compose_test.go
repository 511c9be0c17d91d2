package compose

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T) *types.Project {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	o, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithName("recourse"), cli.WithWorkingDirectory(root), cli.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	p, err := o.LoadProject(t.Context())
	require.NoError(t, err)
	return p
}

func TestTheFileLoadsAndHoldsTheWholeSystem(t *testing.T) {
	t.Parallel()
	p := load(t)
	want := []string{
		"api", "keys", "migrate", "postgres", "sealer", "sealer-key", "simulators", "temporal", "temporal-schema", "temporal-ui", "witness", "witness-key", "worker",
	}
	require.ElementsMatch(t, want, p.ServiceNames())
	for _, s := range p.Services {
		for name := range s.DependsOn {
			require.Contains(t, want, name, "%s depends on a service that is not there", s.Name)
		}
	}
}

func TestEveryPortIsOnLoopback(t *testing.T) {
	t.Parallel()
	published := 0
	for _, s := range load(t).Services {
		for _, port := range s.Ports {
			published++
			require.Equal(t, "127.0.0.1", port.HostIP, "%s publishes %s", s.Name, port.Published)
		}
	}
	require.NotZero(t, published)
}

func TestEveryMountedFileExists(t *testing.T) {
	t.Parallel()
	mounted := 0
	for _, s := range load(t).Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			mounted++
			require.FileExists(t, v.Source, "mounted by %s", s.Name)
		}
	}
	require.NotZero(t, mounted)
}

func TestOurImageRunsCommandsThatExist(t *testing.T) {
	t.Parallel()
	main, err := os.ReadFile("../../cmd/recourse/main.go")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("cmd/recourse, the program of our image, is not in this tree yet")
	}
	require.NoError(t, err)
	ours := 0
	for _, s := range load(t).Services {
		if s.Image != "recourse:local" {
			require.Contains(t, s.Image, ":", "%s: pin the image", s.Name)
			continue
		}
		ours++
		require.NotEmpty(t, s.Command)
		require.Contains(t, string(main), `"`+s.Command[0]+`":`, "%s runs a subcommand that is not there", s.Name)
		require.True(t, s.ReadOnly, "%s: our container writes nowhere but its volume", s.Name)
	}
	require.Equal(t, 9, ours)
}

// Who signs and who watches share nothing but public keys, and a network that
// leads nowhere else.
func TestTheWitnessReachesNothingOfTheProduct(t *testing.T) {
	t.Parallel()
	p := load(t)
	networks := func(name string) (out []string) {
		for n := range p.Services[name].Networks {
			out = append(out, n)
		}
		return out
	}
	require.Equal(t, []string{"witnessing"}, networks("witness"))
	require.True(t, bool(p.Networks["witnessing"].Internal))
	require.ElementsMatch(t, []string{"default", "witnessing"}, networks("sealer"))
	for _, name := range []string{"sealer-key", "witness-key"} {
		require.Equal(t, "none", p.Services[name].NetworkMode)
	}
	for _, name := range p.ServiceNames() {
		s := p.Services[name]
		if name != "witness" && name != "sealer" {
			require.NotContains(t, networks(name), "witnessing")
		}
		for _, v := range s.Volumes {
			switch v.Source {
			case "witness":
				require.Contains(t, []string{"witness", "witness-key"}, name)
			case "sealer":
				require.Contains(t, []string{"sealer", "sealer-key"}, name)
			case "public":
				require.Equal(t, name == "sealer" || name == "witness", v.ReadOnly, "%s only reads public keys", name)
			}
		}
		require.Equal(t, name == "sealer" || name == "postgres", s.Environment["RECOURSE_LEDGER_KEY_FILE"] != nil || s.Environment["SEALER_PASSWORD"] != nil, name)
	}
	require.Contains(t, *p.Services["sealer"].Environment["RECOURSE_DATABASE_URL"], "postgres://sealer:")
	require.NotContains(t, p.Services["witness"].Environment, "RECOURSE_DATABASE_URL")
}

// Our containers run as a user that owns nothing: a volume it writes to takes
// its owner from the image.
func TestEveryVolumeOfOursIsMadeInTheImage(t *testing.T) {
	t.Parallel()
	image, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	mounted := 0
	for _, s := range load(t).Services {
		for _, v := range s.Volumes {
			if s.Image == "recourse:local" && v.Type == types.VolumeTypeVolume {
				mounted++
				require.Contains(t, string(image), "--chown=nonroot:nonroot "+v.Target+" "+v.Target, "mounted by %s", s.Name)
			}
		}
	}
	require.NotZero(t, mounted)
}

// Every role that a service logs in as gets its password.
func TestEveryLoginHasItsPassword(t *testing.T) {
	t.Parallel()
	logins, err := os.ReadFile("../../deploy/compose/20-logins.sh")
	require.NoError(t, err)
	for _, s := range load(t).Services {
		raw := s.Environment["RECOURSE_DATABASE_URL"]
		if raw == nil {
			continue
		}
		u, err := url.Parse(*raw)
		require.NoError(t, err)
		require.Contains(t, string(logins), "alter role "+u.User.Username()+" password", s.Name)
	}
}
