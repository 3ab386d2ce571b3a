//go:build unix

package standin

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"diag405/kong/gateway"
	"diag405/kong/gateway/cost"
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

// TestCosts: a request takes Kong's time for itself, for each phase of a plugin, for each
// call and for each wait.
func TestCosts(t *testing.T) {
	up := echo(t)
	g, _ := probed(t, up.URL, map[string]any{"in_access": ask([]any{"Log", "Notice", "a"}, []any{"Nginx", "GetVar", "host"})})
	var mu sync.Mutex
	spent := map[time.Duration]int{}
	g.spend = func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		spent[d]++
	}
	assert.Equal(t, 200, send(t, g, "GET /p HTTP/1.1").Status)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 1, spent[cost.Request])
	assert.Equal(t, 1, spent[cost.Call("kong.log.notice")])
	assert.Equal(t, 1, spent[cost.Call("kong.nginx.get_var")])
	assert.GreaterOrEqual(t, spent[cost.Event], 2) // the log phase may have begun
	assert.GreaterOrEqual(t, spent[cost.Wait], 3)
}

// Where it is asked for, that time is taken.
func TestCostly(t *testing.T) {
	g := standInFor(t, gateway.Options{Costly: true}, "")
	g.spend(0) // finds out how fast the machine is
	start := time.Now()
	g.spend(10 * time.Millisecond)
	assert.GreaterOrEqual(t, time.Since(start), 8*time.Millisecond)
}
