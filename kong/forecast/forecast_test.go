package forecast_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// of forecasts a request, METHOD TARGET with headers as "Name: value".
func of(t *testing.T, doc, line string, headers ...string) *forecast.Forecast {
	t.Helper()
	cfg, err := config.Parse([]byte("_format_version: '3.0'\n" + doc))
	require.NoError(t, err)
	method, target, _ := strings.Cut(line, " ")
	r := forecast.Request{Method: method, Target: target, Host: "a.example", Scheme: "http", Header: http.Header{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "body":
			r.Body = []byte(value)
		default:
			r.Header.Add(name, value)
		}
	}
	f, err := forecast.Of(cfg, r)
	require.NoError(t, err)
	return f
}

// told is a forecast in a line a thing that it says.
func told(f *forecast.Forecast) []string {
	var lines []string
	if u := f.Upstream; u != nil {
		lines = append(lines, fmt.Sprintf("%s %s://%s%s (%s)", u.Method, u.Scheme, u.Address, u.URI, u.Host))
		lines = append(lines, u.Uncertain...)
	}
	if a := f.Answer; a != nil {
		lines = append(lines, fmt.Sprintf("%d by %s: %s", a.Status, a.By, strings.Join(append([]string{a.Words}, a.More...), "; ")))
	}
	for _, e := range f.Effects {
		lines = append(lines, e.Name+" on "+e.On+" "+e.Words)
	}
	return append(lines, f.Watch...)
}

// on is a service with one route, on which the plugins are.
func on(plugins string) string {
	return "services: [{name: s, url: 'http://up', routes: [{name: r, paths: [/r], plugins: [" + plugins + "]}]}]\n"
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name, doc, line string
		headers         []string
		want            []string
	}{
		{"what route and service make of it", on(""), "GET /r/x?y", nil, []string{"GET http://up:80/x?y (up)"}},
		{"nginx", on(""), "TRACE /r", nil, []string{"405 by nginx: nginx, which Kong is built on, refuses every TRACE"}},
		{"no route", on(""), "GET /s", nil, []string{"404 by Kong: no route matches"}},
		{"a disabled service", "services: [{name: s, host: h, enabled: false, routes: [{paths: [/r]}]}]", "GET /r", nil,
			[]string{"404 by Kong: there are no routes; a route of service s would, but the service is disabled"}},
		{"no service", "routes: [{name: r, paths: [/r]}]", "GET /r", nil, []string{"503 by Kong: route r has no service"}},
		{"no target", "services: [{name: s, host: u, routes: [{paths: [/r]}]}]\nupstreams: [{name: u, targets: [{target: 'b:81', weight: 0}]}]", "GET /r", nil,
			[]string{"503 by Kong: upstream u has no target"}},
		{"a target's name and port", "services: [{name: s, host: u, routes: [{paths: [/r]}]}]\nupstreams: [{name: u, targets: [{target: 'b:81'}]}]", "GET /r", nil,
			[]string{"GET http://b:81/ (b:81)"}},
		{"https only", "services: [{host: h, routes: [{name: r, paths: [/r], protocols: [https], https_redirect_status_code: 301}]}]", "POST /r", nil,
			[]string{"301 by Kong: route r is for https only; after a redirect with 301 clients send GET instead of POST"}},
		{"not gRPC", "services: [{host: h, protocol: grpc, routes: [{name: r, paths: [/r], protocols: [grpc]}]}]", "POST /r", nil,
			[]string{"415 by Kong: route r is for gRPC, and the request has no Content-Type application/grpc"}},

		// plugins
		{"the transformer runs before the termination", on("{name: request-termination}, {name: request-transformer, config: {http_method: PUT}}"), "GET /r", nil,
			[]string{"503 by plugin request-termination: request-termination on route r answers this request",
				"request-transformer on route r changes the method from GET to PUT (http_method)"}},
		{"Lua's empty lists", on("{name: request-transformer, config: {add: {headers: {}, body: {}}, replace: {uri: /x, headers: {}}}}"), "GET /r", nil,
			[]string{"GET http://up:80/x (up)", "request-transformer on route r replaces the path / with /x (replace.uri)"}},
		{"what is behind a plugin that always answers does not run", on("{name: request-termination}, {name: aws-lambda}"), "GET /r", nil,
			[]string{"0 by plugin aws-lambda: aws-lambda on route r answers with a function; nothing reaches an upstream"}},
		{"a function needs no service", "routes: [{name: r, paths: [/r], plugins: [{name: azure-functions}]}]", "GET /r", nil,
			[]string{"0 by plugin azure-functions: azure-functions on route r answers with a function; nothing reaches an upstream"}},
		{"a plugin of Kong Enterprise", on("{name: openid-connect}, {name: request-validator}, {name: websocket-validator}"), "GET /r", nil,
			[]string{"GET http://up:80/ (up)", "plugin openid-connect on route r may answer in the upstream's place, with a redirect to log in"}},
		{"a stranger", on("{name: ours}, {name: ai-new}, {name: key-auth}"), "GET /r", nil,
			[]string{"GET http://up:80/ (up)", "plugin ours on route r is not one of Kong's own: whether it changes the request is not known here"}},
		{"Lua before a route is found", "plugins: [{name: pre-function, config: {rewrite: [ngx.req.set_method()]}}, {name: post-function, config: {access: [x()]}}]", "GET /r", nil,
			[]string{"404 by Kong: there are no routes", "plugin pre-function runs Lua before a route is found, which may change what is asked for"}},
		{"only a global plugin runs as early", on("{name: pre-function, config: {rewrite: [x()]}}"), "GET /r", nil,
			[]string{"GET http://up:80/ (up)", "plugin pre-function on route r runs Lua, which may change the request"}},
		{"who asks is not known", on("") + "consumers: [{username: ann, plugins: [{name: cors}, {name: acl}]}]\nconsumer_groups: [{name: gold, plugins: [{name: request-transformer, config: {http_method: PUT}}]}]", "GET /r", nil,
			[]string{"GET http://up:80/ (up)",
				"plugin cors applies to requests of consumer ann only, and who asks is not known here",
				"plugin request-transformer applies to requests of consumer group gold only, and who asks is not known here"}},
	} {
		assert.Equal(t, tt.want, told(of(t, tt.doc, tt.line, tt.headers...)), tt.name)
	}
}

// Whose plugins run is certain when it is known who asks.
func TestConsumer(t *testing.T) {
	cfg, err := config.Load([]config.File{{Data: []byte(`_format_version: '3.0'
services: [{name: s, url: "http://up", routes: [{name: r, paths: [/r]}]}]
consumers:
- {username: ann, id: 10000000-0000-0000-0000-00000000000c, groups: [{name: gold}]}
- {username: bob, plugins: [{name: request-termination}]}
consumer_groups: [{name: gold, plugins: [{name: request-transformer, config: {http_method: PUT}}]}]
plugins: [{name: cors, consumer: 10000000-0000-0000-0000-00000000000c}]
`)}})
	require.NoError(t, err)
	for name, want := range map[string][]string{
		"ann": {"PUT http://up:80/ (up)", "request-transformer on every request changes the method from GET to PUT (http_method)"},
		"bob": {"503 by plugin request-termination: request-termination on every request answers this request"},
	} {
		f, err := forecast.Of(cfg, forecast.Request{Method: "GET", Target: "/r", Host: "a", Scheme: "http", Consumer: cfg.Consumer(name)})
		require.NoError(t, err)
		assert.Equal(t, want, told(f), name)
	}
}

// What buffering does to a request, by the plugins of its route: which of them is
// to blame, and that none is where there is none.
func TestBuffering(t *testing.T) {
	const auto, always = "{name: diag405}", "{name: diag405, config: {buffering: always}}"
	const events = "Accept: text/event-stream"
	for _, tt := range []struct {
		name, plugins, method string
		headers               []string
		want                  string // the upstream's method, and what is watched
		blamed                string
	}{
		{"nobody buffers", "", "PURGE", nil, "PURGE", ""},
		{"a method that the hop knows", "{name: ai-request-transformer}", "PATCH", nil, "PATCH", ""},
		{"no response phase, but enable_buffering", "{name: ai-request-transformer}", "PURGE", nil,
			"GET: plugin ai-request-transformer makes Kong buffer the answer, and its buffered hop sends PURGE as GET", "ai-request-transformer"},
		{"unless it is asked for a stream", "{name: ai-proxy}", "PURGE", nil,
			`GET: plugin ai-proxy makes Kong buffer the answer, and its buffered hop sends PURGE as GET, unless the request's body has "stream": true`, "ai-proxy"},
		{"it is asked", "{name: ai-proxy}", "PURGE", []string{`body: {"stream": true}`}, "PURGE", ""},
		{"it is not", "{name: ai-proxy-advanced}", "PURGE", []string{`body: {"stream": false}`},
			"GET: plugin ai-proxy-advanced makes Kong buffer the answer, and its buffered hop sends PURGE as GET", "ai-proxy-advanced"},
		{"the plugin asks the upstream itself", "{name: ai-response-transformer}", "PURGE", nil, "PURGE", ""},
		{"events, read by the plugin itself", "{name: ai-response-transformer}", "GET", []string{events},
			"GET: plugin ai-response-transformer reads the whole answer first: an event stream does not reach the client", ""},
		{"events", "{name: ai-request-transformer}", "GET", []string{events},
			"GET: plugin ai-request-transformer makes Kong read the whole answer first: an event stream does not reach the client", ""},
		{"diag405, always", always, "PURGE", nil,
			"GET: plugin diag405 makes Kong buffer the answer, and its buffered hop sends PURGE as GET", "diag405"},
		{"diag405, auto", auto, "PURGE", nil,
			"PURGE: plugin diag405 leaves this request unbuffered, so it does not explain the answer in headers", ""},
		{"diag405, auto, for others as well", auto + ", {name: ai-request-transformer}", "PURGE", nil,
			"PURGE: plugin diag405 leaves this request unbuffered, so it does not explain the answer in headers", ""},
		{"diag405, always, beside another: it can be told not to", always + ", {name: ai-request-transformer}", "PURGE", nil,
			"GET: plugin diag405 makes Kong buffer the answer, and its buffered hop sends PURGE as GET", "diag405"},
		{"a stranger", "{name: ours}", "PURGE", nil,
			"PURGE: plugin ours makes, if it has a response phase, Kong buffer the answer, and its buffered hop sends PURGE as GET", ""},
	} {
		f := of(t, on(tt.plugins), tt.method+" /r", tt.headers...)
		require.NotNil(t, f.Upstream, tt.name)
		got := append([]string{f.Upstream.Method}, f.Watch...)
		assert.Equal(t, tt.want, strings.Join(got, ": "), tt.name)
		blamed := ""
		if f.Buffered != nil {
			blamed = f.Buffered.Name
		}
		assert.Equal(t, tt.blamed, blamed, tt.name)
	}
}

func TestHosts(t *testing.T) {
	for _, tt := range []struct{ host, want string }{
		{"A.example", "a.example"}, {"a.example:8000", "a.example"}, {"[::1]:80", "::1"}, {"[::1]", "::1"}, {"*.a.example:81", "*.a.example"}, {"", ""},
	} {
		assert.Equal(t, tt.want, forecast.Hostname(tt.host), tt.host)
	}
	for _, tt := range []struct {
		scheme, name string
		port         int
		want         string
	}{
		{"http", "a", 80, "a"}, {"https", "a", 443, "a"}, {"http", "a", 443, "a:443"}, {"https", "a", 80, "a:80"},
		{"grpc", "a", 80, "a"}, {"grpcs", "a", 443, "a"}, {"grpcs", "a", 9000, "a:9000"}, {"http", "a", 0, "a"}, {"http", "::1", 81, "[::1]:81"},
	} {
		assert.Equal(t, tt.want, forecast.HostHeader(tt.scheme, tt.name, tt.port), "%+v", tt)
	}
}

func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		protocols, scheme, contentType string
		http2                          bool
		status                         int // 0: not refused
		upgrade                        string
	}{
		{"http https", "http", "", false, 0, ""},
		{"https", "https", "", false, 0, ""},
		{"https", "http", "", false, 426, "TLS/1.2, HTTP/1.1"},
		{"grpc grpcs", "http", "application/grpc+proto", true, 0, ""},
		{"grpc grpcs", "http", "application/grpc", false, 426, "HTTP/2"},
		{"grpc", "http", "application/json", true, 415, ""},
	} {
		r, refused := forecast.Refuses(&config.Route{Protocols: strings.Fields(tt.protocols), HTTPSRedirectStatusCode: 426}, tt.scheme, tt.contentType, tt.http2)
		assert.Equal(t, tt.status, r.Status, "%+v", tt)
		assert.Equal(t, tt.status != 0, refused, "%+v", tt)
		assert.Equal(t, tt.upgrade, r.Upgrade(), "%+v", tt)
	}
	r, _ := forecast.Refuses(&config.Route{Protocols: []string{"https"}, HTTPSRedirectStatusCode: 308}, "http", "", false)
	assert.Equal(t, forecast.Refusal{Status: 308}, r)
	assert.True(t, r.Redirects())
}

func TestBufferedMethod(t *testing.T) {
	for method, want := range map[string]string{"": "", "GET": "GET", "PROPPATCH": "PROPPATCH", "PURGE": "GET", "QUERY": "GET", "get": "GET"} {
		assert.Equal(t, want, forecast.BufferedMethod(method), method)
	}
}

// The plugins that a stock Kong 3.9.1 has (kong/constants.lua) are all known, and
// what is known of them holds together.
func TestKnown(t *testing.T) {
	bundled := strings.Fields(`acl acme ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-proxy ai-request-transformer
		ai-response-transformer aws-lambda azure-functions basic-auth bot-detection correlation-id cors datadog file-log grpc-gateway
		grpc-web hmac-auth http-log ip-restriction jwt key-auth ldap-auth loggly oauth2 opentelemetry post-function pre-function prometheus
		proxy-cache rate-limiting redirect request-size-limiting request-termination request-transformer response-ratelimiting
		response-transformer session standard-webhooks statsd syslog tcp-log udp-log zipkin`)
	for _, name := range bundled {
		p, ok := forecast.Known(name)
		require.True(t, ok, name)
		assert.Equal(t, name, p.Name)
		assert.NotZero(t, p.Priority, name)
		assert.Contains(t, []forecast.Source{forecast.Measured, forecast.Read}, p.Source, name)
		if p.Code || p.Path == forecast.Always || p.Ends == forecast.Always {
			assert.NotEmpty(t, p.Does, "%s: somebody has to be told", name)
		}
	}
	_, ok := forecast.Known("ours")
	assert.False(t, ok)
	assert.True(t, slices.IsSorted(bundled))
}

// Failover targets (Kong 3.12) are not among those that get a request while all is well.
func TestFailoverTargets(t *testing.T) {
	const services = "_format_version: '3.0'\nservices: [{name: s, host: u, routes: [{paths: [/r]}]}]\nupstreams: [{name: u, "
	tests := []struct {
		upstream string
		want     []string
	}{
		{"targets: [{target: 'c:82', failover: true}, {target: 'b:81'}]",
			[]string{"GET http://b:81/ (b:81)", "upstream u has failover targets, which get requests only while all others are unhealthy: c:82"}},
		{"targets: [{target: 'c:82', failover: true}, {target: 'b:81'}, {target: 'a:80', failover: false}]",
			[]string{"GET http://b:81/ (b:81)", "upstream u has failover targets, which get requests only while all others are unhealthy: c:82", "upstream u has 2 targets, any of which may get the request: b:81, a:80"}},
		{"targets: [{target: 'c:82', failover: true, weight: 0}, {target: 'b:81'}]", []string{"GET http://b:81/ (b:81)"}},
		{"algorithm: consistent-hashing, hash_on: ip, targets: [{target: 'c:82', failover: true}, {target: 'b:81'}]",
			[]string{"GET http://b:81/ (b:81)", "upstream u never uses its failover targets, as its algorithm is consistent-hashing: c:82"}},
		{"algorithm: sticky-sessions, sticky_sessions_cookie: c, targets: [{target: 'b:81', failover: true}]",
			[]string{"503 by Kong: upstream u has no target", "upstream u never uses its failover targets, as its algorithm is sticky-sessions: b:81"}},
		{"targets: [{target: 'b:81', failover: true}]", []string{"GET http://b:81/ (b:81)"}},
	}
	for _, tt := range tests {
		cfg, err := config.Load([]config.File{{Name: "kong.yml", Data: []byte(services + tt.upstream + "}]\n")}})
		require.NoError(t, err, tt.upstream)
		f, err := forecast.Of(cfg, forecast.Request{Method: "GET", Target: "/r", Host: "a.example", Scheme: "http"})
		require.NoError(t, err, tt.upstream)
		assert.Equal(t, tt.want, told(f), tt.upstream)
	}
}
