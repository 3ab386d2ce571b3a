package observability

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/kong"
	"diag405/kong/config"
)

// composed is what is read of a service in compose.yaml.
type composed struct {
	User        string            `yaml:"user"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
}

// mounts are the files of the service that are in this folder, by where they are in the
// container, and the volumes.
func (c composed) mounts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range c.Volumes {
		from, to, ok := strings.Cut(strings.TrimSuffix(v, ":ro"), ":")
		require.True(t, ok, v)
		if strings.HasPrefix(from, "./") {
			_, err := os.Stat(from)
			require.NoError(t, err)
		}
		out[to] = from
	}
	return out
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, file)), into), file)
}

func readServices(t *testing.T) map[string]composed {
	t.Helper()
	var c struct{ Services map[string]composed }
	readYAML(t, "compose.yaml", &c)
	return c.Services
}

// Kong finds what the plugin server's container puts into the folder that they share.
func TestKongFindsThePluginServer(t *testing.T) {
	services := readServices(t)
	gw, server := services["kong"], services["diag405"]
	assert.Equal(t, []string{"dump", "-dir", "/run/diag405"}, services["dump"].Command)
	assert.Equal(t, []string{"serve", "-socket", "/run/diag405", "-metrics", "0.0.0.0:9405"}, server.Command)
	for _, name := range []string{"kong", "diag405", "dump"} {
		assert.Equal(t, "diag405", services[name].mounts(t)["/run/diag405"], name)
	}
	dockerfile := read(t, "../../Dockerfile")
	assert.Contains(t, dockerfile, "\nUSER "+gw.User+"\n")
	for name, variable := range map[string]string{"diag405": "DIAG405", "diag405-log": "DIAG405_LOG"} {
		assert.Contains(t, strings.Split(gw.Environment["KONG_PLUGINSERVER_NAMES"], ","), name)
		assert.Contains(t, strings.Split(gw.Environment["KONG_PLUGINS"], ","), name)
		assert.Equal(t, "cat /run/diag405/"+name+".json", gw.Environment["KONG_PLUGINSERVER_"+variable+"_QUERY_CMD"])
		assert.Equal(t, "/run/diag405/"+name+".socket", gw.Environment["KONG_PLUGINSERVER_"+variable+"_SOCKET"])
	}
	assert.Equal(t, "./kong-http-log.yml", gw.mounts(t)[gw.Environment["KONG_DECLARATIVE_CONFIG"]])
}

// The example is the founding case, and what it sends goes to what compose.yaml starts.
func TestExampleIsTheFoundingCase(t *testing.T) {
	founding, err := config.Parse(kong.Founding)
	require.NoError(t, err)
	c, err := config.Parse([]byte(read(t, "kong-http-log.yml")))
	require.NoError(t, err)
	assert.Equal(t, founding.Services[0].Host, c.Services[0].Host)
	assert.Equal(t, founding.Services[0].Port, c.Services[0].Port)
	post := founding.Routes[len(founding.Routes)-1]
	assert.Equal(t, post.Name, c.Routes[0].Name)
	assert.Equal(t, post.Paths, c.Routes[0].Paths)
	endpoint := plugin(t, "kong-http-log.yml", "http-log").Config["http_endpoint"].(string)
	assert.Equal(t, "http://victorialogs:9428/insert/jsonline", endpoint)
	assert.Equal(t, []string{"127.0.0.1:9428:9428"}, readServices(t)["victorialogs"].Ports)
}

// Prometheus scrapes the plugin server, and Grafana has Prometheus and the dashboard.
func TestPrometheusAndGrafanaFindTheirFiles(t *testing.T) {
	services := readServices(t)
	var scraped struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			StaticConfigs []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "prometheus.yml", &scraped)
	assert.Equal(t, []string{"diag405:9405"}, scraped.ScrapeConfigs[0].StaticConfigs[0].Targets)
	mounted := services["prometheus"].mounts(t)
	assert.Equal(t, "./prometheus.yml", mounted["/etc/prometheus/prometheus.yml"])
	for _, file := range scraped.RuleFiles {
		assert.Equal(t, "./"+file, mounted[filepath.Join("/etc/prometheus", file)])
	}

	var sources struct {
		Datasources []struct{ Type, URL string }
	}
	readYAML(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	assert.Equal(t, []struct{ Type, URL string }{{"prometheus", "http://prometheus:9090"}}, sources.Datasources)
	var dashboards struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	readYAML(t, "grafana/provisioning/dashboards/diag405.yml", &dashboards)
	mounted = services["grafana"].mounts(t)
	assert.Equal(t, "./grafana/provisioning", mounted["/etc/grafana/provisioning"])
	assert.Equal(t, "./grafana/diag405.json", mounted[dashboards.Providers[0].Options.Path+"/diag405.json"])
}
