package plugin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

// answered is an exchange that a target of a service answered.
func answered(service, method, path, target string, status int) diagnose.Exchange {
	return diagnose.Exchange{
		Upstream: diagnose.Request{Method: method, Path: path},
		Service:  &config.Service{ID: service},
		Target:   target,
		Response: diagnose.Response{Status: status},
	}
}

// Ids in paths do not make a path forgotten that is asked again and again, and those
// of one service nothing of another.
func TestMemoryWithIDsInPaths(t *testing.T) {
	var m memory
	m.note(answered("quiet", "POST", "/orders", "10.0.0.1:80", 201))
	for i := range 5400 {
		if i%500 == 0 {
			m.note(answered("busy", "POST", "/orders", "10.0.0.1:80", 201))
		}
		m.note(answered("busy", "GET", fmt.Sprintf("/orders/%d", i), "10.0.0.1:80", 200))
	}
	want := []diagnose.TargetAnswer{{Target: "10.0.0.2:80", Status: 405}, {Target: "10.0.0.1:80", Status: 201}}
	for _, service := range []string{"busy", "quiet"} {
		assert.Equal(t, want, m.note(answered(service, "POST", "/orders", "10.0.0.2:80", 405)), service)
	}
	assert.Len(t, m.note(answered("busy", "GET", "/orders/0", "10.0.0.2:80", 405)), 1, "asked once, long ago")
}

// The same from the log phase: what a target did before thousands of other requests
// tells it apart.
func TestLogTellsTargetsApartAmongIDs(t *testing.T) {
	c := logConfigured(t, `{}`)
	c.log(logged(200, "8901"))
	for i := range 2 * maxRequests {
		f := logged(200, "8901")
		f.logged = strings.NewReplacer("5a7d2c3e-0000-4000-8000-000000000001", "5a7d2c3e-0000-4000-8000-00000000000a",
			`"upstream_uri": "/`, fmt.Sprintf(`"upstream_uri": "/orders/%d`, i)).Replace(f.logged)
		c.log(f)
	}
	f := logged(405, "8900")
	c.log(f)
	assert.Equal(t, "target-divergence", diagnosisOf(t, f).Fields["cause"])
}

func TestMemoryIsBounded(t *testing.T) {
	var m memory
	for i := range 2 * maxServices {
		m.note(answered(fmt.Sprint(i), "GET", "/", "10.0.0.1:80", 200))
	}
	assert.Equal(t, maxServices, m.services.Len())
	for i := range 2 * maxRequests {
		m.note(answered("s", "GET", fmt.Sprintf("/%d", i), "10.0.0.1:80", 200))
	}
	assert.Equal(t, maxRequests, m.of("s").Len())
	var last []diagnose.TargetAnswer
	for i := range 2 * maxTargets {
		last = m.note(answered("s", "GET", "/", fmt.Sprintf("10.0.0.%d:80", i), 200))
	}
	assert.Len(t, last, maxTargets)
	assert.Equal(t, fmt.Sprintf("10.0.0.%d:80", 2*maxTargets-1), last[0].Target, "the oldest are forgotten")
}

// Of a request a hash is kept, and of an answer who gave it and its status.
func TestMemoryKeepsNoSecrets(t *testing.T) {
	var m memory
	m.note(answered("s", "GET", "/reset/hunter2", "10.0.0.1:80", 200))
	keys := m.of("s").Keys()
	require.Len(t, keys, 1)
	assert.NotContains(t, fmt.Sprintf("%s", keys[0]), "hunter2")
	assert.Equal(t, [][]diagnose.TargetAnswer{{{Target: "10.0.0.1:80", Status: 200}}}, m.of("s").Values())
	assert.Nil(t, m.note(diagnose.Exchange{Service: &config.Service{ID: "s"}}), "no target, nothing to remember")
}
