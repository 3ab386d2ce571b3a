package lint

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
	"diag405/kong/router"
)

// What lint calls unreachable, no request reached on a real Kong.
func TestShadowedAsMeasured(t *testing.T) {
	var scenarios []measured.Scenario
	for _, set := range []measured.Set{measured.Routing, measured.Traditional, measured.Expressions} {
		some, err := set.Scenarios()
		require.NoError(t, err)
		scenarios = append(scenarios, some...)
	}
	checked, claims := 0, 0
	for _, m := range scenarios {
		cfg, err := config.Parse(m.Kong, config.For(config.Flavor(m.Flavor)))
		require.NoError(t, err, m.ID)
		s := newSubject(cfg, Options{})
		for _, r := range slices.Concat(s.routes, s.expressions()) {
			sh := s.shadowOf(r)
			claims += len(sh.paths) + len(sh.methods)
			if !sh.reached {
				claims++
			}
			for _, req := range m.Requests {
				if req.Expect.Route != router.Name(r) {
					continue
				}
				checked++
				what := fmt.Sprintf("%s: %s %s reached route %s", m.ID, req.Method, req.Target, router.Name(r))
				assert.True(t, sh.reached, what)
				for _, l := range sh.methods {
					assert.NotEqual(t, l.what, req.Method, what)
				}
			}
		}
	}
	fmt.Printf("lint: %d requests that reached a route\n", checked)
	assert.NotZero(t, checked)
	assert.NotZero(t, claims, "the measurements have no shadowed route to be wrong about")
}
