package router

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// What an index leaves out matches nothing: a router that tries all its parts gives
// the same answers, on everything that was measured. Each configuration also gets the
// requests of others.
func TestIndexOnMeasured(t *testing.T) {
	compared := 0
	for _, set := range []measured.Set{measured.Routing, measured.Traditional, measured.Expressions, measured.Fresh} {
		scenarios, err := set.Scenarios()
		require.NoError(t, err)
		for i, s := range scenarios {
			cfg, err := config.Parse(s.Kong, config.For(config.Flavor(s.Flavor)))
			require.NoError(t, err)
			p := newPair(t, cfg)
			others := scenarios[i:min(i+4, len(scenarios))]
			for _, other := range others {
				for _, m := range other.Requests {
					header := http.Header{}
					for name, value := range m.Headers {
						header.Set(name, value)
					}
					p.compare(t, Request{Method: m.Method, Target: m.Target, Host: m.Host, Scheme: "http", Port: 8000, Header: header})
					compared++
				}
			}
		}
	}
	assert.Greater(t, compared, 15_000)
}

// The same on random routes of few letters, so that much nearly matches.
func TestIndexOnRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, flavor := range config.Flavors {
		found := 0
		for range 150 {
			g := generator{random}
			cfg := &config.Config{Flavor: flavor}
			for i := range 1 + random.IntN(20) {
				cfg.Routes = append(cfg.Routes, g.route(i, flavor))
			}
			p := newPair(t, cfg)
			for range 60 {
				if p.compare(t, g.request()) {
					found++
				}
			}
			p.compareReasons(t, g.request())
		}
		assert.Greater(t, found, 2_000, flavor)
	}
}

// Routes are looked at side by side in all tests.
func init() { fewRoutes = 2 }

// A pair is a router that looks up all parts, and one that tries all; and one that
// holds every request against every part.
type pair struct {
	indexed, blind, searching *Router
	survey                    *Survey
	routes                    []*config.Route
}

func newPair(t *testing.T, cfg *config.Config) pair {
	t.Helper()
	p := pair{routes: cfg.Routes}
	defer func(n int) { few = n }(few)
	for n, to := range map[int]**Router{0: &p.indexed, 1 << 30: &p.blind} {
		few = n
		r, err := New(cfg)
		require.NoError(t, err)
		r.asked.Store(fewRequests)
		if r.traditional == nil {
			r.ordered()
		}
		*to = r
	}
	var err error
	p.searching, err = New(cfg)
	require.NoError(t, err)
	p.searching.asked.Store(math.MinInt64)
	p.survey = p.indexed.Survey()
	return p
}

// compare asks both, as warm and as fresh ones.
func (p pair) compare(t *testing.T, req Request) (found bool) {
	t.Helper()
	for _, ask := range []func(*Router, Request) (*Match, bool){(*Router).Match, (*Router).MatchFresh} {
		want, ok := ask(p.blind, req)
		got, _ := ask(p.indexed, req)
		require.Equal(t, want, got, "%+v", req)
		searched, _ := ask(p.searching, req)
		require.Equal(t, want, searched, "%+v", req)
		found = found || ok
	}
	if m, ok := p.blind.Match(req); ok && p.blind.traditional == nil {
		require.Contains(t, Plausible(p.routes, req), m.Route, "%+v", req)
	}
	warm, fresh, differ := p.searching.ByAge(req)
	wantWarm, wantFresh, wantDiffer := p.blind.ByAge(req)
	require.Equal(t, wantDiffer, differ, "%+v", req)
	if differ {
		require.Equal(t, []*Match{wantWarm, wantFresh}, []*Match{warm, fresh}, "%+v", req)
	}
	p.comparePlace(t, req)
	return found
}

// compareReasons: what is nearest is what stands first among all.
func (p pair) compareReasons(t *testing.T, req Request) {
	t.Helper()
	all := p.blind.Why(req)
	if _, ok := p.blind.Match(req); ok {
		all = slices.DeleteFunc(all, func(r Reason) bool {
			return r.Common <= 1 && slices.ContainsFunc(r.Failed, func(a Attribute) bool { return a.Name == "path" })
		})
	}
	for i := range all {
		all[i].Turn = 0 // which only Why has
	}
	for n := range 5 {
		require.Equal(t, all[:min(n, len(all))], p.searching.Nearest(req, n), "%+v", req)
	}
}

// comparePlace asks a survey, with several methods.
func (p pair) comparePlace(t *testing.T, req Request) {
	t.Helper()
	place := p.survey.At(req)
	for _, method := range []string{req.Method, "PUT", "GET", req.Method} {
		req.Method = method
		want, ok := p.blind.Match(req)
		got, found := place.Match(method)
		require.Equal(t, ok, found)
		require.Equal(t, want, got, "%+v", req)
		if ok {
			require.Same(t, want.Route, place.Route(method))
		} else {
			require.Nil(t, place.Route(method))
		}
		warm, fresh, differ := p.blind.ByAge(req)
		gotWarm, gotFresh, gotDiffer := place.ByAge(method)
		require.Equal(t, differ, gotDiffer, "%+v", req)
		if differ {
			require.Equal(t, []*Match{warm, fresh}, []*Match{gotWarm, gotFresh}, "%+v", req)
		}
	}
}

// A generator makes routes and requests.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) path() string {
	return "/" + g.pick("", "a", "ab", "abc", "a+b", "a.c") + g.pick("", "/", "/b", "/bc") + g.pick("", "/", "/c")
}

func (g generator) route(i int, flavor config.Flavor) *config.Route {
	r := &config.Route{ID: fmt.Sprintf("%08x-0000-4000-8000-%012d", g.Uint32(), i), Protocols: []string{"http", "https"}}
	if flavor == config.Expressions && g.IntN(3) == 0 {
		r.Expression, r.Priority = g.expression(2), g.IntN(3)
		return r
	}
	for range g.IntN(3) {
		p := g.path()
		if g.IntN(3) == 0 {
			p = "~" + p + g.pick("", "$", "+", "?", "[bc]*", "|/b", `\d`, ".*/bc$", "(/b|/c)", "(?i)B")
		}
		r.Paths = append(r.Paths, p)
	}
	for range g.IntN(3) {
		r.Hosts = append(r.Hosts, g.pick("x.test", "y.test", "*.test", "x.*", "x.test:80", "*.test:81", "*.y.test"))
	}
	if g.IntN(3) == 0 {
		r.Headers = map[string][]string{g.pick("x-a", "X_B"): {g.pick("u", "V"), g.pick("w", "~*[uv]")}}
	}
	if g.IntN(3) == 0 {
		r.RegexPriority = g.pickInt(-1, 0, 0, 1, 5000)
	}
	if g.IntN(3) == 0 || len(r.Paths)+len(r.Hosts)+len(r.Headers) == 0 {
		r.Methods = []string{"GET"}
	}
	return r
}

func (g generator) pickInt(from ...int) int { return from[g.IntN(len(from))] }

func (g generator) expression(depth int) string {
	if depth > 0 && g.IntN(2) == 0 {
		return "(" + g.expression(depth-1) + g.pick(" && ", " || ") + g.expression(depth-1) + ")"
	}
	predicate := g.pick(
		fmt.Sprintf(`http.path ^= %q`, g.path()), fmt.Sprintf(`http.path == %q`, g.path()), `http.path =^ "/c"`, `http.path != "/a"`,
		fmt.Sprintf(`http.path ~ r#"^%s"#`, g.path()), `http.path ~ "/b(c|d)"`, `lower(http.path) ^= "/a"`,
		`http.host == "x.test"`, `http.host =^ ".test"`, `http.host ^= "x."`, `http.host =^ "test"`, `http.host ~ "^x"`, `http.method == "GET"`)
	if g.IntN(5) == 0 {
		return "!(" + predicate + ")"
	}
	return predicate
}

func (g generator) request() Request {
	header := http.Header{}
	if g.IntN(2) == 0 {
		header.Set(g.pick("x-a", "x_a", "x-b", "x_b"), g.pick("u", "U", "v", "w"))
	}
	return Request{
		Method: g.pick("GET", "PUT"), Target: g.path(), Scheme: g.pick("http", "https"), Port: 80, Header: header,
		Host: g.pick("x.test", "y.test", "a.y.test", "x.a", "z.test:81", "x.test:80", "z", ""),
	}
}

func TestRegexClues(t *testing.T) {
	for expression, want := range map[string]string{
		`^/users/\d+$`:          "/users/",
		`^/users`:               "/users",
		`^/ab*`:                 "/a",
		`^/ab?c`:                "/a",
		`^/a/x|/b`:              "/a/x */b",
		`^/a|b`:                 "",
		`^(?:/x|/y)/c`:          "*/c",
		`^(?:x/1a|y/bc)\d/c`:    "*/1a */bc",
		`^(?:/a|b)/cd`:          "*/cd",
		`^(?i)/users`:           "",
		`^/users/(a|ab)c`:       "/users/a",
		`^(/users)/x`:           "/users/x",
		`^\w+/x`:                "*/x",
		`/users`:                "*/users",
		`^/api/v\d+/users/123$`: "*/users/123",
		`^/a\d+-b/c/(d)`:        "*/c/d",
		`^/ä`:                   "",
		`^/a(?:/b)?`:            "/a",
		`^/a(?:/bcd)+`:          "/a",
		`^`:                     "",
		`(`:                     "",
	} {
		text := ""
		for _, c := range regexClues(expression) {
			if text != "" {
				text += " "
			}
			if c.inside {
				text += "*"
			}
			text += c.text
		}
		assert.Equal(t, want, text, expression)
		if re, err := regexp.Compile(expression); err == nil && want != "" {
			assert.False(t, re.MatchString("/zz"), "the clue of %s says that something is needed", expression)
		}
	}
}
