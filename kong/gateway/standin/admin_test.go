package standin

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/gateway"
)

const adminConfig = `{"_format_version": "3.0", "services": [{"name": "s", "url": "http://127.0.0.1:9/base", "routes": [
	{"name": "r", "paths": ["/p"], "methods": ["POST"], "plugins": [{"name": "cors", "enabled": false}]}]}],
	"plugins": [{"name": "request-termination", "config": {"status_code": 405}}],
	"upstreams": [{"name": "u", "targets": [{"target": "127.0.0.1:81", "weight": 7}]}]}`

// askAdmin asks the Admin API, and returns its status and what it said.
func askAdmin(t *testing.T, g *standIn, method, path string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.AdminURL()+path, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "kong/3.9.1", res.Header.Get("Server"))
	var body map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
	return res.StatusCode, body
}

// What the Admin API lists is the configuration that was loaded.
func TestAdminLists(t *testing.T) {
	g := standInFor(t, gateway.Options{}, adminConfig)
	list := func(path string) (out []json.RawMessage) {
		status, body := askAdmin(t, g, "GET", path)
		require.Equal(t, 200, status, path)
		for _, x := range body["data"].([]any) {
			raw, err := json.Marshal(x)
			require.NoError(t, err)
			out = append(out, raw)
		}
		return out
	}
	got, err := config.FromAdmin(config.Admin{
		Services: list("/services"), Routes: list("/routes"), Plugins: list("/plugins"),
		Upstreams: list("/upstreams"), Targets: list("/upstreams/u/targets"),
	})
	require.NoError(t, err)
	want, err := config.Parse([]byte(adminConfig))
	require.NoError(t, err)
	got.Routes[0].CreatedAt = 0
	assert.Equal(t, want.Routes, got.Routes)
	assert.Equal(t, want.Upstreams, got.Upstreams)
	require.Len(t, got.Plugins, 2)
	cors := got.Plugins[1]
	if cors.Name != "cors" {
		cors = got.Plugins[0]
	}
	assert.False(t, cors.Enabled)
	assert.Equal(t, "r", cors.Route.Name)
}

// GET / answers 500 where the gateway started a plugin server, and only there.
func TestAdminRoot(t *testing.T) {
	started := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, adminConfig)
	status, body := askAdmin(t, started, "GET", "/")
	assert.Equal(t, 500, status)
	assert.Equal(t, map[string]any{"message": "An unexpected error occurred"}, body)
	status, body = askAdmin(t, started, "GET", "/status")
	assert.Equal(t, 200, status)
	assert.Len(t, body["configuration_hash"], 32)

	beside := standInFor(t, gateway.Options{Servers: []gateway.Server{dumped(t, "probe")}, Flavor: config.Traditional}, adminConfig)
	status, body = askAdmin(t, beside, "GET", "/")
	assert.Equal(t, 200, status)
	assert.Equal(t, "3.9.1", body["version"])
	assert.Equal(t, "traditional", body["configuration"].(map[string]any)["router_flavor"])
	plugins := body["plugins"].(map[string]any)
	assert.Contains(t, plugins["available_on_server"], "probe")
	assert.Equal(t, []any{"request-termination"}, plugins["enabled_in_cluster"], "cors is switched off")
}

// Without a database nothing can be changed but all at once.
func TestAdminRefusesChanges(t *testing.T) {
	g := standInFor(t, gateway.Options{}, adminConfig)
	status, body := askAdmin(t, g, "POST", "/services")
	assert.Equal(t, 405, status)
	assert.Equal(t, "cannot create 'services' entities when not using a database", body["message"])
	status, _ = askAdmin(t, g, "GET", "/nothing")
	assert.Equal(t, 404, status)
}

// dumped is a plugin server that nobody has started yet, described by a file.
func dumped(t *testing.T, name string) gateway.Server {
	t.Helper()
	dir := t.TempDir()
	dump, err := exec.Command(probePath(t, name), "-dump", "-kong-prefix", dir).Output()
	require.NoError(t, err)
	file := filepath.Join(dir, name+".json")
	require.NoError(t, os.WriteFile(file, dump, 0o644))
	return gateway.Server{Name: name, QueryCmd: "cat " + file, Socket: filepath.Join(dir, name+".socket")}
}

// A plugin server that something else runs: while it is away its routes answer 500, and
// as soon as it is back they work again.
func TestServerBeside(t *testing.T) {
	server := dumped(t, "probe")
	log := &gateway.Lines{}
	g := standInFor(t, gateway.Options{Servers: []gateway.Server{server}, ErrorLog: log}, `{"_format_version": "3.0",
		"services": [{"name": "s", "url": "http://127.0.0.1:9", "routes": [{"name": "r", "paths": ["/"], "plugins": [{"name": "probe"}]}]}]}`)
	require.Contains(t, log.String(), "assuming external process management")
	status := func() int {
		res, err := http.Get(g.URL())
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, 500, status())
	for range 2 {
		stop := runProbe(t, server)
		assert.Equal(t, 502, status(), "nobody is at the upstream, and the plugin ran")
		stop()
		assert.Equal(t, 500, status())
	}
}

// runProbe runs the probe until it is stopped, or the test ends.
func runProbe(t *testing.T, s gateway.Server) (stop func()) {
	t.Helper()
	cmd := exec.Command(probePath(t, s.Name), "-kong-prefix", filepath.Dir(s.Socket))
	require.NoError(t, cmd.Start())
	stop = func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	eventually(t, func() bool {
		conn, err := net.Dial("unix", s.Socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, "the probe listens")
	return stop
}
