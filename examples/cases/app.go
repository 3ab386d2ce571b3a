package main

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// application answers as an application of a case does: by its routes and its
// framework's rules. It knows nothing of the case's request and of what is
// expected of its answer, so that a case can be wrong about them.
type application struct {
	at      string // host:port in the case
	spec    AppSpec
	family  family
	journal *journal
}

// newApplication makes the application that listens at an address of a case.
func newApplication(at string, spec AppSpec, j *journal) *application {
	return &application{at: at, spec: spec, family: familyOf(spec.Framework), journal: j}
}

// received is a request that reached an application.
type received struct {
	App    string `json:"app"`
	Method string `json:"method"`
	Target string `json:"target"` // byte for byte
	Host   string `json:"host"`
}

// line is the request without its query.
func (r received) line() string { return r.Method + " " + pathOf(r.Target) }

// pathOf is the path of a request target.
func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// journal is what reached the applications of a case, in order.
type journal struct {
	mu   sync.Mutex
	list []received
}

func (j *journal) add(r received) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list = append(j.list, r)
}

// mark is a place in the journal, and since is what came after it.
func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.list)
}

func (j *journal) since(mark int) []received {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.list[mark:])
}

// reply is an application's answer.
type reply struct {
	status   int
	allow    string // the Allow header, if hasAllow
	hasAllow bool
	location string
	page     page
}

// ServeHTTP writes down the request and answers it.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := received{App: a.at, Method: r.Method, Target: r.RequestURI, Host: r.Host}
	a.journal.add(got)
	_, _ = io.Copy(io.Discard, r.Body) // a body that breaks off has no answer to spoil
	if a.spec.Server != "" {
		w.Header().Set("Server", a.spec.Server)
	}
	if a.upgrades(got, r.Header) {
		switchProtocols(w, r)
		return
	}
	a.answer(got).write(w, r.Method)
}

func (r reply) write(w http.ResponseWriter, method string) {
	h := w.Header()
	h["Content-Type"] = nil // or net/http guesses one
	if r.page.kind != "" {
		h.Set("Content-Type", r.page.kind)
	}
	if r.hasAllow {
		h.Set("Allow", r.allow)
	}
	if r.location != "" {
		h.Set("Location", r.location)
	}
	w.WriteHeader(r.status)
	if method != http.MethodHead {
		_, _ = io.WriteString(w, r.page.body) // a client that is gone needs none
	}
}

// answer decides by the routes of the virtual host:
//
//	a route has path and method                   200
//	the framework answers OPTIONS by itself       200 with Allow
//	a route has the path                          405, or 404 where the framework hides it
//	a route has the path but for its last slash   a redirect, where the case says so
//	else                                          404
func (a *application) answer(r received) reply {
	if a.family.static {
		return a.static(r)
	}
	routes := withPath(a.routesFor(r.Host), pathOf(r.Target))
	switch {
	case len(routes) == 0:
		return a.notFound(r)
	case a.family.takes(methodsOf(routes), r.Method):
		return success(r)
	case a.family.takesOptions && r.Method == http.MethodOptions && !refusesAll(routes):
		list := a.family.options(methodsOf(routes))
		return reply{status: http.StatusOK, allow: strings.Join(list, ", "), hasAllow: true}
	case a.family.hides:
		return reply{status: http.StatusNotFound, page: a.errorPage(http.StatusNotFound, r)}
	}
	return a.refuse(r, routes)
}

// routesFor are the routes of the virtual host that a Host header names.
func (a *application) routesFor(host string) []AppRoute {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	for key, routes := range a.spec.Hosts {
		if strings.EqualFold(key, host) || strings.EqualFold(key, name) {
			return routes
		}
	}
	return a.spec.Routes
}

func withPath(routes []AppRoute, path string) []AppRoute {
	var list []AppRoute
	for _, route := range routes {
		if matchPath(route.Path, path) {
			list = append(list, route)
		}
	}
	return list
}

func refusesAll(routes []AppRoute) bool { return len(methodsOf(routes)) == 0 }

// methodsOf are the methods of routes, each once, in order.
func methodsOf(routes []AppRoute) []string {
	var list []string
	for _, route := range routes {
		for _, m := range route.Methods {
			if !slices.Contains(list, m) {
				list = append(list, m)
			}
		}
	}
	return list
}

// refuse is the 405.
func (a *application) refuse(r received, routes []AppRoute) reply {
	out := reply{status: http.StatusMethodNotAllowed}
	out.page = a.errorPage(out.status, r)
	if a.family.noAllow || a.family.mount && hasMount(a.routesFor(r.Host)) {
		return out
	}
	if a.family.firstRoute {
		routes = routes[:1]
	}
	list := a.family.allow(methodsOf(routes))
	out.allow, out.hasAllow = strings.Join(list, ", "), len(list) > 0
	return out
}

// hasMount recognises a static mount: the last route, for every path that no
// other took, whatever the method. What it refuses has no Allow.
func hasMount(routes []AppRoute) bool {
	if len(routes) == 0 {
		return false
	}
	last := routes[len(routes)-1]
	return strings.HasPrefix(last.Path, "/{") && strings.HasSuffix(last.Path, ":path}") &&
		slices.Equal(slices.Sorted(slices.Values(last.Methods)), []string{http.MethodGet, http.MethodHead})
}

func (a *application) errorPage(status int, r received) page {
	return a.family.errorPage(failure{status, r.Method, pathOf(r.Target), a.spec.Server})
}

// static serves files: GET and HEAD on every path.
func (a *application) static(r received) reply {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return success(r)
	}
	return a.refuse(r, nil)
}

// success is 200 with what arrived.
func success(r received) reply {
	data, err := json.Marshal(r)
	if err != nil {
		panic("bug: a received request that JSON cannot have: " + err.Error())
	}
	return reply{status: http.StatusOK, page: page{"application/json", string(data)}}
}

// notFound is 404, or the redirect to the path with or without a slash.
func (a *application) notFound(r received) reply {
	path, query, hasQuery := strings.Cut(r.Target, "?")
	if other, ok := a.otherSlash(path, r.Host); ok {
		out := reply{status: http.StatusMovedPermanently, location: other}
		if a.family.redirect != 0 {
			out.status = a.family.redirect
		}
		if hasQuery {
			out.location += "?" + query
		}
		return out
	}
	return reply{status: http.StatusNotFound, page: a.errorPage(http.StatusNotFound, r)}
}

func (a *application) otherSlash(path, host string) (string, bool) {
	other, had := strings.CutSuffix(path, "/")
	if !had {
		other = path + "/"
	}
	if !a.spec.RedirectSlashes || other == "" || had && a.family.onlyAddsSlash {
		return "", false
	}
	return other, len(withPath(a.routesFor(host), other)) > 0
}

// upgrades reports a WebSocket handshake with an endpoint that has nothing for
// plain HTTP.
func (a *application) upgrades(r received, h http.Header) bool {
	routes := withPath(a.routesFor(r.Host), pathOf(r.Target))
	return a.family.socket && strings.EqualFold(h.Get("Upgrade"), "websocket") && h.Get("Sec-WebSocket-Key") != "" &&
		len(routes) > 0 && refusesAll(routes)
}

// switchProtocols accepts a WebSocket handshake (RFC 6455 section 4.2.2) and
// hangs up.
func switchProtocols(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
}
