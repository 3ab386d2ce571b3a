package standin

import (
	"encoding/json"
	"fmt"
	"testing"

	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin/pluginserver"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declare makes a configuration of one service with one route, plugins as JSON.
func declare(upstream, route, plugins string) string {
	return fmt.Sprintf(`{"_format_version":"3.0","services":[{"name":"s","url":%q,"retries":0,"routes":[%s],"plugins":[%s]}]}`, upstream, route, plugins)
}

const plainRoute = `{"name":"r","paths":["/p"]}`

func probe(name string, config map[string]any) string {
	data, _ := json.Marshal(map[string]any{"name": name, "config": config})
	return string(data)
}

func ask(cs ...[]any) string {
	data, _ := json.Marshal(cs)
	return string(data)
}

func TestProxiesWithAccessAndResponsePlugin(t *testing.T) {
	up := echo(t)
	address, outcomes := reports(t)
	log := &gateway.Lines{}
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}, ErrorLog: log}, declare(up.URL+"/base", plainRoute, probe("probe", map[string]any{
		"report":      address,
		"in_access":   ask([]any{"Nginx", "GetVar", "request"}, []any{"Log", "Notice", "seen"}),
		"in_response": ask([]any{"ServiceResponse", "GetStatus"}, []any{"Response", "SetHeader", "X-Probe", "yes"}),
	})))
	got := send(t, g, "GET /p/x%20y/z?x=1&status=405&answer=Allow:POST HTTP/1.1")
	assert.Equal(t, "HTTP/1.1 405 Not Allowed", got.Line)
	assert.Equal(t, "yes", got.Header.Get("X-Probe"))
	assert.Equal(t, "POST", got.Header.Get("Allow"))
	assert.Equal(t, "/base/x%20y/z?x=1&status=405&answer=Allow:POST", got.seen(t).URI)
	first := phaseOutcomes(t, outcomes, accessPhase)
	require.Len(t, first, 2)
	assert.Equal(t, `"GET /p/x%20y/z?x=1\u0026status=405\u0026answer=Allow:POST HTTP/1.1"`, first[0].Value)
	second := phaseOutcomes(t, outcomes, responsePhase)
	require.Len(t, second, 2)
	assert.Equal(t, "405", second[0].Value)
	assert.Regexp(t, `(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[notice\] \d+#0: \*1 \[kong\] pb_rpc.lua:233 seen, client: 127.0.0.1, server: kong, `+
		`request: "GET /p/x%20y/z\?x=1&status=405&answer=Allow:POST HTTP/1.1", host: "127.0.0.1:\d+", request_id: "[0-9a-f]{32}"$`, log.String())
}

// instanceOf is an instance in a plugin server that does nothing.
type instanceOf struct{ closed chan bool }

func (i instanceOf) Handle(pluginserver.Event) error { return nil }
func (i instanceOf) Close()                          { i.closed <- true }

// TestReplacedConfigurationClosesItsInstances once nobody uses it any more.
func TestReplacedConfigurationClosesItsInstances(t *testing.T) {
	g := standInFor(t, gateway.Options{}, "")
	i := instanceOf{make(chan bool, 1)}
	g.mu.Lock()
	g.state.plugins = []*boundPlugin{{entity: &config.Plugin{Name: "raw"}, external: i}}
	g.mu.Unlock()

	held := g.acquire()
	require.NoError(t, g.Load(t.Context(), []byte(`{"_format_version":"3.0"}`)))
	assert.Empty(t, i.closed, "a request still uses it")
	g.release(held)
	assert.True(t, <-i.closed)
}

// A consumer group's plugin is not for a client that nobody knows.
func TestGroupsPluginLeavesOthersAlone(t *testing.T) {
	up := echo(t)
	g := standInFor(t, gateway.Options{}, declare(up.URL, plainRoute, `{"name":"request-termination","consumer_group":"gold"}`))
	assert.Equal(t, 200, send(t, g, "GET /p HTTP/1.1").Status)
}
