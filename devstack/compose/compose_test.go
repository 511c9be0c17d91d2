package compose

import (
	"errors"
	"io/fs"
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
	want := []string{"api", "keys", "migrate", "postgres", "simulators", "temporal", "temporal-schema", "temporal-ui", "worker"}
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
	require.Equal(t, 5, ours)
}
