// Package examples checks what people copy: that the files of the founding case
// parse, agree with each other, and work.
package examples

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong"
	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
	"diag405/plugin"
)

// compose is what the tests read of a compose.yaml.
type compose struct {
	Services map[string]struct {
		Build       build             `yaml:"build"`
		Image       string            `yaml:"image"`
		Expose      []string          `yaml:"expose"`
		Ports       []string          `yaml:"ports"`
		Volumes     []string          `yaml:"volumes"`
		Environment map[string]string `yaml:"environment"`
		Healthcheck struct {
			Test []string `yaml:"test"`
		} `yaml:"healthcheck"`
		DependsOn map[string]struct {
			Condition string `yaml:"condition"`
		} `yaml:"depends_on"`
	} `yaml:"services"`
}

// build is a folder, or a folder and one of its Dockerfile's stages.
type build struct {
	Context string `yaml:"context"`
	Target  string `yaml:"target"`
}

func (b *build) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&b.Context)
	}
	type plain build
	return n.Decode((*plain)(b))
}

// readCompose reads the compose.yaml of an example.
func readCompose(t *testing.T, example string) compose {
	t.Helper()
	var c compose
	d := yaml.NewDecoder(strings.NewReader(read(t, example+"/compose.yaml")))
	require.NoError(t, d.Decode(&c))
	return c
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// kongConf reads the settings of kong.conf.
func kongConf(t *testing.T) map[string]string {
	t.Helper()
	settings := map[string]string{}
	for line := range strings.Lines(read(t, "../kong/kong.conf")) {
		line, _, _ = strings.Cut(line, "#")
		if key, value, ok := strings.Cut(line, "="); ok {
			settings[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return settings
}

func foundingService(t *testing.T) *config.Service {
	t.Helper()
	c, err := config.Parse(kong.Founding)
	require.NoError(t, err)
	require.Len(t, c.Services, 1)
	return c.Services[0]
}

func TestComposeAgreesWithKongFiles(t *testing.T) {
	c, conf, service := readCompose(t, "fastapi"), kongConf(t), foundingService(t)

	app, ok := c.Services[service.Host]
	require.True(t, ok, "kong.yml's service is at %q, which compose.yaml does not start", service.Host)
	assert.Equal(t, []string{strconv.Itoa(service.Port)}, app.Expose)
	assert.Contains(t, read(t, "fastapi/Dockerfile"), fmt.Sprintf(`"--port", "%d"`, service.Port))

	gw := c.Services["kong"]
	_, port, _ := strings.Cut(conf["proxy_listen"], ":")
	assert.Contains(t, gw.Ports, port+":"+port)
	mounted := map[string]string{}
	for _, volume := range gw.Volumes {
		from, to, _ := strings.Cut(strings.TrimSuffix(volume, ":ro"), ":")
		mounted[to] = filepath.Join("fastapi", from)
		assert.FileExists(t, mounted[to])
	}
	assert.Equal(t, "../kong/kong.yml", mounted[conf["declarative_config"]])
	assert.Equal(t, "../kong/kong.conf", mounted["/etc/kong/kong.conf"], "where Kong reads its settings by default")
	for name := range c.Services {
		assert.FileExists(t, filepath.Join("fastapi", c.Services[name].Build.Context, "Dockerfile"))
	}
	readDockerfile(t, "../Dockerfile").stage(t, gw.Build.Target)
}

// The first request works: Kong waits for the application, and docker compose up --wait
// for both. Nobody but this machine reaches the Admin API.
func TestComposeIsReadyAndClosed(t *testing.T) {
	for _, example := range []string{"fastapi", "compose", "observability"} {
		c := readCompose(t, example)
		ends := map[string]bool{} // those whose end is waited for
		for name, s := range c.Services {
			for other, how := range s.DependsOn {
				if how.Condition == "service_completed_successfully" {
					ends[other] = true
					continue
				}
				assert.Equal(t, "service_healthy", how.Condition, "%s on %s", name, other)
			}
			for _, port := range s.Ports {
				if port != "8000:8000" {
					assert.Regexp(t, `^127\.0\.0\.1:(\d+):(\d+)$`, port, name)
				}
			}
			if s.Image != "" {
				assert.Regexp(t, `^[a-z0-9/-]+:v?\d+\.\d+\.\d+$`, s.Image, "not pinned")
			}
		}
		for name, s := range c.Services {
			if !ends[name] {
				assert.Greater(t, len(s.Healthcheck.Test), 1, name)
			}
		}
		assert.Contains(t, c.Services["kong"].DependsOn, foundingService(t).Host)
		assert.Contains(t, c.Services["kong"].Ports, "127.0.0.1:8001:8001")
		assert.Equal(t, "0.0.0.0:8001", c.Services["kong"].Environment["KONG_ADMIN_LISTEN"], "or Docker has nothing to publish")
	}
}

// Images are pinned, and the Go image is not older than go.mod asks for.
func TestImagesArePinned(t *testing.T) {
	for _, name := range []string{"../Dockerfile", "fastapi/Dockerfile"} {
		d := readDockerfile(t, name)
		for _, s := range d.stages {
			if s.image != "scratch" {
				assert.Regexp(t, `^[a-z/]+:\d+\.\d+\.\d+`, s.image, name)
			}
		}
	}
	build := readDockerfile(t, "../Dockerfile").stage(t, "build")
	image := regexp.MustCompile(`golang:(\d+\.\d+)`).FindStringSubmatch(build.image)
	require.NotNil(t, image)
	assert.Contains(t, read(t, "../go.mod"), "\ngo "+image[1])
	for _, line := range strings.Fields(read(t, "fastapi/requirements.txt")) {
		assert.Regexp(t, `^[a-z]+==\d+\.\d+\.\d+$`, line)
	}
}

// kong.yml is taken with the plugin in it, as Kong would take it.
func TestFoundingConfigurationLoads(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	gw, err := standin.Start(ctx, gateway.Options{Plugins: []string{diag405test.Build(t)}})
	require.NoError(t, err)
	defer gw.Close()
	require.NoError(t, gw.Load(ctx, kong.Founding))
}

// kong.conf names the plugin server as docs/install.md and the image have it.
func TestConfAgreesWithTheRest(t *testing.T) {
	conf, page := kongConf(t), read(t, "../docs/install.md")
	env := readDockerfile(t, "../Dockerfile").stage(t, "kong").pairs("ENV")
	query := conf["pluginserver_diag405_query_cmd"]
	assert.Equal(t, env["KONG_PLUGINSERVER_DIAG405_QUERY_CMD"], query)
	assert.Contains(t, page, "KONG_PLUGINSERVER_DIAG405_QUERY_CMD=\""+query+"\"\n")
	assert.Contains(t, page, "KONG_PLUGINSERVER_DIAG405_SOCKET="+conf["pluginserver_diag405_socket"]+"\n")
	assert.Contains(t, page, "KONG_PLUGINS="+conf["plugins"]+"\n")
	assert.Contains(t, string(kong.Founding), "name: "+conf["pluginserver_names"])
}

// The configuration that docs/hybrid.md shows is one, with the plugin on a route.
func TestHybridConfigurationParses(t *testing.T) {
	_, block, ok := strings.Cut(read(t, "../docs/hybrid.md"), "```yaml\n")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "```")
	c, err := config.Parse([]byte(block))
	require.NoError(t, err)
	require.Len(t, c.Plugins, 1)
	assert.Equal(t, "diag405", c.Plugins[0].Name)
	assert.NotNil(t, c.Plugins[0].Route)
}

// settingOf is the environment variable of a plugin server's setting.
func settingOf(plugin, what string) string {
	return "KONG_PLUGINSERVER_" + strings.ToUpper(strings.ReplaceAll(plugin, "-", "_")) + "_" + what
}

// checkBeside checks that Kong is told to run both plugins, by a server beside it whose
// files and sockets are in a folder.
func checkBeside(t *testing.T, env map[string]string, folder string) {
	t.Helper()
	for _, name := range []string{plugin.Name, plugin.LogName} {
		assert.Contains(t, strings.Split(env["KONG_PLUGINS"], ","), name)
		assert.Contains(t, strings.Split(env["KONG_PLUGINSERVER_NAMES"], ","), name)
		assert.Equal(t, "cat "+path.Join(folder, name+".json"), env[settingOf(name, "QUERY_CMD")])
		assert.Equal(t, path.Join(folder, name+".socket"), env[settingOf(name, "SOCKET")])
		assert.NotContains(t, env, settingOf(name, "START_CMD"))
	}
}

// withOnPath is the environment of this process, with a folder to look for commands in
// first.
func withOnPath(folder string) []string {
	return append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
}
