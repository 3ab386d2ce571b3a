package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/examples/trial"
)

// routes reads routes in short: "GET,HEAD /path; POST /other". A dash is no method.
func routes(short string) []AppRoute {
	var list []AppRoute
	for part := range strings.SplitSeq(short, "; ") {
		methods, path, _ := strings.Cut(part, " ")
		list = append(list, AppRoute{Path: path, Methods: strings.FieldsFunc(methods, func(r rune) bool { return r == ',' || r == '-' })})
	}
	return list
}

// asked answers a request as "405 GET, POST": the status, and Allow if there is one.
func asked(spec AppSpec, method, target string) string {
	a := newApplication("app.test:80", spec, &journal{})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "http://app.test/", nil)
	r.RequestURI = target
	a.ServeHTTP(w, r)
	out := w.Result().Status[:3]
	if allow, ok := w.Result().Header["Allow"]; ok {
		out += " " + strings.Join(allow, ", ")
	}
	if location := w.Header().Get("Location"); location != "" {
		out += " to " + location
	}
	return out
}

func TestFrameworks(t *testing.T) {
	const two = "GET /a; POST /a"
	for _, test := range []struct{ framework, routes, method, path, want string }{
		{"fastapi", two, "POST", "/a", "200"},
		{"fastapi", two, "PUT", "/a", "405 GET"},
		{"fastapi", two, "OPTIONS", "/a", "405 GET"},
		{"fastapi", two, "HEAD", "/a", "405 GET"},
		{"fastapi", two, "GET", "/b", "404"},
		{"fastapi", "POST /a; GET,HEAD /{path:path}", "POST", "/a", "200"},
		{"fastapi", "POST /a; GET,HEAD /{path:path}", "POST", "/b", "405"},
		{"fastapi", "POST /a; GET,HEAD /{path:path}", "OPTIONS", "/a", "405"},
		{"fastapi", "POST /a; GET,HEAD /{path:path}", "GET", "/any", "200"},
		{"fastapi", "GET,HEAD /{path:path}; POST /a", "PUT", "/b", "405 GET, HEAD"},
		{"starlette", two, "PUT", "/a", "405 GET, HEAD"},
		{"starlette", two, "HEAD", "/a", "200"},
		{"flask", two, "PUT", "/a", "405 GET, POST, HEAD, OPTIONS"},
		{"flask", two, "OPTIONS", "/a", "200 GET, POST, HEAD, OPTIONS"},
		{"flask", two, "OPTIONS", "/b", "404"},
		{"flask", two, "HEAD", "/a", "200"},
		{"django", "POST /a", "GET", "/a", "405 POST, OPTIONS"},
		{"django", "POST /a", "OPTIONS", "/a", "200 POST, OPTIONS"},
		{"express", two, "PUT", "/a", "404"},
		{"express", two, "OPTIONS", "/a", "200 GET, POST, HEAD"},
		{"apollo-express", "POST /a", "GET", "/a", "405 POST"},
		{"koa", two, "PUT", "/a", "405 GET, POST, HEAD"},
		{"koa", two, "OPTIONS", "/a", "200 GET, POST, HEAD"},
		{"fastify", two, "PUT", "/a", "404"},
		{"rails", two, "PUT", "/a", "404"},
		{"laravel", two, "OPTIONS", "/a", "200 GET, POST, HEAD"},
		{"spring", two, "PUT", "/a", "405 GET, POST"},
		{"spring", two, "OPTIONS", "/a", "200 GET, POST, HEAD"},
		{"tomcat", two, "PUT", "/a", "405"},
		{"tomcat", two, "OPTIONS", "/a", "200 GET, POST, HEAD, OPTIONS"},
		{"jetty", two, "OPTIONS", "/a", "200 GET, POST, HEAD, OPTIONS"},
		{"jetty", "- /a", "OPTIONS", "/a", "405"},
		{"jetty", "- /a", "GET", "/a", "405"},
		{"aspnet", two, "OPTIONS", "/a", "405 GET, POST"},
		{"aspnet", two, "HEAD", "/a", "405 GET, POST"},
		{"go-servemux", two, "PUT", "/a", "405 GET, POST, HEAD"},
		{"go-servemux", two, "OPTIONS", "/a", "405 GET, POST, HEAD"},
		{"go-servemux", two, "HEAD", "/a", "200"},
		{"go-net-http", two, "PUT", "/a", "405"},
		{"go-net-http", two, "HEAD", "/a", "405"},
		{"chi", two, "OPTIONS", "/a", "405 GET, POST"},
		{"chi-4", two, "PUT", "/a", "405"},
		{"echo", two, "OPTIONS", "/a", "405 GET, POST"},
		{"axum", two, "OPTIONS", "/a", "405 GET, POST, HEAD"},
		{"gin", two, "PUT", "/a", "405 GET, POST"},
		{"gin", "POST /a; - /{path:path}", "POST", "/b", "405"},
		{"gin", "POST /a; - /{path:path}", "POST", "/a", "200"},
		{"gorilla/mux", two, "PUT", "/a", "405"},
		{"nginx-static", "GET,HEAD /", "POST", "/any", "405"},
		{"nginx-static", "GET,HEAD /", "OPTIONS", "/any", "405"},
		{"nginx-static", "GET,HEAD /", "GET", "/any", "200"},
		{"nginx-s3-gateway", "GET,HEAD /{key:path}", "PUT", "/any", "405"},
		{"s3", "GET /", "POST", "/", "405 GET"},
		{"kong-admin", "GET /", "POST", "/", "405"},
		{"minio", "GET /", "HEAD", "/", "405"},
		{"aiohttp", "GET /a; GET,HEAD /{path:path}", "POST", "/a", "405 GET, HEAD"},
		{"something new", two, "PUT", "/a", "405 GET, POST"},
		{"something new", two, "TRACE", "/a?x=1", "405 GET, POST"},
	} {
		got := asked(AppSpec{Framework: test.framework, Routes: routes(test.routes)}, test.method, test.path)
		assert.Equal(t, test.want, got, "%s with %s: %s %s", test.framework, test.routes, test.method, test.path)
	}
}

// No application of a case answers by the rule for what is unknown.
func TestEveryFrameworkHasItsRule(t *testing.T) {
	for _, c := range readAll(t) {
		for at, app := range c.Apps {
			_, known := knownFamily(app.Framework)
			assert.True(t, known, "%s: %s is a %q", c.ID, at, app.Framework)
		}
	}
	_, known := knownFamily("something new")
	assert.False(t, known)
}

func TestRedirectSlashes(t *testing.T) {
	for _, test := range []struct{ framework, routes, path, want string }{
		{"django", "POST /a/", "/a?x=1", "301 to /a/?x=1"},
		{"django", "POST /a", "/a/", "404"},
		{"flask", "POST /a/", "/a", "308 to /a/"},
		{"fastapi", "POST /a", "/a/", "307 to /a"},
		{"fastapi", "POST /a/", "/a", "307 to /a/"},
		{"fastapi", "POST /a/; GET /a", "/a", "405 GET"},
		{"fastapi", "POST /a", "/b/", "404"},
		{"fastapi", "POST /a", "/", "404"},
	} {
		spec := AppSpec{Framework: test.framework, Routes: routes(test.routes), RedirectSlashes: true}
		assert.Equal(t, test.want, asked(spec, "POST", test.path), "%s with %s: %s", test.framework, test.routes, test.path)
		spec.RedirectSlashes = false
		assert.NotContains(t, asked(spec, "POST", test.path), " to ")
	}
}

func TestVirtualHosts(t *testing.T) {
	a := newApplication("app.test:80", AppSpec{
		Routes: routes("GET /"), Hosts: map[string][]AppRoute{"b.app.test": routes("POST /")},
	}, &journal{})
	for host, want := range map[string]int{"app.test": 405, "b.app.test": 200, "B.app.test:80": 200, "": 405} {
		assert.Equal(t, want, a.answer(received{Method: "POST", Target: "/", Host: host}).status, host)
	}
}

func TestMatchPath(t *testing.T) {
	for _, test := range []struct {
		route, path string
		want        bool
	}{
		{"/a", "/a", true}, {"/a", "/a/", false}, {"/a", "/A", false}, {"/a.b", "/axb", false},
		{"/a/{id}", "/a/1", true}, {"/a/{id}", "/a/", false}, {"/a/{id}", "/a/1/2", false},
		{"/a/{id}", "/a/1%2F2", true}, {"/a/{id}", "/a/b%20c", true},
		{"/a b", "/a%20b", true}, {"/a/b", "/a%2Fb", false}, {"/a/b", "/%61/b", true}, {"/a%zz", "/a%zz", true},
		{"/a/{id}/c", "/a/b/c", true}, {"/a/{id}.json", "/a/b.json", true}, {"/a/{id}.json", "/a/b.xml", false},
		{"/a/{rest:path}", "/a/", true}, {"/a/{rest:path}", "/a/b/c", true}, {"/a/{rest:path}", "/a", false},
		{"/{path:path}", "/", true}, {"/a{", "/a{", true},
	} {
		assert.Equal(t, test.want, matchPath(test.route, test.path), "%s against %s", test.route, test.path)
	}
}

func TestPages(t *testing.T) {
	for framework, want := range map[string]string{
		"fastapi":      `{"detail":"Method Not Allowed"}`,
		"flask":        "The method is not allowed for the requested URL.",
		"spring":       `"error":"Method Not Allowed","path":"/a"`,
		"nginx-static": "<center><h1>405 Not Allowed</h1></center>",
		"s3":           "<Code>MethodNotAllowed</Code>",
		"iis":          "HTTP verb used to access this page",
		"apache-php":   "The requested method POST is not allowed",
		"go-servemux":  "Method Not Allowed\n",
		"gin":          "405 method not allowed",
		"chi":          "",
	} {
		assert.Contains(t, familyOf(framework).errorPage(failure{405, "POST", "/a", ""}).body, want, framework)
	}
	for name, f := range families {
		for _, status := range []int{404, 405} {
			p := f.errorPage(failure{status, "POST", "/<a>", "srv"})
			assert.NotContains(t, p.body, "<a>", "%s quotes what it was sent", name)
		}
	}
}

// An application sees the request target byte for byte, on a real connection too.
func TestApplicationOnASocket(t *testing.T) {
	c := readNamed(t, "comfyui-prefix-kept")
	s, err := startApps(c, newAddressPlan().forHosts(c.hosts()))
	require.NoError(t, err)
	defer s.stop()
	address := s.address(t, "app.test:8188", c)
	got, err := trial.Send(t.Context(), address, trial.Request{Method: "DELETE", Path: "/api/userdata/a%2fb//../?x=%20y", Body: "body"})
	require.NoError(t, err)
	assert.Equal(t, 405, got.Status, "the path of nothing but the catch-all")
	assert.Equal(t, "Python/3.11 aiohttp/3.11", got.Header.Get("Server"))
	assert.Equal(t, []received{{"app.test:8188", "DELETE", "/api/userdata/a%2fb//../?x=%20y", address}}, s.journal.since(0))

	got, err = trial.Send(t.Context(), address, trial.Request{Method: "DELETE", Path: "/api/userdata/a%2Fb", Headers: map[string]string{"Host": "x"}})
	require.NoError(t, err)
	assert.Equal(t, 200, got.Status)
	assert.Equal(t, "x", s.journal.since(1)[0].Host)
}

// address is where an application listens.
func (s *stage) address(t *testing.T, at string, c *Case) string {
	t.Helper()
	host, port, err := splitAddress(at)
	require.NoError(t, err)
	if moved, ok := s.moved[at]; ok {
		port = moved
	}
	return joinHostPort(newAddressPlan().forHosts(c.hosts())[host], port)
}

func TestUpgrade(t *testing.T) {
	c := readNamed(t, "websocket-upgrade-headers-lost")
	spec := c.Apps["app.test:8080"]
	a := newApplication("app.test:8080", spec, &journal{})
	header := http.Header{}
	for name, value := range c.Expect.Fix.Client["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	r := received{Method: "GET", Target: "/v1/websocket/"}
	assert.True(t, a.upgrades(r, header))
	assert.False(t, a.upgrades(received{Method: "GET", Target: "/v1/keys"}, header))
	assert.False(t, a.upgrades(r, http.Header{}))
	spec.Framework = "gin"
	assert.False(t, newApplication("app.test:8080", spec, &journal{}).upgrades(r, header), "a route that is only refused")
}
