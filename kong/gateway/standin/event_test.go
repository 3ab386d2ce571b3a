package standin

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/kong/gateway"
	"diag405/kong/gateway/standin/pluginserver"
)

// TestFaultsKnowTheirCall: of an event's calls the one that was meant is hit, and
// the client of another request notices nothing.
func TestFaultsKnowTheirCall(t *testing.T) {
	up := echo(t)
	hit := pluginserver.Call{Plugin: "probe", Phase: "access", Function: "kong.nginx.get_var", Target: "/p/hit", Number: 2}
	g := faultyFor(t, func(c pluginserver.Call) pluginserver.Fault {
		if c == hit {
			return pluginserver.Fault{Kind: pluginserver.FaultClose}
		}
		return pluginserver.Fault{}
	}, gateway.Options{Plugins: []string{probePath(t, "probe")}}, "")
	address, _ := reports(t)
	getVar := []any{"Nginx", "GetVar", "host"}
	config := map[string]any{"report": address, "in_access": ask(getVar, getVar)}
	assert.NoError(t, g.Load(t.Context(), []byte(declare(up.URL, plainRoute, probe("probe", config)))))
	assert.Equal(t, 200, send(t, g, "GET /p/other HTTP/1.1").Status)
	assert.Equal(t, 500, send(t, g, "GET /p/hit HTTP/1.1").Status)
	assert.Equal(t, 200, send(t, g, "GET /p/other HTTP/1.1").Status)
	assert.Contains(t, errorLogOf(g), "injected: connection closed")
}
