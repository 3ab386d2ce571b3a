package diagnose

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

// scene is an exchange in short: what the upstream got is computed from route
// and service, unless a plugin is said to have changed it.
type scene struct {
	client  string // METHOD PATH
	header  string // one header of the client's, Name: value; more behind "|"
	route   string // the route's path
	keep    bool   // strip_path is off
	methods []string
	base    string // the service's path
	plugin  string // METHOD PATH that a plugin made of the upstream's request
	allow   string // the answer's Allow; "none" for an answer without
}

func (s scene) exchange() Exchange {
	method, path, _ := strings.Cut(s.client, " ")
	service := &config.Service{ID: "5a7d2c3e-0000-4000-8000-000000000001", Name: "s", Protocol: "http", Host: "app", Port: 80, Path: s.base, Enabled: true}
	route := &config.Route{ID: "5a7d2c3e-0000-4000-8000-000000000002", Name: "r", Protocols: []string{"http", "https"}, Service: service, Methods: s.methods, StripPath: !s.keep}
	if s.route != "" {
		route.Paths = []string{s.route}
	}
	normal := router.Normalize(path)
	prefix, _ := router.MatchPath(route, normal)
	x := Exchange{
		Client:   Request{Method: method, Path: path, Header: headers(s.header)},
		Upstream: Request{Method: method, Path: router.UpstreamPath(s.base, normal, prefix, route.StripPath)},
		Route:    route,
		Service:  service,
		Response: Response{Status: 405, Header: http.Header{}},
	}
	if route.StripPath && prefix != "/" {
		x.Stripped = prefix
	}
	if s.plugin != "" {
		x.Upstream.Method, x.Upstream.Path, _ = strings.Cut(s.plugin, " ")
	}
	if s.allow != "none" {
		x.Response.Header.Set("Allow", s.allow)
	}
	return x
}

func headers(lines string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(lines, "|") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Set(name, value)
		}
	}
	return h
}

const preflight = "Origin: https://ui.example|Access-Control-Request-Method: PUT"

func TestExplain(t *testing.T) {
	tests := []struct {
		name string
		scene
		want     Code
		sure     Certainty
		upstream string // the upstream request with the first fix
	}{
		// strip-path: an endpoint's path consumed whole, or the application's own prefix.
		{"endpoint consumed", scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}, StripPath, Likely, "POST /api/sendOrder"},
		{"endpoint consumed behind a slash", scene{client: "POST /api/sendOrder/", route: "/api/sendOrder", allow: "GET, HEAD"}, StripPath, Likely, "POST /api/sendOrder/"},
		{"route for the method", scene{client: "POST /orders", route: "/orders", methods: []string{"POST"}, allow: "GET"}, StripPath, Likely, "POST /orders"},
		{"own prefix", scene{client: "POST /api/v2/auth/login", route: "~/api/v[12]/auth", allow: "GET, HEAD, OPTIONS"}, StripPath, Likely, "POST /api/v2/auth/login"},
		{"endpoint below a service path", scene{client: "POST /x/y", route: "/x/y", base: "/app", allow: "GET"}, StripPath, Likely, "POST /app/x/y"},

		// Not strip-path: a mount point, a file server, a prefix that the service gives.
		{"mount point consumed", scene{client: "POST /shop", route: "/shop", allow: "GET, HEAD"}, MethodNotAllowed, Possible, ""},
		{"mount point with more", scene{client: "POST /shop/items", route: "/shop", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"no Allow", scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "none"}, MethodNotAllowed, Possible, ""},
		{"own prefix from the service", scene{client: "POST /api/x", route: "/api", base: "/api", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"own prefix, writable there", scene{client: "POST /api/items/7", route: "/api", allow: "GET, DELETE"}, MethodNotAllowed, Possible, ""},

		// prefix-kept: a catch-all, and the application's own path behind the prefix.
		{"prefix kept", scene{client: "POST /tenant/7/api/save", route: "/tenant/7", keep: true, allow: "GET,HEAD"}, PrefixKept, Likely, "POST /api/save"},
		{"own prefix kept", scene{client: "POST /api/items", route: "/api", keep: true, allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"prefix kept, not a catch-all", scene{client: "POST /tenant/api/save", route: "/tenant", keep: true, allow: "PUT"}, MethodNotAllowed, Likely, "PUT /tenant/api/save"},

		// service-path: a path that stands there twice.
		{"doubled, route keeps", scene{client: "POST /rpc", route: "/rpc", keep: true, base: "/rpc", allow: "GET, HEAD"}, ServicePath, Likely, "POST /rpc"},
		{"doubled, route strips", scene{client: "POST /shop/v1/items", route: "/shop", base: "/v1", allow: "GET"}, ServicePath, Likely, "POST /v1/items"},
		{"doubled, no path on the route", scene{client: "POST /v1/items", base: "/v1", allow: "GET"}, ServicePath, Likely, "POST /v1/items"},
		{"service path, once", scene{client: "POST /shop/items", route: "/shop", base: "/v1", allow: "GET, DELETE"}, MethodNotAllowed, Possible, ""},

		// What a plugin did.
		{"path replaced", scene{client: "POST /orders", route: "/orders", keep: true, plugin: "POST /hello", allow: "GET"}, PathRewrite, Likely, "POST /orders"},
		{"method replaced", scene{client: "GET /a/logo.png", route: "/a", plugin: "POST /logo.png", allow: "GET, PUT"}, MethodRewrite, Confirmed, "GET /logo.png"},
		{"method replaced, no Allow", scene{client: "GET /a", route: "/a", plugin: "POST /", allow: "none"}, MethodRewrite, Likely, "GET /"},
		{"method replaced, neither taken", scene{client: "GET /a", route: "/a", plugin: "POST /", allow: "PUT"}, MethodNotAllowed, Possible, ""},
		{"method lost in buffering", scene{client: "PURGE /a", route: "/a", plugin: "GET /", allow: "PURGE"}, MethodRewrite, Confirmed, "PURGE /"},

		// What the request itself says.
		{"preflight", scene{client: "OPTIONS /a/b", header: preflight, route: "/a", allow: "GET"}, CORSPreflight, Confirmed, ""},
		{"OPTIONS without origin", scene{client: "OPTIONS /a/b", route: "/a", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"HEAD", scene{client: "HEAD /ready", keep: true, route: "/ready", allow: "GET"}, HeadUnsupported, Confirmed, "GET /ready"},
		{"HEAD, no Allow", scene{client: "HEAD /ready", keep: true, route: "/ready", allow: "none"}, HeadUnsupported, Likely, "GET /ready"},
		{"HEAD on a writer", scene{client: "HEAD /jobs", keep: true, route: "/jobs", allow: "POST"}, MethodNotAllowed, Likely, "POST /jobs"},

		// method-not-allowed, and the method that was meant.
		{"untouched", scene{client: "DELETE /items", keep: true, route: "/items", allow: "GET, POST"}, MethodNotAllowed, Likely, ""},
		{"GET on a writer", scene{client: "GET /gql", route: "/gql", base: "/graphql", allow: "POST"}, MethodNotAllowed, Possible, "POST /graphql"},
		{"POST where PUT is", scene{client: "POST /a/7", keep: true, route: "/a", allow: "GET, PUT"}, MethodNotAllowed, Likely, "PUT /a/7"},
		{"listed and refused", scene{client: "POST /a", keep: true, route: "/a", allow: "POST"}, MethodNotAllowed, Possible, ""},
		{"no method at all", scene{client: "POST /a", keep: true, route: "/a", allow: ""}, MethodNotAllowed, Likely, ""},
	}
	seen := map[Code]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := tt.exchange()
			d := Explain(x, Offers{})
			assert.Equal(t, tt.want, d.Cause, d.Reason)
			assert.Equal(t, tt.sure, d.Certainty, d.Reason)
			assert.Equal(t, tt.upstream, upstreamOf(d.Fixes[0]), d.Fixes[0].Words)
			checkLaws(t, x, d)
			seen[d.Cause] = true
		})
	}
	for _, c := range causes {
		assert.True(t, seen[c.code], "no row ends in %s", c.code)
	}
}

func upstreamOf(f Fix) string {
	if f.Upstream == nil {
		return ""
	}
	return f.Upstream.String()
}

// checkLaws asserts what holds for every diagnosis.
func checkLaws(t *testing.T, x Exchange, d Diagnosis) {
	t.Helper()
	require.NotEmpty(t, d.Reason)
	require.NotEmpty(t, d.Fixes)
	for _, f := range d.Fixes {
		assert.NotEmpty(t, f.Words)
		kinds := 0
		for _, has := range []bool{f.Set != nil, f.Client != nil, f.App != ""} {
			if has {
				kinds++
			}
		}
		assert.Equal(t, 1, kinds, "a fix is one of set, client and app: %+v", f)
		assert.Equal(t, f.Set != nil, f.Entity != Entity{}, "a fix that sets says on what: %+v", f)
	}
	for _, c := range d.Considered {
		assert.NotEqual(t, d.Cause, c.Cause, "the cause is not among the others considered")
	}
	assert.Equal(t, d, Explain(x, Offers{}), "the same exchange gives the same answer")
}

// What the fix would lead to is asked of kong/router, so applying it must give
// just that request.
func TestFixLeadsWhereItSays(t *testing.T) {
	x := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}.exchange()
	fix := Explain(x, Offers{}).Fixes[0]
	require.Equal(t, map[string]any{"route.strip_path": false}, fix.Set)

	mended := *x.Route
	mended.StripPath = false
	r, err := router.New(&config.Config{Services: []*config.Service{x.Service}, Routes: []*config.Route{&mended}})
	require.NoError(t, err)
	m, ok := r.Match(router.Request{Method: "POST", Target: x.Client.Path, Host: "h", Scheme: "http"})
	require.True(t, ok)
	assert.Equal(t, m.UpstreamPath, fix.Upstream.Path)
}

func TestOffersDecide(t *testing.T) {
	mount := scene{client: "POST /shop/items", route: "/shop", allow: "GET"}
	endpoint := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}
	asked := func(path string, methods ...string) Offers {
		return Offers{Paths: map[string][]string{path: methods}}
	}
	offered := func(path string, methods ...string) Offers {
		return Offers{API: []Endpoint{{path, methods}}}
	}
	tests := []struct {
		name string
		scene
		seen Offers
		want Code
		sure Certainty
	}{
		{"taken there: confirmed", mount, asked("/shop/items", "POST"), StripPath, Confirmed},
		{"offered there: confirmed", mount, offered("/shop/{what}", "POST"), StripPath, Confirmed},
		{"refused there: not the cause", endpoint, asked("/api/sendOrder", "GET"), MethodNotAllowed, Possible},
		{"no such path: not the cause", endpoint, asked("/api/sendOrder"), MethodNotAllowed, Possible},
		{"not in the document: not the cause", endpoint, offered("/api/sendOrder/{id}", "POST"), MethodNotAllowed, Possible},
		{"another path: says nothing", endpoint, asked("/other", "POST"), StripPath, Likely},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Explain(tt.exchange(), tt.seen)
			assert.Equal(t, tt.want, d.Cause)
			assert.Equal(t, tt.sure, d.Certainty)
		})
	}
}

func TestMatchTemplate(t *testing.T) {
	tests := []struct {
		template, path string
		want           bool
	}{
		{"/a", "/a", true},
		{"/a", "/a/", false},
		{"/a/{id}", "/a/7", true},
		{"/a/{id}", "/a/", false},
		{"/a/{id}", "/a/7/b", false},
		{"/a/{id}/b", "/a/7/b", true},
		{"/{x}", "/a%2Fb", true},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, matchTemplate(tt.template, tt.path), "%s %s", tt.template, tt.path)
	}
}

func TestEqualFixesChangeTheLeastFirst(t *testing.T) {
	d := Explain(scene{client: "POST /rpc", route: "/rpc", keep: true, base: "/rpc", allow: "GET"}.exchange(), Offers{})
	require.Len(t, d.Fixes, 2)
	assert.Equal(t, map[string]any{"route.strip_path": true}, d.Fixes[0].Set)
	assert.Equal(t, map[string]any{"service.path": "/"}, d.Fixes[1].Set)
	assert.Equal(t, d.Fixes[0].Upstream, d.Fixes[1].Upstream)
}

func TestUnknownStillAnswers(t *testing.T) {
	for _, x := range []Exchange{
		{},
		{Client: Request{Method: "POST", Path: "/a"}, Response: Response{Header: http.Header{"Allow": {"GET"}}}},
	} {
		d := Explain(x, Offers{})
		assert.Equal(t, Unknown, d.Cause)
		checkLaws(t, x, d)
	}
}

// Without a route nothing of the gateway can be blamed, and there is an answer
// all the same.
func TestExplainWithoutRoute(t *testing.T) {
	x := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}.exchange()
	x.Route, x.Service = nil, nil
	d := Explain(x, Offers{})
	assert.Equal(t, StripPath, d.Cause, "X-Forwarded-Prefix says it even so")
	assert.Equal(t, "the route", d.Fixes[0].Entity.String())

	x.Stripped = ""
	assert.Equal(t, MethodNotAllowed, Explain(x, Offers{}).Cause)
}

func TestParseAllow(t *testing.T) {
	tests := []struct {
		values []string
		want   Allow
	}{
		{nil, Allow{}},
		{[]string{""}, Allow{Sent: true}},
		{[]string{"GET"}, Allow{true, []string{"GET"}}},
		{[]string{"GET,HEAD , POST"}, Allow{true, []string{"GET", "HEAD", "POST"}}},
		{[]string{"GET", "PUT, GET"}, Allow{true, []string{"GET", "PUT"}}},
		{[]string{",, GET,"}, Allow{true, []string{"GET"}}},
		{[]string{"GET, <b>, a b, \x00"}, Allow{true, []string{"GET"}}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, ParseAllow(tt.values), "%q", tt.values)
	}
}

func TestIsOwnSegment(t *testing.T) {
	for s, want := range map[string]bool{
		"api": true, "API": true, "v1": true, "v2.1": true, "graphql": true,
		"v": false, "vault": false, "admin-api": false, "users": false, "v1beta": false,
	} {
		assert.Equal(t, want, isOwnSegment(s), s)
	}
}

func FuzzExplain(f *testing.F) {
	f.Add("POST", "/api/sendOrder", "POST", "/", "/api/sendOrder", "/api/sendOrder", "", "GET", true)
	f.Add("GET", "/a//b/../c", "POST", "", "~/(?<x>a", "", "/base/", "", false)
	f.Add("", "", "", "", "", "", "", "", false)
	f.Fuzz(func(t *testing.T, method, path, upMethod, upPath, routePath, stripped, base, allow string, strip bool) {
		s := &config.Service{Path: base}
		x := Exchange{
			Client:   Request{Method: method, Path: path},
			Upstream: Request{Method: upMethod, Path: upPath},
			Stripped: stripped,
			Route:    &config.Route{Paths: []string{routePath}, StripPath: strip, Service: s},
			Service:  s,
			Response: Response{Status: 405, Header: http.Header{"Allow": {allow}}},
		}
		d := Explain(x, Offers{})
		if d.Cause == "" || d.Reason == "" || len(d.Fixes) == 0 {
			t.Fatalf("no answer for %+v: %+v", x, d)
		}
	})
}
