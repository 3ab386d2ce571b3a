//go:build unix

package examples

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

// konnectEntity is a body that the page sends, with the id of the address that it is sent to.
func konnectEntity(t *testing.T, kind string) map[string]any {
	t.Helper()
	var entity map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, "konnect/"+kind+".json")), &entity))
	sent := regexp.MustCompile(`send PUT core-entities/` + kind + `s/(\S+) < ` + kind + `\.json\n`).FindStringSubmatch(read(t, "konnect/README.md"))
	require.NotNil(t, sent, kind)
	entity["id"] = sent[1]
	return entity
}

func konnectConfiguration(t *testing.T, host, port string) []byte {
	t.Helper()
	service := konnectEntity(t, "service")
	assert.Equal(t, "weather", service["host"])
	assert.EqualValues(t, 8900, service["port"])
	delete(service, "host")
	delete(service, "port")
	service["url"] = "http://" + host + ":" + port
	data, err := json.Marshal(map[string]any{
		"_format_version": "3.0",
		"services":        []any{service},
		"routes":          []any{flatReference(konnectEntity(t, "route"), "service")},
		"plugins":         []any{flatReference(konnectEntity(t, "plugin"), "route")},
	})
	require.NoError(t, err)
	return data
}

// flatReference makes {"id": ID}, as the API takes it, ID, as the declarative form does.
func flatReference(entity map[string]any, to string) map[string]any {
	entity[to] = entity[to].(map[string]any)["id"]
	return entity
}

// konnectSaid is the body with the schema. Where there is no jq it is not made.
func konnectSaid(t *testing.T, said map[string]diag405test.Result) {
	t.Helper()
	require.Len(t, said, 1)
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("no jq here")
	}
	for line, got := range said {
		require.Equal(t, 0, got.Code, "%s\n%s", line, got.Stderr)
		var body map[string]string
		require.NoError(t, json.Unmarshal([]byte(got.Stdout), &body))
		require.Len(t, body, 1)
		assert.Regexp(t, `(?s)^.*return \{.*name = "diag405"`, body["lua_schema"])
	}
}

// What the page takes away is what it brought.
func TestKonnectPageTakesBack(t *testing.T) {
	page := read(t, "konnect/README.md")
	plugin := konnectEntity(t, "plugin")
	for _, path := range []string{"core-entities/plugins/" + plugin["id"].(string), "core-entities/plugin-schemas/" + plugin["name"].(string)} {
		assert.Contains(t, page, "\n    send DELETE "+path+" < /dev/null\n")
	}
}

// The data plane has the server of examples/compose beside it, and of the settings those
// that are about plugins; all others are about the control plane.
func TestKonnectDataPlane(t *testing.T) {
	var c struct {
		Services map[string]struct {
			restricted `yaml:",inline"`
			Extends    struct{ File, Service string }
		}
	}
	readYAML(t, "konnect/compose.yaml", &c)
	example, _ := readRestricted(t)
	for _, name := range []string{"weather", "diag405-dump", "diag405"} {
		from := c.Services[name].Extends
		assert.FileExists(t, filepath.Join("konnect", from.File))
		assert.Equal(t, "../compose/compose.yaml", from.File)
		assert.Contains(t, example, from.Service)
		assert.Equal(t, name, from.Service)
	}
	kong, model := c.Services["kong"].restricted, example["kong"]
	assert.Equal(t, model.Tmpfs, kong.Tmpfs)
	assert.Contains(t, kong.Volumes, model.Volumes[slices.IndexFunc(model.Volumes, func(v string) bool { return strings.HasPrefix(v, "diag405:") })])
	kong.Image, kong.Volumes, model.Image, model.Volumes = "", nil, "", nil
	assert.Equal(t, model, kong, "as restricted as that one")

	env, modelEnv := readCompose(t, "konnect").Services["kong"].Environment, readCompose(t, "compose").Services["kong"].Environment
	for name, value := range modelEnv {
		if strings.HasPrefix(name, "KONG_PLUGIN") || name == "KONG_PREFIX" || name == "KONG_PROXY_LISTEN" || name == "KONG_DATABASE" {
			assert.Equal(t, value, env[name], name)
		}
	}
	assert.Equal(t, "data_plane", env["KONG_ROLE"])
	assert.Equal(t, env["KONG_CLUSTER_CONTROL_PLANE"], env["KONG_CLUSTER_SERVER_NAME"]+":443")
	assert.Equal(t, env["KONG_CLUSTER_TELEMETRY_ENDPOINT"], env["KONG_CLUSTER_TELEMETRY_SERVER_NAME"]+":443")
	assert.NotContains(t, env, "KONG_ADMIN_LISTEN", "it has its configuration from Konnect alone")
}
