package diagnose

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

const form = "Content-Type: application/x-www-form-urlencoded"

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
	answer  string // one header of the answer's, Name: value
	body    string // the answer's
	host    string // CLIENT > UPSTREAM, the two Host headers; the route is for the first
	seen    Offers
	more    func(*Exchange)
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
	x.Response.Header = headers(s.answer)
	x.Response.Body = []byte(s.body)
	if s.allow != "none" {
		x.Response.Header.Set("Allow", s.allow)
	}
	if client, upstream, ok := strings.Cut(s.host, " > "); ok {
		x.Client.Host, x.Upstream.Host = client, upstream
		route.Hosts, route.PreserveHost = []string{client}, client == upstream
	}
	if s.more != nil {
		s.more(&x)
	}
	return x
}

// takes is what a probe found at one path.
func takes(path string, methods ...string) Offers {
	presence := Present
	if len(methods) == 0 {
		presence = Absent
	}
	return Offers{Paths: map[string]Offer{path: {Methods: methods, Complete: true, Presence: presence}}}
}

// there is a path that a probe found without learning what it takes.
func there(path string) Offers {
	return Offers{Paths: map[string]Offer{path: {Presence: Present}}}
}

// anywhere is a path that is answered as any other.
func anywhere(path string) Offers {
	return Offers{Paths: map[string]Offer{path: {Presence: Anywhere}}}
}

// offers is a document with these operations; a path alone is one with POST.
func offers(operations ...string) Offers {
	var endpoints []Endpoint
	for _, operation := range operations {
		method, path, ok := strings.Cut(operation, " ")
		if !ok {
			method, path = "POST", operation
		}
		endpoints = append(endpoints, Endpoint{path, []string{method}})
	}
	return Offers{API: NewAPI(endpoints)}
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
		// strip-path: what it leads to is known, or the route is for just this method.
		{"route for the method", scene{client: "POST /orders", route: "/orders", methods: []string{"POST"}, allow: "GET"}, StripPath, Likely, "POST /orders"},
		{"route for the method, a slash for the service's path", scene{client: "POST /orders", route: "/orders", base: "/", methods: []string{"POST"}, allow: "GET"}, StripPath, Likely, "POST /orders"},
		{"route for the method, behind a slash", scene{client: "POST /orders/", route: "/orders", methods: []string{"POST"}, allow: "GET, HEAD"}, StripPath, Likely, "POST /orders/"},
		{"route for the method, static mount", scene{client: "POST /orders", route: "/orders", methods: []string{"POST"}, allow: "none", answer: "Server: uvicorn", body: `{"detail":"Method Not Allowed"}`}, StripPath, Likely, "POST /orders"},
		{"taken there", scene{client: "POST /api/orders", route: "/api", allow: "GET", seen: takes("/api/orders", "POST")}, StripPath, Confirmed, "POST /api/orders"},
		{"there, and nothing beside it", scene{client: "POST /api/orders", route: "/api/orders", allow: "none", seen: there("/api/orders")}, StripPath, Likely, "POST /api/orders"},
		{"offered there, says the document", scene{client: "POST /api/orders", route: "/api", allow: "GET", seen: offers("/api/orders")}, StripPath, Confirmed, "POST /api/orders"},

		{"route for the method, and another is taken where it led", scene{client: "POST /orders", route: "/orders", methods: []string{"POST"}, allow: "GET", seen: takes("/", "GET", "PUT")}, StripPath, Likely, "POST /orders"},

		// Not strip-path: a mount point, a name that looks like the application's own, a
		// path that was consumed whole, one that is nothing of its own.
		{"consumed whole", scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"route for reading, too", scene{client: "POST /orders", route: "/orders", methods: []string{"GET", "POST"}, allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"own prefix by its name", scene{client: "POST /api/v2/auth/login", route: "~/api/v[12]/auth", allow: "GET, HEAD, OPTIONS"}, MethodNotAllowed, Likely, ""},
		{"endpoint below a service path", scene{client: "POST /x/y", route: "/x/y", base: "/app", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"anything is there", scene{client: "POST /api/orders", route: "/api", allow: "GET", seen: anywhere("/api/orders")}, MethodNotAllowed, Likely, ""},
		{"mount point consumed", scene{client: "POST /shop", route: "/shop", allow: "GET, HEAD"}, MethodNotAllowed, Possible, ""},
		{"mount point with more", scene{client: "POST /shop/items", route: "/shop", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"no Allow", scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "none"}, MethodNotAllowed, Possible, ""},
		{"own prefix from the service", scene{client: "POST /api/x", route: "/api", base: "/api", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"own prefix, writable there", scene{client: "POST /api/items/7", route: "/api", allow: "GET, DELETE"}, MethodNotAllowed, Likely, ""},
		{"alias of an endpoint that only writes", scene{client: "GET /signin", route: "/signin", base: "/login", allow: "POST"}, MethodNotAllowed, Possible, "POST /login"},

		// prefix-kept: a catch-all, and the path without the prefix is known.
		{"prefix kept", scene{client: "POST /tenant/7/api/save", route: "/tenant/7", keep: true, allow: "GET,HEAD", seen: takes("/api/save", "POST")}, PrefixKept, Confirmed, "POST /api/save"},
		{"prefix kept, nothing known", scene{client: "POST /tenant/7/api/save", route: "/tenant/7", keep: true, allow: "GET,HEAD"}, MethodNotAllowed, Possible, ""},
		{"own prefix kept", scene{client: "POST /api/items", route: "/api", keep: true, allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"prefix kept, not a catch-all", scene{client: "POST /tenant/api/save", route: "/tenant", keep: true, allow: "PUT"}, MethodNotAllowed, Likely, "PUT /tenant/api/save"},

		// service-path: a path that stands there twice.
		{"doubled, route keeps", scene{client: "POST /rpc", route: "/rpc", keep: true, base: "/rpc", allow: "GET, HEAD"}, ServicePath, Likely, "POST /rpc"},
		{"doubled, route strips", scene{client: "POST /shop/v1/items", route: "/shop", base: "/v1", allow: "GET"}, ServicePath, Likely, "POST /v1/items"},
		{"doubled, no path on the route", scene{client: "POST /v1/items", base: "/v1", allow: "GET"}, ServicePath, Likely, "POST /v1/items"},
		{"service path, once", scene{client: "POST /shop/items", route: "/shop", base: "/v1", allow: "GET, DELETE"}, MethodNotAllowed, Likely, ""},
		{"endpoint for a base, no Allow", scene{client: "POST /ai/chat/completions", route: "/ai", base: "/v1/chat/completions", allow: "none"}, ServicePath, Possible, "POST /v1/chat/completions"},
		{"endpoint for a base, another is asked", scene{client: "POST /ai/chat/completions/7/cancel", route: "/ai", base: "/v1/chat/completions/", allow: "none"}, ServicePath, Possible, "POST /v1/chat/completions/7/cancel"},
		{"endpoint for a base, anything is there", scene{client: "POST /ai/chat/completions", route: "/ai", base: "/v1/chat/completions", allow: "none", seen: anywhere("/v1/chat/completions/chat/completions")}, ServicePath, Possible, "POST /v1/chat/completions"},
		{"names twice, and only reading is offered", scene{client: "PUT /files/debian/dists/stable", route: "/files", base: "/mirror/debian/dists", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"version twice", scene{client: "POST /llm/v1/chat", route: "/llm", base: "/api/v1", allow: "GET"}, ServicePath, Likely, "POST /api/v1/chat"},
		{"version twice, route keeps", scene{client: "PUT /v1/items/7", keep: true, route: "/v1", base: "/api/v1/", allow: "GET"}, ServicePath, Likely, "PUT /api/v1/items/7"},
		{"version twice, taken without", scene{client: "POST /llm/v1/chat", route: "/llm", base: "/api/v1", allow: "none", seen: takes("/api/v1/chat", "POST")}, ServicePath, Confirmed, "POST /api/v1/chat"},
		// Names may stand in each other: a group's groups, a folder's own name.
		{"name twice", scene{client: "POST /shop/groups/7", route: "/shop", base: "/x/groups", allow: "GET, DELETE"}, MethodNotAllowed, Likely, ""},
		{"version twice, known to be there", scene{client: "POST /llm/v1/chat", route: "/llm", base: "/api/v1", allow: "none", seen: there("/api/v1/v1/chat")}, MethodNotAllowed, Likely, ""},
		{"doubled before a file server", scene{client: "POST /rpc", route: "/rpc", keep: true, base: "/rpc", allow: "none", answer: "Server: nginx"}, WrongUpstream, Possible, ""},

		// Kong's traditional router with path_handling v1 puts texts one behind the other.
		{"path handling v1", scene{client: "DELETE /api/items", route: "/api", keep: true, base: "/base", plugin: "DELETE /baseapi/items", allow: "GET, POST"}, MethodNotAllowed, Likely, ""},

		// What a plugin did.
		{"path replaced", scene{client: "POST /orders", route: "/orders", keep: true, plugin: "POST /hello", allow: "GET"}, PathRewrite, Likely, "POST /orders"},
		{"path replaced, refused by an application", scene{client: "POST /api/orders", route: "/api", plugin: "POST /hello", allow: "none", answer: "Server: TornadoServer/6.2"}, PathRewrite, Likely, "POST /orders"},
		{"path replaced, refused by a file server", scene{client: "POST /api/orders", route: "/api", plugin: "POST /hello", allow: "none", answer: "Server: nginx"}, WrongUpstream, Possible, ""},
		{"path mapped", scene{client: "DELETE /orders", route: "/orders", keep: true, plugin: "DELETE /api/v1/orders", allow: "GET, POST"}, MethodNotAllowed, Possible, ""},
		{"alias made by a plugin", scene{client: "POST /status", route: "/status", plugin: "POST /health", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"method replaced", scene{client: "GET /a/logo.png", route: "/a", plugin: "POST /logo.png", allow: "GET, PUT"}, MethodRewrite, Likely, "GET /logo.png"},
		{"method replaced, seen to be taken", scene{client: "GET /a/logo.png", route: "/a", plugin: "POST /logo.png", allow: "none", seen: takes("/logo.png", "GET")}, MethodRewrite, Confirmed, "GET /logo.png"},
		{"method replaced, no Allow", scene{client: "GET /a", route: "/a", plugin: "POST /", allow: "none"}, MethodRewrite, Possible, "GET /"},
		{"method replaced, neither taken", scene{client: "GET /a", route: "/a", plugin: "POST /", allow: "PUT"}, MethodNotAllowed, Possible, ""},
		{"method lost in buffering", scene{client: "PURGE /a", route: "/a", plugin: "GET /", allow: "PURGE", more: func(x *Exchange) { x.Buffered = true }}, MethodRewrite, Confirmed, "PURGE /"},
		{"method lost in buffering, no Allow", scene{client: "PURGE /a", route: "/a", plugin: "GET /", allow: "none", more: func(x *Exchange) { x.Buffered = true }}, MethodRewrite, Likely, "PURGE /"},
		{"method lost in another plugin's buffering", scene{client: "PURGE /a", route: "/a", plugin: "GET /", allow: "PURGE", more: func(x *Exchange) { x.Buffered, x.BufferedBy = true, "ai-proxy" }}, MethodRewrite, Confirmed, "PURGE /"},
		{"method lost in a plugin", scene{client: "PURGE /a", route: "/a", plugin: "GET /", allow: "PURGE"}, MethodRewrite, Likely, "PURGE /"},

		// What the request itself says.
		{"preflight", scene{client: "OPTIONS /a/b", header: preflight, route: "/a", allow: "GET"}, CORSPreflight, Confirmed, ""},
		{"preflight that the plugin cannot allow", scene{client: "OPTIONS /a/b", header: "Origin: https://ui.example|Access-Control-Request-Method: PURGE", route: "/a", allow: "GET"}, CORSPreflight, Confirmed, ""},
		{"OPTIONS without origin", scene{client: "OPTIONS /a/b", route: "/a", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"HEAD", scene{client: "HEAD /ready", keep: true, route: "/ready", allow: "GET"}, HeadUnsupported, Confirmed, "GET /ready"},
		{"HEAD, no Allow", scene{client: "HEAD /ready", keep: true, route: "/ready", allow: "none"}, HeadUnsupported, Likely, "GET /ready"},
		{"HEAD on a writer", scene{client: "HEAD /jobs", keep: true, route: "/jobs", allow: "POST"}, MethodNotAllowed, Likely, "POST /jobs"},

		// What the request itself says, about another method or protocol.
		{"override header", scene{client: "POST /a", header: "X-HTTP-Method-Override: patch", route: "/a", keep: true, allow: "GET, PATCH"}, MethodOverride, Likely, "PATCH /a"},
		{"override that is not taken", scene{client: "POST /a/b", header: "X-HTTP-Method-Override: PATCH", route: "/a", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"override in the query", scene{client: "POST /a", route: "/a", keep: true, allow: "DELETE", more: func(x *Exchange) { x.Client.Query = "a=1&_method=delete" }}, MethodOverride, Likely, "DELETE /a"},
		{"form where only PUT is", scene{client: "POST /a", header: "Content-Type: application/x-www-form-urlencoded", route: "/a", allow: "PUT"}, MethodOverride, Possible, "PUT /"},
		{"form where GET is", scene{client: "POST /a/7", header: form, route: "/a", allow: "GET, HEAD, PUT, PATCH, DELETE"}, MethodOverride, Possible, "PUT /7"},
		{"form of a browser", scene{client: "POST /a/7", header: form + "|Accept: text/html,*/*;q=0.8", keep: true, allow: "GET, DELETE"}, MethodOverride, Possible, "DELETE /a/7"},
		{"form of a script", scene{client: "POST /a/7", header: "Content-Type: multipart/form-data; boundary=x|Accept: */*|Origin: https://ui.example", keep: true, allow: "GET, PUT"}, MethodOverride, Possible, "PUT /a/7"},
		{"form of no page", scene{client: "POST /a/7", header: form + "|Accept: */*", keep: true, allow: "GET, DELETE"}, MethodNotAllowed, Likely, ""},
		{"form where nothing writes", scene{client: "POST /a/7", header: form, keep: true, allow: "GET, HEAD"}, MethodNotAllowed, Possible, ""},
		{"form in an object store", scene{client: "POST /a/7", header: form, keep: true, allow: "GET, DELETE", answer: "X-Amz-Request-Id: 1"}, MethodNotAllowed, Likely, ""},
		{"no form where GET is", scene{client: "POST /a/7", header: "Content-Type: application/json", keep: true, allow: "GET, DELETE"}, MethodNotAllowed, Likely, ""},
		{"WebDAV", scene{client: "PROPFIND /cal", route: "/cal", keep: true, allow: "GET, POST"}, ProtocolMismatch, Likely, ""},
		{"gRPC", scene{client: "POST /pkg.Svc/Do", header: "Content-Type: application/grpc+proto", allow: "GET"}, ProtocolMismatch, Likely, ""},
		{"gRPC-Web", scene{client: "POST /pkg.Svc/Do", header: "Content-Type: application/grpc-web", allow: "GET"}, ProtocolMismatch, Likely, ""},
		{"gRPC-Web, a prefix left out", scene{client: "POST /pkg.Svc/Do", header: "Content-Type: application/grpc-web", allow: "GET", seen: offers("/app/pkg.Svc/Do")}, ProtocolMismatch, Likely, "POST /app/pkg.Svc/Do"},
		{"event stream, a prefix left out", scene{client: "GET /events", header: "Accept: text/event-stream", allow: "POST", seen: offers("GET /api/events")}, ProtocolMismatch, Likely, "GET /api/events"},
		{"WebSocket that lost Upgrade", scene{client: "GET /chat", header: "Sec-WebSocket-Key: x", allow: "none"}, ProtocolMismatch, Likely, "GET /chat"},
		{"WebSocket by its name", scene{client: "GET /app/ws", route: "/app", allow: "none"}, ProtocolMismatch, Possible, "GET /ws"},
		{"event stream, no POST", scene{client: "GET /mcp", header: "Accept: text/event-stream", allow: "DELETE"}, ProtocolMismatch, Likely, ""},
		{"event stream", scene{client: "GET /mcp", header: "Accept: text/event-stream", allow: "none"}, ProtocolMismatch, Likely, "POST /mcp"},

		// A GET that was a POST before a redirect: remembered, or two traces of it.
		{"redirected, remembered", scene{client: "GET /a/", allow: "none", seen: Offers{Redirected: &Redirect{"PUT", 301}}}, RedirectMethodChange, Confirmed, "PUT /a/"},
		{"redirected to https, content type left", scene{client: "GET /a", header: "Content-Type: application/json", allow: "POST", more: httpsOnly(301)}, RedirectMethodChange, Likely, "POST /a"},
		{"content type left", scene{client: "GET /a", header: "Content-Type: application/json", allow: "none"}, RedirectMethodChange, Possible, "POST /a"},
		{"from another site", scene{client: "GET /a", header: "Origin: https://ui.example", allow: "POST"}, MethodNotAllowed, Likely, "POST /a"},
		{"referer", scene{client: "GET /a/b", header: "Referer: http://h/a/b/", allow: "POST"}, RedirectMethodChange, Possible, "POST /a/b"},
		{"a slash at the end", scene{client: "GET /a/", allow: "PUT, OPTIONS"}, MethodNotAllowed, Likely, "PUT /a/"},
		{"referer with http", scene{client: "GET /a/b", header: "Referer: http://h/a/b", allow: "POST", more: over("https")}, RedirectMethodChange, Likely, "POST /a/b"},
		{"referer with http, TLS ended before", scene{client: "GET /a/b", header: "Referer: http://h/a/b|X-Forwarded-Proto: https", allow: "POST", more: over("http")}, RedirectMethodChange, Likely, "POST /a/b"},
		{"referer with another slash, no Allow", scene{client: "GET /a/b", header: "Referer: https://h//a/b?x=1", allow: "none", more: over("https")}, RedirectMethodChange, Likely, "POST /a/b"},
		{"referer with another port", scene{client: "GET /a/b", header: "Referer: http://h:8000/a/b/", allow: "PUT, DELETE", more: over("https")}, RedirectMethodChange, Likely, "PUT /a/b"},
		// Not so: the page itself, of a browser; another host's; the very URL; one that reads.
		{"a browser's referer", scene{client: "GET /a/b", header: "Referer: http://h/a/b|Accept-Language: en", allow: "POST", more: over("https")}, RedirectMethodChange, Possible, "POST /a/b"},
		{"a browser's referer, no Allow", scene{client: "GET /a/b", header: "Referer: http://h/a/b|Accept-Language: en", allow: "none", more: over("https")}, MethodNotAllowed, Possible, ""},
		{"another host's referer", scene{client: "GET /a/b", header: "Referer: http://other/a/b", allow: "none", more: over("https")}, MethodNotAllowed, Possible, ""},
		{"its own referer", scene{client: "GET /a/b", header: "Referer: https://h/a/b", allow: "none", more: over("https")}, MethodNotAllowed, Possible, ""},
		{"referer of what reads", scene{client: "HEAD /a/b", header: "Referer: http://h/a/b", allow: "GET", more: over("https")}, HeadUnsupported, Confirmed, "GET /a/b"},
		{"referer of another path", scene{client: "GET /a/b", header: "Referer: http://h/a", allow: "none", more: over("https")}, MethodNotAllowed, Possible, ""},
		{"a route for https", scene{client: "GET /a", allow: "POST", more: httpsOnly(301)}, RedirectMethodChange, Possible, "POST /a"},
		{"https keeps the method", scene{client: "GET /a", allow: "POST", more: httpsOnly(308)}, MethodNotAllowed, Likely, "POST /a"},
		{"opened in a browser", scene{client: "GET /a/", header: "Accept: text/html,*/*", allow: "POST"}, MethodNotAllowed, Likely, "POST /a/"},
		{"GET is taken", scene{client: "GET /a/", allow: "GET, POST"}, MethodNotAllowed, Possible, ""},

		// Almost the path.
		{"slash missing", scene{client: "POST /api/items", route: "/api", keep: true, allow: "GET", seen: takes("/api/items/", "POST")}, TrailingSlash, Confirmed, "POST /api/items/"},
		{"slash too many", scene{client: "POST /items/", allow: "GET", seen: takes("/items", "GET", "POST")}, TrailingSlash, Confirmed, "POST /items"},
		{"slash lost by Kong", scene{client: "POST /x/", route: "/x", base: "/app/", keep: false, allow: "GET", seen: takes("/app", "POST")}, TrailingSlash, Confirmed, "POST /app"},
		{"slash may help", scene{client: "POST /api/items", route: "/api", keep: true, allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"name with a slash in it", scene{client: "DELETE /files/dir/a", allow: "GET", seen: Offers{Paths: map[string]Offer{
			"/files/dir/a": {Complete: true, Doubtful: []string{"GET"}}, "/files/dir%2Fa": {Methods: []string{"DELETE"}, Complete: true}}}}, PathEncoding, Confirmed, "DELETE /files/dir%2Fa"},
		{"letter case", scene{client: "POST /Items", allow: "GET", seen: takes("/items", "POST")}, PathEncoding, Confirmed, "POST /items"},
		{"left out a prefix", scene{client: "POST /ai/chat", route: "/ai", base: "/v1", allow: "GET", seen: offers("/v1/models", "/v1/api/chat")}, WrongPath, Likely, "POST /v1/api/chat"},
		{"left out a prefix, files answered", scene{client: "POST /alert", allow: "none", answer: "Server: nginx", seen: offers("/api/alert", "/api/alerts")}, WrongPath, Likely, "POST /api/alert"},
		{"left out a prefix, a page for every path answered", scene{client: "POST /alert", allow: "none", answer: "Server: uvicorn", body: `{"detail":"Method Not Allowed"}`, seen: offers("/api/alert")}, WrongPath, Likely, "POST /api/alert"},
		{"left out a prefix, nobody known answered", scene{client: "POST /alert", allow: "none", seen: offers("/api/alert")}, WrongPath, Likely, "POST /api/alert"},
		{"left out more than a prefix, files answered", scene{client: "POST /alert", allow: "none", answer: "Server: nginx", seen: offers("/api/v1/alert")}, WrongUpstream, Possible, ""},
		{"files answered for what is offered", scene{client: "POST /alert", allow: "none", answer: "Server: nginx", seen: offers("/alert", "/api/alert")}, WrongUpstream, Likely, ""},
		{"another prefix, files answered", scene{client: "POST /v1/alert", allow: "none", answer: "Server: nginx", seen: offers("/alert")}, WrongUpstream, Possible, ""},
		{"left out the id", scene{client: "PUT /shop/items", route: "/shop", allow: "GET, POST", seen: offers("GET /items", "/items", "PUT /items/{id}")}, WrongPath, Likely, ""},
		{"left out the id, slash at the end", scene{client: "DELETE /items/", allow: "GET, POST", seen: offers("GET /items/", "DELETE /items/{id}/")}, WrongPath, Likely, ""},
		{"no thing takes it either", scene{client: "DELETE /items", allow: "GET, POST", seen: offers("GET /items", "/items", "PUT /items/{id}")}, MethodNotAllowed, Likely, ""},
		{"all of them take it", scene{client: "DELETE /items", allow: "GET, POST", seen: offers("GET /items", "DELETE /items", "DELETE /items/{id}")}, WrongUpstream, Likely, ""},
		{"below it is an action", scene{client: "PUT /items", allow: "GET, POST", seen: offers("GET /items", "PUT /items/order")}, MethodNotAllowed, Likely, ""},
		{"no path, one endpoint", scene{client: "POST /", allow: "GET", seen: offers("GET /", "/hooks/github", "GET /health")}, WrongPath, Likely, "POST /hooks/github"},
		{"no path behind the route's, one endpoint", scene{client: "POST /bot", route: "/bot", allow: "GET", seen: offers("GET /", "/telegram")}, WrongPath, Likely, "POST /telegram"},
		{"no path, several endpoints", scene{client: "POST /", allow: "GET", seen: offers("GET /", "/login", "/items")}, MethodNotAllowed, Likely, ""},
		{"no path, one endpoint for any name", scene{client: "POST /", allow: "GET", seen: offers("GET /", "/hooks/{name}")}, MethodNotAllowed, Likely, ""},
		{"a form on the page at the root", scene{client: "POST /", header: form + "|Accept: text/html", allow: "GET", seen: offers("GET /", "/login")}, MethodNotAllowed, Likely, ""},
		{"another version", scene{client: "POST /api/v2/orders", route: "/api", keep: true, allow: "GET", seen: offers("/api/v1/orders", "/api/v1/orders/{id}")}, WrongPath, Likely, "POST /api/v1/orders"},
		{"left out a prefix before a word", scene{client: "PUT /orders/7", allow: "GET", seen: offers("PUT /api/orders/{id}")}, WrongPath, Likely, "PUT /api/orders/7"},
		// A placeholder takes any word, which shows nothing.
		{"only a placeholder fits", scene{client: "POST /write", allow: "GET, PUT, DELETE", seen: offers("POST /{index}/_doc", "PUT /{index}")}, MethodNotAllowed, Likely, "PUT /write"},
		{"only a placeholder fits behind a prefix", scene{client: "PUT /orders", allow: "GET", seen: offers("PUT /api/{id}")}, MethodNotAllowed, Possible, ""},
		{"one segment too many", scene{client: "POST /api/v1/orders", allow: "GET", seen: offers("/v1/orders")}, WrongPath, Likely, "POST /v1/orders"},
		{"the parent is another thing", scene{client: "DELETE /shop/7/x", allow: "GET", seen: offers("DELETE /shop/{id}", "GET /other")}, MethodNotAllowed, Possible, ""},
		{"an endpoint itself", scene{client: "DELETE /users/7/avatar", allow: "GET", seen: offers("GET /users/{id}/avatar", "DELETE /users/{id}")}, MethodNotAllowed, Likely, ""},
		{"a path of its own", scene{client: "DELETE /users/7/avatar", allow: "GET", seen: Offers{Paths: map[string]Offer{
			"/users/7/avatar": {Methods: []string{"GET"}, Complete: true, Presence: Present}, "/users/7%2Favatar": {Methods: []string{"GET", "DELETE"}, Complete: true}}}}, MethodNotAllowed, Likely, ""},
		{"an id is nobody's guess", scene{client: "POST /orders", allow: "GET", seen: offers("/orders/{id}")}, MethodNotAllowed, Possible, ""},

		// The service's path belongs to another endpoint.
		{"another base", scene{client: "POST /resolvers/a/b", route: "/resolvers", base: "/v1/projects", allow: "GET", seen: offers("/v1/resolvers/{x}/{y}", "/v1/views/{x}/{y}")}, ServicePath, Confirmed, "POST /v1/resolvers/a/b"},
		{"bucket in host and path", scene{client: "POST /", host: "pics.store.test > pics.store.test", base: "/pics", allow: "GET", answer: "X-Amz-Request-Id: 1"}, ServicePath, Likely, "POST /"},
		{"bucket in host, documented by path", scene{client: "POST /", host: "pics.store.test > pics.store.test", base: "/pics", allow: "GET", answer: "X-Amz-Request-Id: 1", seen: offers("GET /", "/{bucket}")}, ServicePath, Likely, "POST /"},

		// Another place.
		{"a host that begins as the path does", scene{client: "POST /", host: "api.example > api.example", base: "/api", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"bucket in the client's host", scene{client: "POST /", host: "pics.store.test > store.test:80", allow: "GET", answer: "Server: MinIO"}, HostHeader, Likely, "POST /"},
		{"host below the upstream's", scene{client: "POST /", host: "pics.store.test > store.test:80", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"another host", scene{client: "POST /", host: "shop.example > app.internal", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"nginx without Allow", scene{client: "PUT /a", route: "/a", keep: true, allow: "none", answer: "Server: nginx/1.27"}, WrongUpstream, Possible, ""},
		{"nginx before an application", scene{client: "PUT /a", route: "/a", keep: true, allow: "GET", answer: "Server: nginx/1.27"}, MethodNotAllowed, Possible, ""},
		{"nginx, and it was to read", scene{client: "GET /a", route: "/a", keep: true, allow: "none", answer: "Server: nginx/1.27"}, MethodNotAllowed, Possible, ""},
		{"static mount", scene{client: "POST /a", route: "/a", keep: true, allow: "none", answer: "Server: uvicorn", body: `{"detail":"Method Not Allowed"}`}, MethodNotAllowed, Possible, ""},
		{"CDN", scene{client: "POST /a", route: "/a", keep: true, allow: "none", answer: "X-Amz-Cf-Id: x"}, WrongUpstream, Possible, ""},
		{"nobody known, without Allow", scene{client: "POST /a", route: "/", allow: "none"}, WrongUpstream, Possible, ""},
		{"offered, says the document", scene{client: "POST /a", route: "/a", keep: true, allow: "none", seen: offers("/a")}, WrongUpstream, Likely, ""},
		{"file server, endpoint known", scene{client: "POST /x/chat", route: "/x", allow: "none", answer: "Server: nginx", seen: offers("/api/chat")}, WrongUpstream, Possible, ""},
		{"static mount, endpoint known", scene{client: "POST /x/chat", route: "/x", allow: "none", answer: "Server: uvicorn", seen: offers("/api/chat")}, WrongUpstream, Likely, "POST /api/chat"},
		{"another route, the document offers it", scene{client: "POST /api/a", route: "~/(api|css)/", keep: true, allow: "GET", seen: offers("/api/a"), more: otherRoute("/api")}, RouteShadowed, Likely, ""},
		{"route without the method, before a file server", scene{client: "DELETE /api/a", route: "/", allow: "none", answer: "Server: nginx", more: otherRoute("/api", "GET", "POST")}, RouteShadowed, Likely, ""},
		{"route without the method, a page for every path", scene{client: "DELETE /api/a", route: "/", allow: "GET, HEAD", seen: anywhere("/api/a"), more: otherRoute("/api", "GET", "POST")}, RouteShadowed, Likely, ""},
		{"route without the method, the document offers it", scene{client: "DELETE /api/a", route: "/", allow: "GET", seen: offers("DELETE /api/a"), more: otherRoute("/api", "GET", "POST")}, RouteShadowed, Likely, ""},
		{"two routes for one path", scene{client: "POST /api/a", route: "/api", keep: true, allow: "GET", more: otherRoute("/api")}, RouteShadowed, Possible, ""},
		// Not so: services that share a path by methods; a route that would not come first;
		// an application that writes there.
		{"read by another service", scene{client: "POST /items", route: "/", allow: "PUT", more: otherRoute("/items", "GET")}, MethodNotAllowed, Likely, "PUT /items"},
		{"read by another service, and only read here", scene{client: "POST /items", route: "/", allow: "GET", more: otherRoute("/items", "GET")}, MethodNotAllowed, Possible, ""},
		{"route without the method, less narrow", scene{client: "DELETE /api/a", route: "/api/a", keep: true, methods: []string{"DELETE", "PUT"}, allow: "none", answer: "Server: nginx", more: otherRoute("/api", "GET", "POST")}, WrongUpstream, Possible, ""},
		{"two routes for one path, other writes", scene{client: "POST /api/a", route: "/api", keep: true, allow: "GET, DELETE", more: otherRoute("/api")}, MethodNotAllowed, Likely, ""},
		{"a route beside, for more", scene{client: "POST /api/a", route: "/api", keep: true, allow: "GET", more: otherRoute("/")}, MethodNotAllowed, Possible, ""},
		{"the service's path ends as the client's begins", scene{client: "POST /llm/v1/messages", route: "/llm", base: "/api/v1", allow: "GET"}, ServicePath, Likely, "POST /api/v1/messages"},
		{"it ends so with two segments", scene{client: "PUT /tickets/api/v2/7", route: "/tickets", base: "/rest/api/v2", allow: "GET, HEAD"}, ServicePath, Likely, "PUT /rest/api/v2/7"},
		{"it ends so, and that takes it", scene{client: "POST /llm/v1/messages", route: "/llm", base: "/api/v1", allow: "GET", seen: takes("/api/v1/messages", "POST")}, ServicePath, Confirmed, "POST /api/v1/messages"},
		{"it ends with a name that lies below itself", scene{client: "POST /x/files/7", route: "/x", base: "/apps/files", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"it ends so, and the path is there", scene{client: "POST /llm/v1/messages", route: "/llm", base: "/api/v1", allow: "GET", seen: Offers{Paths: map[string]Offer{"/api/v1/v1/messages": {Methods: []string{"GET"}, Complete: true, Presence: Present}}}}, MethodNotAllowed, Likely, ""},
		{"the client says a version twice", scene{client: "POST /v1/v1/chat", route: "/", allow: "GET"}, WrongPath, Likely, "POST /v1/chat"},
		{"the client says a base address twice", scene{client: "POST /api/v2/api/v2/dags/x/dagRuns", route: "/", allow: "GET", answer: "Server: uvicorn"}, WrongPath, Likely, "POST /api/v2/dags/x/dagRuns"},
		{"the client says it twice below what is stripped", scene{client: "POST /airflow/api/v2/api/v2/dags", route: "/airflow", allow: "GET"}, WrongPath, Likely, "POST /api/v2/dags"},
		{"the client says a version twice, and an id it is", scene{client: "POST /repos/v1/v1", route: "/", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"the client says a version twice, where something writes", scene{client: "POST /v1/v1/chat", route: "/", allow: "DELETE, GET"}, MethodNotAllowed, Likely, ""},
		{"the service's path ends with a version, and an id it is", scene{client: "POST /rel/v1", route: "/rel", base: "/versions/v1", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"a name that lies below itself", scene{client: "POST /repos/gitea/gitea", route: "/", allow: "GET"}, MethodNotAllowed, Possible, ""},
		{"said twice, and once is the route's", scene{client: "POST /api/api/x", route: "/api", allow: "GET"}, MethodNotAllowed, Likely, ""},
		{"said twice, and there", scene{client: "POST /v1/v1/chat", route: "/", allow: "GET", seen: Offers{Paths: map[string]Offer{"/v1/v1/chat": {Methods: []string{"GET"}, Complete: true, Presence: Present}}}}, MethodNotAllowed, Likely, ""},
		{"WebDAV, and the answer lists PROPFIND", scene{client: "REPORT /dav/7", route: "/dav", allow: "OPTIONS, GET, PROPFIND, PUT"}, MethodNotAllowed, Likely, ""},
		{"WebDAV, and the answer has DAV", scene{client: "LOCK /dav/7", route: "/dav", allow: "none", answer: "DAV: 1"}, MethodNotAllowed, Possible, ""},
		{"MKCOL on what may be there", scene{client: "MKCOL /dav/7/", route: "/dav", allow: "none"}, MethodNotAllowed, Possible, ""},
		{"MKCOL, an error of WebDAV's through nginx", scene{client: "MKCOL /dav/7/", route: "/dav", allow: "none", answer: "Server: nginx", body: `<d:error xmlns:d="DAV:"/>`}, MethodNotAllowed, Possible, ""},
		{"MKCOL, a file server's page", scene{client: "MKCOL /dav/7/", route: "/dav", allow: "none", answer: "Server: nginx"}, ProtocolMismatch, Likely, ""},
		{"MKCOL, plain HTTP's methods", scene{client: "MKCOL /dav/7/", route: "/dav", allow: "GET, HEAD"}, ProtocolMismatch, Likely, ""},
		{"route of another service", scene{client: "POST /img/a", route: "~/(img|css)/", keep: true, allow: "none", answer: "Server: nginx", more: otherRoute("/img")}, RouteShadowed, Likely, ""},
		{"page of another route", scene{client: "POST /send", header: "Referer: https://h.example/app/new", route: "/", allow: "none", answer: "Server: nginx", more: pageRoute("/app")}, WrongPath, Likely, ""},
		{"page of the same route", scene{client: "POST /send", header: "Referer: https://h.example/new", route: "/", allow: "none", answer: "Server: nginx", more: pageRoute("/app")}, WrongUpstream, Possible, ""},
		{"page of another host", scene{client: "POST /send", header: "Referer: https://ui.example/app/new", route: "/", allow: "none", answer: "Server: nginx", more: pageRoute("/app")}, WrongUpstream, Possible, ""},
		{"page of another route, an application answered", scene{client: "POST /send", header: "Referer: https://h.example/app/new", route: "/", allow: "GET", more: pageRoute("/app")}, MethodNotAllowed, Possible, ""},
		{"page of another route, a route for the path", scene{client: "POST /api/send", header: "Referer: https://h.example/app/new", route: "/api", allow: "none", answer: "Server: nginx", more: pageRoute("/app")}, WrongUpstream, Possible, ""},
		{"another target takes it", scene{client: "POST /a", allow: "GET", more: elsewhere(200)}, TargetDivergence, Confirmed, ""},
		{"another target asks who it is", scene{client: "POST /a", allow: "GET", more: elsewhere(401)}, MethodNotAllowed, Possible, ""},
		{"another target has enough", scene{client: "POST /a", allow: "GET", more: elsewhere(429)}, MethodNotAllowed, Possible, ""},
		{"another target does not know the path", scene{client: "POST /a", allow: "GET", more: elsewhere(404)}, MethodNotAllowed, Possible, ""},
		{"another target refuses too", scene{client: "POST /a", allow: "GET", more: elsewhere(405)}, MethodNotAllowed, Possible, ""},
		{"an outer proxy's prefix", scene{client: "POST /api/sendOrder", route: "/api/sendOrder", methods: []string{"POST"}, allow: "GET", more: func(x *Exchange) { x.Stripped = "/outer" }}, StripPath, Likely, "POST /api/sendOrder"},
		{"Kong's answer, no upstream", scene{client: "TRACE /a", allow: "none", more: func(x *Exchange) { x.Source, x.Upstream = "error", Request{} }}, GatewayGenerated, Confirmed, ""},
		{"a plugin's answer", scene{client: "POST /a", allow: "none", more: source("exit")}, GatewayGenerated, Confirmed, ""},
		{"no route", scene{client: "POST /a", allow: "none", more: func(x *Exchange) { x.Source, x.Upstream, x.Route, x.Response.Status = "exit", Request{}, nil, 404 }}, GatewayGenerated, Confirmed, ""},
		{"another target has the path", scene{client: "POST /a", allow: "none", more: func(x *Exchange) { elsewhere(200)(x); x.Response.Status = 404 }}, TargetDivergence, Confirmed, ""},
		{"Kong's answer", scene{client: "TRACE /a", allow: "none", more: source("error")}, GatewayGenerated, Confirmed, ""},

		// method-not-allowed, and the method that was meant.
		{"IIS takes PUT for WebDAV", scene{client: "PUT /a/1", keep: true, route: "/a", allow: "GET, HEAD, OPTIONS, TRACE", answer: "Server: Microsoft-IIS/10.0"}, MethodNotAllowed, Possible, ""},
		{"GraphQL by GET", scene{client: "GET /graphql", allow: "none"}, MethodNotAllowed, Possible, "POST /graphql"},
		{"asked without an answer, and documented", scene{client: "GET /hook", allow: "none", seen: Offers{API: offers("/hook").API, Paths: map[string]Offer{"/hook": {Presence: Present}}}}, MethodNotAllowed, Likely, "POST /hook"},
		{"asked with OPTIONS", scene{client: "GET /hook", allow: "none", seen: takes("/hook", "POST")}, MethodNotAllowed, Likely, "POST /hook"},
		{"untouched", scene{client: "DELETE /items", keep: true, route: "/items", allow: "GET, POST"}, MethodNotAllowed, Likely, ""},
		{"GET on a writer", scene{client: "GET /gql", route: "/gql", base: "/graphql", allow: "POST"}, MethodNotAllowed, Possible, "POST /graphql"},
		{"GET where much is taken", scene{client: "GET /a/7", keep: true, route: "/a", allow: "DELETE, PUT, POST"}, MethodNotAllowed, Likely, "POST /a/7"},
		{"GET where only DELETE is", scene{client: "GET /a/7/", keep: true, route: "/a", allow: "DELETE"}, MethodNotAllowed, Likely, ""},
		{"GET where HEAD is, and what writes", scene{client: "GET /hook/7", keep: true, route: "/hook", allow: "HEAD,POST,PUT"}, MethodNotAllowed, Likely, "POST /hook/7"},
		{"POST where PUT is", scene{client: "POST /a/7", keep: true, route: "/a", allow: "GET, PUT"}, MethodNotAllowed, Likely, "PUT /a/7"},
		{"suggested and refused", scene{client: "POST /a", keep: true, route: "/a", allow: "PUT", seen: offers("GET /a")}, MethodNotAllowed, Likely, ""},
		{"listed and refused", scene{client: "POST /a", keep: true, route: "/a", allow: "POST"}, MethodNotAllowed, Possible, ""},
		{"no method at all", scene{client: "POST /a", keep: true, route: "/a", allow: ""}, MethodNotAllowed, Likely, ""},
	}
	seen := map[Code]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := tt.exchange()
			d := Explain(x, tt.seen)
			assert.Equal(t, tt.want, d.Cause, d.Reason)
			assert.Equal(t, tt.sure, d.Certainty, d.Reason)
			assert.Equal(t, tt.upstream, upstreamOf(d.Fixes[0]), d.Fixes[0].Words)
			checkLaws(t, x, tt.seen, d)
			seen[d.Cause] = true
			checkNotFound(t, x, tt.seen)
		})
	}
	for _, c := range causes {
		assert.True(t, seen[c.code], "no row ends in %s", c.code)
	}
}

// over says with which scheme the client came to the host h.
func over(scheme string) func(*Exchange) {
	return func(x *Exchange) { x.Client.Scheme, x.Client.Host = scheme, "h" }
}

func httpsOnly(code int) func(*Exchange) {
	return func(x *Exchange) {
		x.Route.Protocols, x.Route.HTTPSRedirectStatusCode = []string{"https"}, code
	}
}

func source(s string) func(*Exchange) { return func(x *Exchange) { x.Source = s } }

func elsewhere(status int) func(*Exchange) {
	return func(x *Exchange) {
		x.Target = "127.0.0.1:1"
		x.Elsewhere = []TargetAnswer{{"127.0.0.1:1", 405}, {"127.0.0.1:2", status}}
	}
}

func otherRoute(path string, methods ...string) func(*Exchange) {
	return func(x *Exchange) {
		x.Routes = []*config.Route{x.Route, {ID: "20000000-0000-4000-8000-000000000000", Name: "other", Protocols: []string{"http"}, Methods: methods, Paths: []string{path}, Service: &config.Service{Name: "app", Enabled: true}}}
	}
}

func pageRoute(path string) func(*Exchange) {
	return func(x *Exchange) {
		otherRoute(path)(x)
		x.Client.Host = "h.example"
	}
}

func upstreamOf(f Fix) string {
	if f.Upstream == nil {
		return ""
	}
	return f.Upstream.String()
}

// checkNotFound asserts that the sentences about a 404 do not speak of a 405, in which
// a method is refused.
func checkNotFound(t *testing.T, x Exchange, seen Offers) {
	t.Helper()
	x.Response.Status = http.StatusNotFound
	x.Response.Header = x.Response.Header.Clone()
	x.Response.Header.Del("Allow")
	d := Explain(x, seen)
	said := append([]string{d.Reason}, d.Facts...)
	for _, f := range d.Fixes {
		said = append(said, f.Words, f.App)
	}
	for _, c := range d.Considered {
		said = append(said, c.Reason)
	}
	for _, words := range said {
		assert.NotRegexp(t, "405|refuse|takes only|does not take|takes no method|Allow", words)
	}
}

// checkLaws asserts what holds for every diagnosis.
func checkLaws(t *testing.T, x Exchange, seen Offers, d Diagnosis) {
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
	assert.Equal(t, d, Explain(x, seen), "the same exchange gives the same answer")
}

// What the fix would lead to is asked of kong/router, so applying it must give
// just that request.
func TestFixLeadsWhereItSays(t *testing.T) {
	x := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", methods: []string{"POST"}, allow: "GET"}.exchange()
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
	endpoint := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", methods: []string{"POST"}, allow: "GET"}
	tests := []struct {
		name string
		scene
		seen Offers
		want Code
		sure Certainty
	}{
		{"taken there: confirmed", mount, takes("/shop/items", "POST"), StripPath, Confirmed},
		{"offered there: confirmed", mount, offers("/shop/{what}"), StripPath, Confirmed},
		{"refused there: not the cause", endpoint, takes("/api/sendOrder", "GET"), MethodNotAllowed, Possible},
		{"no such path: not the cause", endpoint, takes("/api/sendOrder"), MethodNotAllowed, Possible},
		{"not in the document: not the cause", endpoint, offers("/api/sendOrder/{id}", "GET /"), MethodNotAllowed, Possible},
		{"document from another point of view: says nothing", endpoint, offers("/api/sendOrder/{id}"), StripPath, Likely},
		{"any path at all: says nothing", mount, offers("/{a}/{b}", "GET /items"), MethodNotAllowed, Likely},
		{"perhaps below a placeholder: says nothing", endpoint, offers("/{page}", "GET /"), StripPath, Likely},
		{"perhaps more than named: says nothing", endpoint, Offers{Paths: map[string]Offer{"/api/sendOrder": {Methods: []string{"GET"}}}}, StripPath, Likely},
		{"another path: says nothing", endpoint, takes("/other", "POST"), StripPath, Likely},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Explain(tt.exchange(), tt.seen)
			assert.Equal(t, tt.want, d.Cause)
			assert.Equal(t, tt.sure, d.Certainty)
		})
	}
}

func TestTemplateMatches(t *testing.T) {
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
		{"/{name}.json", "/a.json", true},
		{"/{name}.json", "/.json", false},
		{"/{from}-{to}", "/a-b", true},
		{"/{from}-{to}", "/a-", false},
		{"/{from}-{to}", "/-b", false},
		{"/{a}.{b}.gz", "/x.tar.gz", true},
		{"/{a}{b}", "/xy", true},
		{"/{open", "/{open", false},
	}
	for _, tt := range tests {
		matching, _ := NewAPI([]Endpoint{{Path: tt.template}}).find(tt.path)
		assert.Equal(t, tt.want, len(matching) == 1, "%s %s", tt.template, tt.path)
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
		checkLaws(t, x, Offers{}, d)
	}
}

// Without a route nothing of the gateway can be blamed, and there is an answer
// all the same.
func TestExplainWithoutRoute(t *testing.T) {
	x := scene{client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"}.exchange()
	x.Route, x.Service = nil, nil
	d := Explain(x, takes("/api/sendOrder", "POST"))
	assert.Equal(t, StripPath, d.Cause, "X-Forwarded-Prefix says it even so")
	assert.Equal(t, "the route", d.Fixes[0].Entity.String())

	x.Stripped = ""
	assert.Equal(t, MethodNotAllowed, Explain(x, takes("/api/sendOrder", "POST")).Cause)
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
	f.Add("DELETE", "/a/b", "DELETE", "/a/b", "/", "", "", "PUT", false)
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
		for _, seen := range []Offers{
			{},
			{Paths: map[string]Offer{upPath: {Methods: []string{"GET"}, Complete: true}, path: {Methods: []string{allow}}}},
			{API: NewAPI([]Endpoint{{upPath, []string{"GET"}}, {path + "/{x}", []string{method}}, {routePath, []string{upMethod}}})},
		} {
			if d := Explain(x, seen); d.Cause == "" || d.Reason == "" || len(d.Fixes) == 0 {
				t.Fatalf("no answer for %+v with %+v: %+v", x, seen, d)
			}
		}
		Candidates(x)
	})
}

// Explain runs while a client waits, so it has to be quick: the bound is 30 µs and
// 150 allocations.
func BenchmarkExplain(b *testing.B) {
	for name, s := range map[string]scene{
		"plain":  {client: "POST /api/sendOrder", route: "/api/sendOrder", allow: "GET"},
		"regex":  {client: "POST /api/v2/auth/login", route: "~/api/v[12]/auth", allow: "GET, HEAD"},
		"nobody": {client: "POST /shop/items/7", route: "/shop", base: "/v1", allow: "GET, DELETE", answer: "Server: nginx"},
	} {
		x := s.exchange()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Explain(x, Offers{})
			}
		})
	}
}

// However long a path and however large a document, a client waits.
func TestExplainIsBounded(t *testing.T) {
	endpoints := make([]Endpoint, 20_000)
	for i := range endpoints {
		endpoints[i] = Endpoint{"/api/v1/things/" + strconv.Itoa(i) + "/{id}", []string{"GET", "POST"}}
	}
	seen := Offers{API: NewAPI(endpoints)}
	for name, path := range map[string]string{
		"segments":  strings.Repeat("/api", 4000),
		"slashes":   "/" + strings.Repeat("/", 8000),
		"escapes":   "/a" + strings.Repeat("%2F", 2600),
		"one":       "/" + strings.Repeat("a", 8000),
		"near":      "/api/v1/things/7",
		"templated": "/" + strings.Repeat("{x}", 2600),
	} {
		x := scene{client: "POST " + path, route: "/", keep: true, allow: "GET"}.exchange()
		// What else the machine does makes a run longer, and none shorter.
		least := time.Duration(math.MaxInt64)
		for try := 0; try < 50 && least >= explainBound; try++ {
			least = min(least, threadTime(func() { Explain(x, seen) }))
		}
		assert.Less(t, least, explainBound, name)
	}
}

func TestRequestLine(t *testing.T) {
	tests := []struct{ line, method, path, query string }{
		{"GET /a HTTP/1.1", "GET", "/a", ""},
		{"GET /a?b=c?d HTTP/2.0", "GET", "/a", "b=c?d"},
		{"GET /a b HTTP/1.1", "GET", "/a b", ""},
		{"POST http://host:80/a?b HTTP/1.1", "POST", "/a", "b"},
		{"POST http://host HTTP/1.1", "POST", "/", ""},
		{"GET /x?u=http://y/z HTTP/1.1", "GET", "/x", "u=http://y/z"},
		{"OPTIONS * HTTP/1.1", "OPTIONS", "*", ""},
		{"GET /a", "GET", "/a", ""},
		{"", "", "", ""},
	}
	for _, tt := range tests {
		method, path, query := RequestLine(tt.line)
		assert.Equal(t, []string{tt.method, tt.path, tt.query}, []string{method, path, query}, tt.line)
	}
}

func FuzzParseAllow(f *testing.F) {
	for _, s := range []string{"", "GET", "GET, HEAD,POST", ",, GET,", "GET\r\nX: y", "a b", "\x00\xff", "get, GET"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		a := ParseAllow([]string{one, two})
		if !a.Sent {
			t.Fatal("an Allow that came was not seen")
		}
		for i, m := range a.Methods {
			if !isToken(m) || slices.Index(a.Methods, m) != i || !strings.Contains(one+","+two, m) {
				t.Fatalf("%q, %q gave %q", one, two, a.Methods)
			}
		}
	})
}

// What is so already is not among what a gRPC client is told to change; where nothing is
// left to change, something else answers.
func TestGRPCFixSetsWhatIsNotSet(t *testing.T) {
	speaks := func(route, service string) func(*Exchange) {
		return func(x *Exchange) {
			x.Route.Protocols, x.Service.Protocol = strings.Split(route, ","), service
		}
	}
	const elsewhere = "point service s at the address where the application listens for gRPC: "
	tests := []struct {
		content string
		s       scene
		words   string
		set     map[string]any
	}{
		{"grpc", scene{more: speaks("http,https", "http")}, "set protocols=grpc,grpcs and strip_path=false on route r, and protocol=grpc on service s",
			map[string]any{"route.protocols": []any{"grpc", "grpcs"}, "route.strip_path": false, "service.protocol": "grpc"}},
		{"grpc", scene{more: speaks("http", "http"), keep: true, base: "/b", methods: []string{"POST"}}, "set protocols=grpc,grpcs and methods=null on route r, and protocol=grpc and path=null on service s",
			map[string]any{"route.protocols": []any{"grpc", "grpcs"}, "route.methods": nil, "service.protocol": "grpc", "service.path": nil}},
		{"grpc", scene{more: speaks("http", "grpcs"), keep: true}, "set protocols=grpc,grpcs on route r", map[string]any{"route.protocols": []any{"grpc", "grpcs"}}},
		{"grpc+proto", scene{more: speaks("grpcs", "http"), keep: true}, "set protocol=grpc on service s", map[string]any{"service.protocol": "grpc"}},
		{"grpc", scene{more: speaks("grpc,grpcs", "grpc"), keep: true}, elsewhere + "route and service speak it already, and what answered does not", nil},
		{"grpc-web", scene{more: speaks("http", "http")}, "enable the grpc-web plugin on route r and set protocol=grpc on service s",
			map[string]any{"plugin.grpc-web": map[string]any{}, "service.protocol": "grpc"}},
		{"grpc-web", scene{more: speaks("http", "grpc")}, "enable the grpc-web plugin on route r", map[string]any{"plugin.grpc-web": map[string]any{}}},
		{"grpc-web", scene{more: func(x *Exchange) { x.Service.Protocol, x.Plugins = "grpc", []string{"cors", "grpc-web"} }},
			elsewhere + "the grpc-web plugin and the service speak it already, and what answered does not", nil},
	}
	for _, tt := range tests {
		tt.s.client, tt.s.header, tt.s.allow = "POST /pkg.Svc/Do", "Content-Type: application/"+tt.content, "GET"
		d := Explain(tt.s.exchange(), Offers{})
		require.Equal(t, ProtocolMismatch, d.Cause, tt.words)
		assert.Equal(t, tt.words, d.Fixes[0].Words)
		assert.Equal(t, tt.set, d.Fixes[0].Set, tt.words)
	}
}
