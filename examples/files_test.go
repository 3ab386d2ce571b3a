// Package examples checks what people copy: that the files of the founding case
// parse, agree with each other, and work.
package examples

import (
	"context"
	"fmt"
	"os"
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
)

// compose is what the tests read of compose.yaml.
type compose struct {
	Services map[string]struct {
		Build   string   `yaml:"build"`
		Expose  []string `yaml:"expose"`
		Ports   []string `yaml:"ports"`
		Volumes []string `yaml:"volumes"`
	} `yaml:"services"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	d := yaml.NewDecoder(strings.NewReader(read(t, "fastapi/compose.yaml")))
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
	c, conf, service := readCompose(t), kongConf(t), foundingService(t)

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
		assert.FileExists(t, filepath.Join("fastapi", c.Services[name].Build, "Dockerfile"))
	}
}

func TestDockerfileAgreesWithKongFiles(t *testing.T) {
	dockerfile, conf := read(t, "../Dockerfile"), kongConf(t)
	name := conf["pluginserver_names"]
	require.Equal(t, "diag405", name)
	assert.Contains(t, strings.Split(conf["plugins"], ","), name)
	for _, key := range []string{"plugins", "pluginserver_names"} {
		assert.Contains(t, dockerfile, "KONG_"+strings.ToUpper(key)+"="+conf[key])
	}
	assert.Regexp(t, `COPY --from=build .* /usr/local/bin/`+name+`\n`, dockerfile, "where Kong looks for a plugin server by default")
	assert.Regexp(t, `-o /out/`+name+` \./cmd/`+name+`\n`, dockerfile)
	user := strings.LastIndex(dockerfile, "USER kong")
	assert.Greater(t, user, strings.LastIndex(dockerfile, "FROM "), "the last stage runs as kong's user")
	assert.NotContains(t, dockerfile[user:], "USER root")
	require.Contains(t, string(kong.Founding), "name: "+name)
}

// Images are pinned, and the Go image is not older than go.mod asks for.
func TestImagesArePinned(t *testing.T) {
	from := regexp.MustCompile(`(?m)^FROM (\S+)`)
	for _, name := range []string{"../Dockerfile", "fastapi/Dockerfile"} {
		for _, m := range from.FindAllStringSubmatch(read(t, name), -1) {
			assert.Regexp(t, `^[a-z/]+:\d+\.\d+\.\d+`, m[1], name)
		}
	}
	image := regexp.MustCompile(`golang:(\d+\.\d+)`).FindStringSubmatch(read(t, "../Dockerfile"))
	require.NotNil(t, image)
	assert.Contains(t, read(t, "../go.mod"), "\ngo "+image[1])
	assert.Contains(t, read(t, "../Dockerfile"), "FROM kong:3.9.")
	for _, line := range strings.Fields(read(t, "fastapi/requirements.txt")) {
		assert.Regexp(t, `^[a-z]+==\d+\.\d+\.\d+$`, line)
	}
}

// kong.yml is taken with the plugin in it, as Kong would take it.
func TestFoundingConfigurationLoads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	gw, err := standin.Start(ctx, gateway.Options{Plugins: []string{diag405test.Build(t)}})
	require.NoError(t, err)
	defer gw.Close()
	require.NoError(t, gw.Load(ctx, kong.Founding))
}
