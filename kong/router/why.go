package router

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
)

// Reason says why a route takes a request or does not.
type Reason struct {
	Route *config.Route
	// Held are the route's attributes that the request has.
	Held []Attribute
	// Failed are those that it has not. A route with none takes the request, unless
	// another such route comes first.
	Failed []Attribute
	// Common is how many bytes the nearest of the route's paths has in common with the
	// beginning of the request's.
	Common int
	// Behind says why the route that takes the request comes before this one; "" for
	// any but a route that would have taken it, too.
	Behind string
}

// Attribute is one of a route's attributes held against a request.
type Attribute struct {
	Name  string // method, host, path, header or sni
	Words string // a clause about this route and this request
}

// Why holds every route against a request: first the one that takes it, as
// [Router.Match] says, then those that would have, in the order in which Kong
// tries them, then the others, the nearest first: with the fewest attributes that
// failed, of equals one whose path holds, and then the one whose path has more in
// common with the request's.
func (r *Router) Why(req Request) []Reason {
	q := newQuery(req)
	if r.traditional != nil {
		return r.traditional.why(q)
	}
	var all []reasoned
	seen := map[*config.Route]bool{}
	for _, part := range r.routes.order {
		if !seen[part.route] {
			seen[part.route] = true
			all = append(all, r.reasonFor(part.route, q))
		}
	}
	slices.SortStableFunc(all, nearer)
	out := make([]Reason, len(all))
	for i, one := range all {
		out[i] = one.Reason
		if i > 0 && len(one.Failed) == 0 {
			out[i].Behind = Name(all[0].Route) + " comes first: " + orderOf(all[0].part, one.part).Words
		}
	}
	return out
}

// reasoned is a reason with what it is sorted by.
type reasoned struct {
	Reason
	part  *compiled // that takes the request, or the route's first
	place int       // of that part in the router
}

func nearer(a, b reasoned) int {
	if c := cmp.Compare(len(a.Failed), len(b.Failed)); c != 0 {
		return c
	}
	if len(a.Failed) == 0 {
		return cmp.Compare(a.place, b.place)
	}
	return cmp.Or(
		cmp.Compare(pathFails(a.Failed), pathFails(b.Failed)),
		cmp.Compare(b.Common, a.Common),
		cmp.Compare(a.place, b.place),
	)
}

func pathFails(failed []Attribute) int {
	if slices.ContainsFunc(failed, func(a Attribute) bool { return a.Name == "path" }) {
		return 1
	}
	return 0
}

func (r *Router) reasonFor(route *config.Route, q *query) reasoned {
	out := reasoned{Reason: Reason{Route: route}}
	out.part, out.place = r.partOf(route, q)
	for _, check := range []func(*compiled, *query) (Attribute, verdict){
		whyExpression, r.whyPath, whyMethod, whyHost, whyHeaders, whySNI, whyProtocol, whyPeers,
	} {
		a, verdict := check(out.part, q)
		switch verdict {
		case holds:
			out.Held = append(out.Held, a)
		case fails:
			out.Failed = append(out.Failed, a)
		}
	}
	for _, path := range route.Paths {
		out.Common = max(out.Common, common(strings.TrimPrefix(path, "~"), q.path))
	}
	return out
}

// verdict is what came of holding an attribute against a request.
type verdict int

const (
	absent verdict = iota // the route has no such attribute
	holds
	fails
)

func judge(name string, ok bool, words string) (Attribute, verdict) {
	if ok {
		return Attribute{name, words}, holds
	}
	return Attribute{name, words}, fails
}

// whyPath speaks of the part's path, or of one of another part of the route.
func (r *Router) whyPath(c *compiled, q *query) (Attribute, verdict) {
	paths := c.route.Paths
	if len(paths) == 0 {
		return Attribute{}, absent
	}
	if prefix, ok := c.matchPath(q.path); ok {
		return judge("path", true, heldPath(c, q.path, prefix))
	}
	for _, place := range r.routes.places[c.route] {
		other := r.routes.order[place]
		if prefix, ok := other.matchPath(q.path); ok {
			return judge("path", true, heldPath(other, q.path, prefix))
		}
	}
	if len(paths) > 1 {
		return judge("path", false, fmt.Sprintf("none of its paths %s matches %s", list(paths), q.path))
	}
	return judge("path", false, failedPath(paths[0], q.path))
}

// heldPath names the path that matched: an expression with what it matched.
func heldPath(c *compiled, path, prefix string) string {
	for i, re := range c.regexes {
		if re.MatchString(path) {
			return fmt.Sprintf("path %s matches %s", expressions(c.route.Paths)[i], prefix)
		}
	}
	if prefix == path {
		return "path " + prefix
	}
	return fmt.Sprintf("path %s is a prefix of %s", prefix, path)
}

func expressions(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !config.IsRegexPath(p) })
}

func failedPath(path, got string) string {
	switch {
	case config.IsRegexPath(path):
		return fmt.Sprintf("its path %s, an expression, does not match %s", path, got)
	case strings.Contains(path, "*"):
		return fmt.Sprintf("its path %s is no prefix of %s, and the * in it stands for itself", path, got)
	}
	return fmt.Sprintf("its path %s is no prefix of %s", path, got)
}

func whyMethod(c *compiled, q *query) (Attribute, verdict) {
	methods := c.route.Methods
	switch {
	case len(methods) == 0:
		return Attribute{}, absent
	case slices.Contains(methods, q.method):
		return judge("method", true, "method "+q.method)
	case len(methods) == 1:
		return judge("method", false, "its only method is "+methods[0])
	}
	return judge("method", false, "its methods are "+list(methods))
}

func whyHost(c *compiled, q *query) (Attribute, verdict) {
	hosts := c.route.Hosts
	switch {
	case len(hosts) == 0:
		return Attribute{}, absent
	case c.matchHost(q):
		i := slices.IndexFunc(c.hosts, func(h hostPattern) bool { return h.match(q) })
		return judge("host", true, "host "+hosts[i])
	}
	words := fmt.Sprintf("its hosts are %s, and the Host is %s", list(hosts), orNone(q.host))
	if slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, q.host) }) {
		words += ": letter case counts"
	}
	return judge("host", false, words)
}

func whyHeaders(c *compiled, q *query) (Attribute, verdict) {
	if len(c.route.Headers) == 0 {
		return Attribute{}, absent
	}
	var held, failed []string
	for _, name := range slices.Sorted(maps.Keys(c.route.Headers)) {
		i := slices.IndexFunc(c.headers, func(h headerPattern) bool { return h.name == headerKey(name) })
		got := q.header.Values(http.CanonicalHeaderKey(headerKey(name)))
		if slices.ContainsFunc(got, c.headers[i].match) {
			held = append(held, fmt.Sprintf("header %s: %s", name, strings.Join(got, ", ")))
			continue
		}
		failed = append(failed, fmt.Sprintf("its header %s has to be %s, and is %s",
			name, strings.Join(c.route.Headers[name], " or "), orNone(strings.Join(got, ", "))))
	}
	if len(failed) > 0 {
		return judge("header", false, strings.Join(failed, ", and "))
	}
	return judge("header", true, strings.Join(held, ", "))
}

// whySNI: without TLS Kong does not look at a route's snis.
func whySNI(c *compiled, q *query) (Attribute, verdict) {
	if len(c.route.SNIs) == 0 || q.scheme != "https" {
		return Attribute{}, absent
	}
	if c.matchSNI(q) {
		return judge("sni", true, "sni "+q.sni)
	}
	return judge("sni", false, fmt.Sprintf("its snis are %s, and the server name is %s", list(c.route.SNIs), orNone(q.sni)))
}

// common is how many bytes two paths begin with alike.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func list(words []string) string { return strings.Join(words, ", ") }

func orNone(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}
