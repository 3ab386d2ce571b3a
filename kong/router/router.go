// Package router answers which route of a configuration a request matches, and
// what its upstream then gets. It computes; it reads and sends nothing.
//
// [New] compiles a configuration, [Router.Match] takes a request, [Router.Decide]
// also says what nginx makes of it before. [UpstreamPath] is Kong's path
// arithmetic by itself, for asking what would have been.
//
// It is Kong 3.9.1's router in each of its flavours:
//
//   - traditional_compatible, the default: [compiled] has a route's conditions,
//     [priority] the order in which they are tried
//   - expressions: the same for routes as they were, and kong/atc for those with an
//     expression (expression.go, fields.go)
//   - traditional: another order, other regular expressions, and path_handling v1
//     (traditional.go)
//
// What of it is not a matter of configuration and request alone is left out. Kong
// keeps its decisions in a cache whose key lacks the scheme: a request may get what
// another one with the same path, host, method and so on got over the other scheme.
package router

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"diag405/kong/config"
	"diag405/kong/cores"
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

	// ClientIP and ClientPort are where the request came from, ServerIP is the address
	// that it came to. Only the expressions flavour looks at them; "" and 0 match
	// nothing there.
	ClientIP   string
	ClientPort int
	ServerIP   string
}

// Match is a route that takes a request, and what its upstream gets.
type Match struct {
	Route   *config.Route
	Service *config.Service // nil when the route has none

	Path          string   // the request's path as routes see it: normalised
	ForwardedPath string   // the request's path as it was sent: X-Forwarded-Path
	Prefix        string   // what of Path the route's path, or its expression, matched; "" for none
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

// A Router holds the routes of a configuration. Many goroutines may use it.
type Router struct {
	// parts are those of one route behind those of another, and of one route in the
	// order in which Kong tries them.
	parts  []*compiled
	fields []textField // what Kong reads of every request

	asked   atomic.Int64 // how many requests
	ordered func() *orders
	groups  func() map[*config.Route][]*compiled // the parts of each route

	traditional *traditional // instead of all above
}

// orders are those in which Kong tries all parts. The first few requests are held
// against every part instead, and the first of those that match is chosen: to one
// request that is the quicker way.
type orders struct {
	warm, young *sieve // young is that of a worker that has just started
	aging       bool   // the two differ
}

// fewRequests is how many there may be before parts are put in order and indexed.
const fewRequests = 8

// RouteError is why one route is not in a router.
type RouteError struct {
	Route *config.Route
	Err   error
}

func (e *RouteError) Error() string { return fmt.Sprintf("route %q: %v", Name(e.Route), e.Err) }
func (e *RouteError) Unwrap() error { return e.Err }

// Broken are the routes that [New]'s error is about, and what else it says.
func Broken(err error) (broken []*RouteError, other error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var others []error
	for _, one := range all {
		var of *RouteError
		if errors.As(one, &of) {
			broken = append(broken, of)
		} else {
			others = append(others, one)
		}
	}
	return broken, errors.Join(others...)
}

// New compiles the routes of a configuration, for the router flavour that it was
// read for. Routes of Kong's stream subsystem and of disabled services are left
// out, as in Kong.
//
// The error joins a [*RouteError] for each route that cannot be compiled. The
// router is there all the same, without those: Kong leaves such a route out, too.
func New(cfg *config.Config) (*Router, error) {
	var routes []*config.Route
	for _, route := range cfg.Routes {
		if isHTTP(route) && (route.Service == nil || route.Service.Enabled) {
			routes = append(routes, route)
		}
	}
	if cfg.Flavor == config.Traditional {
		t, err := newTraditional(routes)
		return &Router{traditional: t}, err
	}
	return newCompiled(routes, cfg.Flavor)
}

// newCompiled is New for the two flavours that are built on atc-router
// (new_from_scratch in kong/router/atc.lua).
func newCompiled(routes []*config.Route, flavor config.Flavor) (*Router, error) {
	parts, errs := compileSideBySide(routes, func(route *config.Route) ([]*compiled, error) {
		parts, err := compileRoute(route, flavor)
		slices.SortFunc(parts, before)
		return parts, err
	})
	r := &Router{parts: parts}
	r.readFields()
	r.ordered = sync.OnceValue(r.order)
	r.groups = sync.OnceValue(r.group)
	return r, errors.Join(errs...)
}

// readFields finds out what Kong reads of every request.
func (r *Router) readFields() {
	seen := map[string]bool{}
	for _, part := range r.parts {
		for field := range part.fields() {
			if !seen[field] {
				seen[field] = true
				r.fields = append(r.fields, newTextField(field))
			}
		}
	}
}

// order puts all parts in order.
func (r *Router) order() *orders {
	all := slices.Clone(r.parts)
	slices.SortFunc(all, before)
	o := &orders{warm: newSieve(all)}
	o.young = o.warm
	if young, differs := youngOrder(all); differs {
		o.young, o.aging = newSieve(young), true
	}
	return o
}

// group finds the parts of each route.
func (r *Router) group() map[*config.Route][]*compiled {
	groups := map[*config.Route][]*compiled{}
	for parts := range r.byRoute(0, len(r.parts)) {
		groups[parts[0].route] = parts
	}
	return groups
}

// byRoute are the parts of one route after the other: of those whose first part is
// between two places.
func (r *Router) byRoute(from, to int) iter.Seq[[]*compiled] {
	return func(yield func([]*compiled) bool) {
		for from > 0 && from < to && r.parts[from].route == r.parts[from-1].route {
			from++
		}
		for from < to {
			end := from + 1
			for end < len(r.parts) && r.parts[end].route == r.parts[from].route {
				end++
			}
			if !yield(r.parts[from:end:end]) {
				return
			}
			from = end
		}
	}
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

// Match finds the route that a Kong chooses that has run for a while. Without one
// Kong answers 404, for a method that no route has too.
//
// Protocols of a route play no part save in the expressions flavour: a route for
// https only also takes a plain request, and Kong then answers 426 or a redirect.
func (r *Router) Match(req Request) (*Match, bool) {
	m, refusal := r.find(newQuery(req), ofWarm)
	return m, refusal == ""
}

// Decision is what becomes of a request before any plugin runs: a match, or why
// there is none.
type Decision struct {
	Match   *Match
	Refusal Refusal
}

// Decide is Match with what nginx refuses before Kong's router sees it, and with
// the reason where there is no route.
func (r *Router) Decide(req Request) Decision {
	if refusal := refuse(req); refusal != "" {
		return Decision{Refusal: refusal}
	}
	m, refusal := r.find(newQuery(req), ofWarm)
	return Decision{m, refusal}
}

// age is that of a worker of Kong.
type age int

const (
	ofWarm age = iota // that has been running for a while
	ofYoung
)

// find tries routes in an order.
func (r *Router) find(q *query, of age) (*Match, Refusal) {
	if r.traditional != nil {
		return r.traditional.find(q)
	}
	if refusal := r.unreadable(q); refusal != "" {
		return nil, refusal
	}
	part, prefix := r.first(q, of)
	if part == nil {
		return nil, NoRoute
	}
	return newMatch(q, part, prefix), ""
}

// first is the first part that takes a request, and what it takes of the path; nil
// for none.
func (r *Router) first(q *query, of age) (part *compiled, prefix string) {
	comesBefore := map[age]func(a, b *compiled) int{ofWarm: before, ofYoung: beforeFresh}[of]
	if r.asked.Add(1) > fewRequests {
		return r.ordered().of(of).first(q)
	}
	found := cores.Map(len(r.parts), fewRoutes, func(from, to int) (f firstFound) {
		f.add(r.parts[from:to], q.alone(), comesBefore)
		return f
	})
	first := found[0]
	for _, f := range found[1:] {
		if f.part != nil && (first.part == nil || comesBefore(first.part, f.part) >= 0) {
			first = f
		}
	}
	return first.part, first.prefix
}

func (o *orders) of(a age) *sieve {
	if a == ofYoung {
		return o.young
	}
	return o.warm
}

// unreadable is why Kong gives up on a request before it tries a route, "" for
// nothing.
func (r *Router) unreadable(q *query) Refusal {
	for _, field := range r.fields {
		if refusal := q.readable(field); refusal != "" {
			return refusal
		}
	}
	return ""
}

func newMatch(q *query, c *compiled, prefix string) *Match {
	m := matchOf(q, c.route, prefix)
	m.Captures = c.captures(q)
	m.setUpstream(q, UpstreamPath(m.servicePath(), q.path, prefix, c.route.StripPath))
	return m
}

// matchOf is a match without what the upstream gets.
func matchOf(q *query, route *config.Route, prefix string) *Match {
	m := &Match{Route: route, Service: route.Service, Path: q.path, Prefix: prefix}
	if route.StripPath && prefix != "/" {
		m.Stripped = prefix
	}
	if route.PreserveHost {
		m.UpstreamHost = q.rawHost
	}
	m.ForwardedPath, _ = SplitTarget(q.target)
	return m
}

func (m *Match) servicePath() string {
	if m.Service == nil {
		return ""
	}
	return m.Service.Path
}

func (m *Match) setUpstream(q *query, path string) {
	m.UpstreamPath = path
	m.UpstreamURI = path + querySuffix(q.target)
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
