// Package router answers which route of a configuration a request matches, and
// what its upstream then gets. It computes; it reads and sends nothing.
//
// [New] compiles a configuration, [Router.Match] takes a request. [UpstreamPath]
// is Kong's path arithmetic by itself, for asking what would have been.
//
// It is Kong 3.9.1's router in its default flavour, traditional_compatible.
// Configurations of the other flavours are refused.
package router

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"diag405/kong/config"
)

// Request is what of a request Kong routes by, as the client sent it.
type Request struct {
	Method string
	Target string // the request target: raw path and query
	Host   string // the Host header, with its port if it had one
	Scheme string // http or https; "" is http
	Port   int    // the port that Kong was reached on
	Header http.Header
	SNI    string // the server name of the TLS handshake, "" for none

	// ClientIP and ClientPort are where the request came from. No route of this
	// router flavour can match by them: Kong allows sources and destinations only
	// with stream protocols (kong/db/schema/entities/routes_subschemas.lua).
	ClientIP   string
	ClientPort int
}

// Match is a route that takes a request, and what its upstream gets.
type Match struct {
	Route   *config.Route
	Service *config.Service // nil when the route has none

	Path          string   // the request's path as routes see it: normalised
	ForwardedPath string   // the request's path as it was sent: X-Forwarded-Path
	Prefix        string   // what of Path the route's path matched; "" when it has no paths
	Stripped      string   // what strip_path removed: X-Forwarded-Prefix; "" for nothing, or only "/"
	Captures      Captures // of a path that is a regular expression

	UpstreamPath string // escaped, without query: $upstream_uri in the access phase
	UpstreamURI  string // with the query, as on the upstream's request line
	UpstreamHost string // the client's Host header with preserve_host, else ""
}

// Captures are the groups of a path that is a regular expression. Groups that
// took no part in the match are absent or "".
type Captures struct {
	Numbered []string // the whole match first; nil when the expression has no groups
	Named    map[string]string
}

// A Router holds the routes of a configuration in the order in which Kong tries
// them. It is not changed by matching, so many goroutines may use it.
type Router struct {
	routes    []*compiled
	usesPaths bool // some route has paths
}

// New compiles the routes of a configuration. Routes of Kong's stream subsystem
// and of disabled services are left out, as in Kong; a route for the expressions
// flavour is an error. Errors of several routes are joined.
func New(cfg *config.Config) (*Router, error) {
	var errs []error
	r := &Router{}
	for _, route := range cfg.Routes {
		if !isHTTP(route) || route.Service != nil && !route.Service.Enabled {
			continue
		}
		compiled, err := compileRoute(route)
		if err != nil {
			errs = append(errs, fmt.Errorf("route %q: %w", Name(route), err))
			continue
		}
		r.routes = append(r.routes, compiled...)
		r.usesPaths = r.usesPaths || len(route.Paths) > 0
	}
	slices.SortFunc(r.routes, before)
	return r, errors.Join(errs...)
}

// Name is what to call a route: its name, or its id.
func Name(route *config.Route) string {
	if route.Name != "" {
		return route.Name
	}
	return route.ID
}

// isHTTP reports whether Kong's HTTP subsystem serves the route.
func isHTTP(route *config.Route) bool {
	return slices.ContainsFunc(route.Protocols, func(p string) bool {
		return strings.HasPrefix(p, "http") || strings.HasPrefix(p, "grpc")
	})
}

// Match finds the route that Kong would choose. Without one Kong answers 404,
// for a method that no route has too.
//
// Protocols of a route play no part: a route for https only also takes a plain
// request, and Kong then answers 426 or a redirect.
func (r *Router) Match(req Request) (*Match, bool) {
	q := newQuery(req)
	// A path that is not UTF-8 cannot be handed to the matching library, and
	// Kong gives up on the request (context_add_value in atc-router's ffi).
	if r.usesPaths && !utf8.ValidString(q.path) {
		return nil, false
	}
	for _, route := range r.routes {
		if prefix, ok := route.match(q); ok {
			return newMatch(req, q, route, prefix), true
		}
	}
	return nil, false
}

func newMatch(req Request, q *query, c *compiled, prefix string) *Match {
	route := c.route
	m := &Match{
		Route:    route,
		Service:  route.Service,
		Path:     q.path,
		Prefix:   prefix,
		Captures: c.captures(q.path),
	}
	servicePath := ""
	if m.Service != nil {
		servicePath = m.Service.Path
	}
	if route.StripPath && prefix != "/" {
		m.Stripped = prefix
	}
	if route.PreserveHost {
		m.UpstreamHost = req.Host
	}
	m.ForwardedPath, _ = SplitTarget(req.Target)
	m.UpstreamPath = UpstreamPath(servicePath, q.path, prefix, route.StripPath)
	m.UpstreamURI = m.UpstreamPath + querySuffix(req.Target)
	return m
}

// querySuffix is the query with its "?". Kong keeps an empty one that ends the
// target, which nginx by itself would drop (access.after in
// kong/runloop/handler.lua).
func querySuffix(target string) string {
	_, query := SplitTarget(target)
	if query != "" || strings.HasSuffix(target, "?") {
		return "?" + query
	}
	return ""
}
