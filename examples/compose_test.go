//go:build unix

package examples

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong"
	"diag405/plugin"
)

// restricted is what the example's compose.yaml says of a service beside what compose has.
type restricted struct {
	Image, User, Restart string
	Command              []string
	ReadOnly             bool     `yaml:"read_only"`
	CapDrop              []string `yaml:"cap_drop"`
	SecurityOpt          []string `yaml:"security_opt"`
	NetworkMode          string   `yaml:"network_mode"`
	Tmpfs, Volumes       []string
}

func readRestricted(t *testing.T) (services map[string]restricted, volumes map[string]any) {
	t.Helper()
	var c struct {
		Services map[string]restricted
		Volumes  map[string]any
	}
	readYAML(t, "compose/compose.yaml", &c)
	return c.Services, c.Volumes
}

func composeConfiguration(t *testing.T, host, port string) []byte {
	t.Helper()
	return []byte(strings.ReplaceAll(string(kong.Founding), "weather:8900", host+":"+port))
}

func composeSaid(t *testing.T, said map[string]diag405test.Result) {
	t.Helper()
	require.Len(t, said, 1)
	for line, got := range said {
		assert.Contains(t, got.Stdout, "if 405    with Allow: GET, the cause is strip-path (likely)", "%s\n%s", line, got.Stderr)
	}
}

// The server is what the image runs, before Kong, with the files that Kong asks for.
func TestComposeSidecar(t *testing.T) {
	services, volumes := readRestricted(t)
	image := readDockerfile(t, "../Dockerfile").stage(t, "sidecar")
	dump, serve := services["diag405-dump"], services["diag405"]
	folder := image.command(t, "CMD")[2]
	assert.Equal(t, []string{"dump", "-dir", folder}, dump.Command)
	assert.Equal(t, image.command(t, "CMD"), serve.Command)
	assert.Equal(t, "always", serve.Restart)
	c := readCompose(t, "compose")
	assert.Equal(t, append([]string{"CMD"}, image.command(t, "HEALTHCHECK")...), c.Services["diag405"].Healthcheck.Test)
	assert.Equal(t, "service_completed_successfully", c.Services["diag405"].DependsOn["diag405-dump"].Condition)
	assert.Equal(t, "service_healthy", c.Services["kong"].DependsOn["diag405"].Condition)
	for name, s := range map[string]restricted{"diag405-dump": dump, "diag405": serve} {
		assert.Equal(t, "diag405:"+plugin.Version, s.Image)
		assert.Equal(t, "sidecar", c.Services[name].Build.Target)
		assert.Equal(t, []string{"diag405:" + folder}, s.Volumes)
		assert.Equal(t, "none", s.NetworkMode)
	}
	assert.Contains(t, volumes, "diag405")
	assert.Contains(t, services["kong"].Volumes, "diag405:"+folder+":ro")
	checkBeside(t, c.Services["kong"].Environment, folder)
}

// Every service has as little as it needs, and what Kong writes to is there.
func TestComposeIsRestricted(t *testing.T) {
	services, _ := readRestricted(t)
	uid, _, _ := strings.Cut(readDockerfile(t, "../Dockerfile").stage(t, "sidecar").one(t, "USER"), ":")
	for name, s := range services {
		assert.True(t, s.ReadOnly, name)
		assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
		assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
		if name != "weather" { // its image has nobody
			assert.Equal(t, uid+":1000", s.User, "%s: the volume is that user's in the image", name)
		}
	}
	env := readCompose(t, "compose").Services["kong"].Environment
	for _, written := range []string{env["KONG_PREFIX"], "/tmp"} {
		assert.True(t, slices.ContainsFunc(services["kong"].Tmpfs, func(m string) bool { return m == written || strings.HasPrefix(m, written+":uid="+uid) }), written)
	}
	configuration := slices.IndexFunc(services["kong"].Volumes, func(m string) bool { return strings.HasSuffix(m, ":"+env["KONG_DECLARATIVE_CONFIG"]+":ro") })
	require.GreaterOrEqual(t, configuration, 0)
	from, _, _ := strings.Cut(services["kong"].Volumes[configuration], ":")
	mounted, err := os.ReadFile(filepath.Join("compose", from))
	require.NoError(t, err)
	assert.Equal(t, kong.Founding, mounted)
}
