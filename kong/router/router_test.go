package router_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

// newRouter compiles routes given as YAML flow mappings, one a line, all on one
// service with the path /base. The first letter of a line names its route.
func newRouter(t *testing.T, routes string) *router.Router {
	t.Helper()
	return newRouterFor(t, config.TraditionalCompatible, routes)
}

func newRouterFor(t *testing.T, flavor config.Flavor, routes string) *router.Router {
	t.Helper()
	var doc strings.Builder
	doc.WriteString("_format_version: '3.0'\nservices:\n- {name: s, url: http://up:8080/base}\nroutes:\n")
	for line := range strings.Lines(routes) {
		if name, fields, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			doc.WriteString("- {name: " + name + ", service: s, " + fields + "}\n")
		}
	}
	cfg, err := config.Parse([]byte(doc.String()), config.For(flavor))
	require.NoError(t, err)
	r, err := router.New(cfg)
	require.NoError(t, err)
	return r
}

// get, on, with and tls are requests of which only one thing matters.
func get(target string) router.Request {
	return router.Request{Method: "GET", Target: target, Port: 8000}
}

func on(host string) router.Request { r := get("/"); r.Host = host; return r }

func with(name string, values ...string) router.Request {
	r := get("/")
	r.Header = http.Header{name: values}
	return r
}

func tls(sni string) router.Request { r := get("/"); r.Scheme, r.SNI = "https", sni; return r }

// TestMatch has one row for each rule: the routes, a request, and the name of
// the route that takes it ("" for none).
func TestMatch(t *testing.T) {
	for _, row := range []struct {
		rule, routes string
		req          router.Request
		want         string
	}{
		{"a plain path is a prefix", "a paths: [/api]", get("/api/x"), "a"},
		{"without regard to segments", "a paths: [/api]", get("/apix"), "a"},
		{"with regard to case", "a paths: [/api]", get("/API"), ""},
		{"a star in a path is literal", "a paths: ['/a*b']", get("/aXb"), ""},
		{"the path is normalised first", "a paths: [/a/b]", get("/x/..//a/%62"), "a"},
		{"an encoded slash stays one", "a paths: [/a/b]", get("/a%2fb"), ""},
		{"and gets upper case", "a paths: [/a%2Fb]", get("/a%2fb"), "a"},
		{"an expression is anchored at the start", "a paths: ['~/b']", get("/a/b"), ""},
		{"but only its first alternative", "a paths: ['~/b|/c']", get("/a/c"), "a"},
		{"and not at the end", "a paths: ['~/b']", get("/b/c"), "a"},
		{"named groups may lack the P", `a paths: ['~/v(?<n>\d+)$']`, get("/v12"), "a"},
		{"classes are those of Unicode", `a paths: ['~/\w+$']`, get("/%C3%A9t%C3%A9"), "a"},
		{"a path that is not UTF-8 matches nothing", "a paths: [/a]\nb methods: [GET]", get("/%FF"), ""},
		{"unless no route has paths", "a methods: [GET]", get("/%FF"), "a"},

		{"a method that is not listed", "a methods: [POST], paths: [/]", get("/"), ""},
		{"is free for a less specific route", "a methods: [POST], paths: [/x]\nb paths: [/]", get("/x"), "b"},

		{"a host matches whatever the port", "a hosts: [h.example]", on("h.example:1234"), "a"},
		{"with regard to case", "a hosts: [h.example]", on("H.example"), ""},
		{"a wildcard stands for several labels", "a hosts: ['*.example']", on("x.y.example"), "a"},
		{"but not for none", "a hosts: ['*.example']", on("example"), ""},
		{"a wildcard at the end", "a hosts: ['example.*']", on("example.org"), "a"},
		{"a port is compared with that of the Host header", "a hosts: ['h.example:81']", on("h.example:81"), "a"},
		{"or without it with the listener's", "a hosts: ['h.example:8000']", on("h.example"), "a"},
		{"and must be equal", "a hosts: ['h.example:81']", on("h.example"), ""},

		{"one value of a header is enough", "a headers: {x-a: [u, v]}", with("X-A", "w", "v"), "a"},
		{"values without regard to case", "a headers: {x-a: [U]}", with("X-A", "u"), "a"},
		{"names without regard to dash or underscore", "a headers: {x_a: [u]}", with("X-A", "u"), "a"},
		{"all headers must be there", "a headers: {x-a: [u], x-b: [u]}", with("X-A", "u"), ""},
		{"a header expression is not anchored", "a headers: {x-a: ['~*b+']}", with("X-A", "aBBc"), "a"},
		{"and lowered with its escapes", `a headers: {x-a: ['~*^\D$']}`, with("X-A", "7"), "a"},

		{"an SNI counts for https", "a snis: [s.example]", tls("t.example"), ""},
		{"and matches whole", "a snis: [s.example]", tls("s.example"), "a"},
		{"with a wildcard at its start", "a snis: ['*.example']", tls("s.example"), "a"},
		{"or its end", "a snis: ['s.*']", tls("s.example"), "a"},
		{"its last dot is not looked at", "a snis: [s.example.]", tls("s.example"), "a"},
		{"over http it is no condition", "a snis: [s.example]", get("/"), "a"},
		{"protocols are no condition", "a protocols: [https], paths: [/]", get("/"), "a"},

		{"the longer path is first", "a paths: [/api]\nb paths: [/api/x]", get("/api/x"), "b"},
		{"more fields are first", "a paths: [/api/x]\nb paths: [/], methods: [GET]", get("/api/x"), "b"},
		{"an expression before more fields", "a paths: ['~/api']\nb paths: [/], methods: [GET]", get("/api/x"), "a"},
		{"plain hosts before an expression", "a hosts: [h]\nb paths: ['~/']", on("h"), "a"},
		{"hosts with a wildcard not", "a hosts: ['*.h', h]\nb paths: ['~/']", on("h"), "b"},
		{"four fields before plain hosts",
			"a hosts: [h]\nb paths: [/], hosts: ['h.*', h], methods: [GET], headers: {x-a: [u]}",
			router.Request{Method: "GET", Target: "/", Host: "h", Header: http.Header{"X-A": {"u"}}}, "b"},
		{"more headers are first", "a headers: {x-a: [u], x-b: [u]}\nb headers: {x-a: [u]}",
			router.Request{Target: "/", Header: http.Header{"X-A": {"u"}, "X-B": {"u"}}}, "a"},
		{"the higher regex_priority is first", "a paths: ['~/a']\nb paths: ['~/a'], regex_priority: 1", get("/a"), "b"},
		{"a negative one is on top", "a hosts: [h]\nb paths: ['~/'], regex_priority: -1", on("h"), "b"},
		{"then the higher id",
			"a paths: [/a], id: 10000000-0000-0000-0000-000000000000\nb paths: [/b, /a], id: 90000000-0000-0000-0000-000000000000",
			get("/a"), "b"},
		{"in either order of the document",
			"b paths: [/a], id: 90000000-0000-0000-0000-000000000000\na paths: [/a], id: 10000000-0000-0000-0000-000000000000",
			get("/a"), "b"},
		{"paths of one route have priorities of their own", "a paths: [/, /api/x]\nb paths: [/api]", get("/api/x"), "a"},
		{"so a route can be on both sides of another", "a paths: [/, /api/x]\nb paths: [/api]", get("/api"), "b"},
		{"routes for other subsystems are no candidates",
			"a protocols: [tcp], destinations: [{port: 8000}]\nb paths: [/]", get("/"), "b"},
	} {
		m, ok := newRouter(t, row.routes).Match(row.req)
		got := ""
		if ok {
			got = m.Route.Name
		}
		assert.Equal(t, row.want, got, row.rule)
		assert.Equal(t, row.want != "", ok, row.rule)
	}
}

// TestMatchUpstream has one row for each way in which a match makes the
// upstream's request. Fields that are "" in want are not looked at.
func TestMatchUpstream(t *testing.T) {
	for _, row := range []struct {
		route, target string
		want          router.Match
	}{
		{"a paths: [/api]", "/api/x", router.Match{UpstreamURI: "/base/x", Prefix: "/api", Stripped: "/api"}},
		{"a paths: [/api], strip_path: false", "/api/x", router.Match{UpstreamURI: "/base/api/x", Prefix: "/api"}},
		{"a paths: [/]", "/x", router.Match{UpstreamURI: "/base/x", Prefix: "/"}},
		{"a methods: [GET]", "/x", router.Match{UpstreamURI: "/base/x"}},
		{`a paths: ['~/v\d+']`, "/v12/x", router.Match{UpstreamURI: "/base/x", Stripped: "/v12"}},
		{"a paths: [/api]", "/api/x?q=%20/..", router.Match{UpstreamURI: "/base/x?q=%20/..", UpstreamPath: "/base/x"}},
		{"a paths: [/api]", "/api/x?", router.Match{UpstreamURI: "/base/x?", UpstreamPath: "/base/x"}},
		{"a paths: [/api]", "//api/./%78?", router.Match{Path: "/api/x", ForwardedPath: "//api/./%78"}},
		{"a paths: [/api]", "http://h/api/x?q", router.Match{Path: "/api/x", UpstreamURI: "/base/x?q"}},
		{"a paths: [/api], preserve_host: true", "/api", router.Match{UpstreamHost: "h:8000"}},
		{"a paths: [/api/v1, /api]", "/api/v1/x", router.Match{Prefix: "/api/v1"}},
		{"a paths: ['~/a', '~/a/b', /a/b/c]", "/a/b/c", router.Match{Prefix: "/a"}},
	} {
		m, ok := newRouter(t, row.route).Match(router.Request{Method: "GET", Target: row.target, Host: "h:8000"})
		require.True(t, ok, row.route)
		for _, f := range [][3]string{
			{"Path", row.want.Path, m.Path}, {"ForwardedPath", row.want.ForwardedPath, m.ForwardedPath},
			{"Prefix", row.want.Prefix, m.Prefix}, {"Stripped", row.want.Stripped, m.Stripped},
			{"UpstreamPath", row.want.UpstreamPath, m.UpstreamPath}, {"UpstreamURI", row.want.UpstreamURI, m.UpstreamURI},
			{"UpstreamHost", row.want.UpstreamHost, m.UpstreamHost},
		} {
			if f[1] != "" {
				assert.Equal(t, f[1], f[2], "%s of %s under %q", f[0], row.target, row.route)
			}
		}
		prefix, ok := router.MatchPath(m.Route, m.Path)
		assert.True(t, ok, row.route)
		assert.Equal(t, m.Prefix, prefix, "MatchPath agrees with Match: %s under %q", row.target, row.route)
	}
}

func TestMatchWithoutStripping(t *testing.T) {
	for _, routes := range []string{"a paths: [/]", "a methods: [GET]", "a paths: [/x], strip_path: false"} {
		m, ok := newRouter(t, routes).Match(router.Request{Method: "GET", Target: "/x"})
		require.True(t, ok)
		assert.Empty(t, m.Stripped, routes)
		assert.Empty(t, m.UpstreamHost, routes)
	}
}

func TestCaptures(t *testing.T) {
	r := newRouter(t, `a paths: ['~/v(?<ver>\d+)/(x|y)', '~/plain']`)
	m, ok := r.Match(router.Request{Target: "/v12/y/z"})
	require.True(t, ok)
	assert.Equal(t, router.Captures{
		Numbered: []string{"/v12/y", "12", "y"},
		Named:    map[string]string{"ver": "12"},
	}, m.Captures)

	m, ok = r.Match(router.Request{Target: "/plain"})
	require.True(t, ok)
	assert.Equal(t, router.Captures{}, m.Captures, "an expression without groups captures nothing")
}

func TestRouteWithoutService(t *testing.T) {
	r, err := router.New(&config.Config{Routes: []*config.Route{{
		ID: "10000000-0000-0000-0000-000000000000", Protocols: []string{"http"}, Paths: []string{"/a"}, StripPath: true,
	}}})
	require.NoError(t, err)
	m, ok := r.Match(router.Request{Target: "/a/b"})
	require.True(t, ok)
	assert.Nil(t, m.Service)
	assert.Equal(t, "/b", m.UpstreamURI)
}

func TestDisabledService(t *testing.T) {
	cfg, err := config.Parse([]byte(`{_format_version: "3.0", services: [
		{name: s, host: h, enabled: false, routes: [{name: a, paths: [/a]}]},
		{name: u, host: h, routes: [{name: b, paths: [/]}]}]}`))
	require.NoError(t, err)
	r, err := router.New(cfg)
	require.NoError(t, err)
	m, ok := r.Match(router.Request{Target: "/a"})
	require.True(t, ok)
	assert.Equal(t, "b", m.Route.Name)
}

func TestNewRefuses(t *testing.T) {
	r, err := router.New(&config.Config{Routes: []*config.Route{
		{Name: "d", Protocols: []string{"http"}, ID: "10000000-0000-0000-0000-00000000000d", Paths: []string{"/d"}},
		{Name: "a", Protocols: []string{"http"}, ID: "10000000-0000-0000-0000-00000000000a", Expression: `http.paht == "/"`},
		{Name: "b", Protocols: []string{"http"}, ID: "7"},
		{Name: "c", Protocols: []string{"http"}, ID: "10000000-0000-0000-0000-000000000000", Paths: []string{"~/("}},
	}})
	assert.EqualError(t, err, strings.Join([]string{
		`route "a": expression: 1:1: there is no field http.paht`,
		`route "b": id: "7" is not a uuid`,
		"route \"c\": path \"~/(\": error parsing regexp: missing closing ): `^/(`",
	}, "\n"))
	var one *router.RouteError
	require.ErrorAs(t, err, &one)
	assert.Equal(t, "a", one.Route.Name)
	m, ok := r.Match(router.Request{Target: "/d"})
	require.True(t, ok, "the others are there")
	assert.Equal(t, "d", m.Route.Name)
}
