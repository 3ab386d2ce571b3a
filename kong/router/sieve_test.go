package router

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// What the sieve leaves out matches nothing: asked one by one, the routes give the same
// answer, on everything that was measured.
func TestSieveLeavesOutNothing(t *testing.T) {
	compared := 0
	for _, set := range []measured.Set{measured.Routing, measured.Expressions, measured.Fresh} {
		scenarios, err := set.Scenarios()
		require.NoError(t, err)
		for _, s := range scenarios {
			cfg, err := config.Parse(s.Kong, config.For(config.Flavor(s.Flavor)))
			require.NoError(t, err)
			r, err := New(cfg)
			require.NoError(t, err)
			for _, other := range scenarios[:min(len(scenarios), 8)] {
				for _, m := range other.Requests {
					checkSieve(t, r, newQuery(Request{Method: m.Method, Target: m.Target, Host: m.Host, Scheme: "http", Port: 80}))
					compared++
				}
			}
		}
	}
	assert.Greater(t, compared, 10_000)
}

// The same on random routes and paths of few letters, so that much nearly matches.
func TestSieveOnRandomRoutes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	path := func() string {
		return "/" + pick("", "a", "ab", "abc") + pick("", "/", "/b", "/bc") + pick("", "/", "/c")
	}
	for range 300 {
		cfg := &config.Config{}
		for i := range 1 + random.IntN(20) {
			route := &config.Route{ID: fmt.Sprintf("10000000-0000-4000-8000-%012d", i), Protocols: []string{"http"}}
			for range random.IntN(3) {
				p := path()
				if random.IntN(3) == 0 {
					p = "~" + p + pick("", "$", "+", "?", "[bc]*", "|/b", `\d`)
				}
				route.Paths = append(route.Paths, p)
			}
			for range random.IntN(3) {
				route.Hosts = append(route.Hosts, pick("x.test", "y.test", "*.test", "x.*", "x.test:80"))
			}
			if len(route.Paths)+len(route.Hosts) == 0 {
				route.Methods = []string{"GET"}
			}
			cfg.Routes = append(cfg.Routes, route)
		}
		r, err := New(cfg)
		require.NoError(t, err)
		for range 50 {
			checkSieve(t, r, newQuery(Request{Method: "GET", Target: path(), Host: pick("x.test", "y.test", "z.test", ""), Scheme: "http", Port: 80}))
		}
	}
}

// checkSieve compares what the sieve lets through with what matches.
func checkSieve(t *testing.T, r *Router, q *query) {
	t.Helper()
	for _, order := range []*sieve{r.routes, r.young} {
		var want, got *compiled
		for _, part := range order.order {
			if _, ok := part.match(q); ok {
				want = part
				break
			}
		}
		for part := range order.candidates(q) {
			if _, ok := part.match(q); ok {
				got = part
				break
			}
		}
		require.Same(t, want, got, "%s%s", q.host, q.path)
	}
}

func TestBeginning(t *testing.T) {
	for expression, want := range map[string]string{
		`^/users/\d+$`:    "/users/",
		`^/users`:         "/users",
		`^/ab*`:           "/a",
		`^/ab?c`:          "/a",
		`^/a|/b`:          "",
		`^(?:/a|/b)/c`:    "/",
		`^(?:/a|b)/c`:     "",
		`^(?i)/users`:     "",
		`^/users/(a|ab)c`: "/users/",
		`^(/users)/x`:     "",
		`^\w+/x`:          "",
		`/users`:          "",
		`^`:               "",
	} {
		assert.Equal(t, want, beginningOf(regexp.MustCompile(expression)), expression)
	}
}
