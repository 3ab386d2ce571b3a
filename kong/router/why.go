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
	// Turn tells the order in which Kong tries routes with this request: one with a
	// smaller Turn comes first. The numbers mean nothing else, and only [Router.Why] has
	// them.
	Turn int
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
	all := r.hold(newQuery(req))
	r.giveTurns(all)
	slices.SortStableFunc(all, nearer)
	return reasonsOf(all)
}

// giveTurns finds in which order Kong tries the routes.
func (r *Router) giveTurns(all []reasoned) {
	order := make([]*reasoned, len(all))
	for i := range all {
		order[i] = &all[i]
	}
	slices.SortStableFunc(order, func(a, b *reasoned) int {
		if r.traditional != nil {
			return cmp.Compare(a.turn, b.turn)
		}
		return triedSooner(*a, *b)
	})
	for turn, one := range order {
		one.Turn = turn
	}
}

// reasonsOf puts into words what was found, the first of which took the request if
// any did.
func reasonsOf(all []reasoned) []Reason {
	out := make([]Reason, len(all))
	for i, one := range all {
		out[i] = one.Reason
		out[i].Held, out[i].Failed = inWords(one.held), inWords(one.failed)
		if i > 0 && len(one.failed) == 0 {
			out[i].Behind = Name(all[0].Route) + " comes first: " + one.behind(all[0]).Words
		}
	}
	return out
}

func inWords(found []finding) []Attribute {
	var out []Attribute
	for _, f := range found {
		out = append(out, Attribute{f.name, f.words()})
	}
	return out
}

// reasoned is a reason without words yet, and what it is sorted by.
type reasoned struct {
	Reason
	held, failed []finding
	part         *compiled // that takes the request, or the route's first
	// Of the traditional router:
	tradPart *part
	place    int // of that part in the router, where it would take the request
	turn     int // of the part that it speaks of
	order    func(first, second *part) Order
}

// behind says why the route that takes the request comes before another that would.
func (one reasoned) behind(first reasoned) Order {
	if one.part == nil {
		return one.order(first.tradPart, one.tradPart)
	}
	return orderOf(first.part, one.part)
}

func nearer(a, b reasoned) int {
	if c := cmp.Compare(len(a.failed), len(b.failed)); c != 0 {
		return c
	}
	if len(a.failed) == 0 {
		return triedSooner(a, b)
	}
	return cmp.Or(
		cmp.Compare(pathFails(a.failed), pathFails(b.failed)),
		cmp.Compare(b.Common, a.Common),
		triedSooner(a, b),
	)
}

func triedSooner(a, b reasoned) int {
	if a.part == nil {
		return cmp.Compare(a.place, b.place)
	}
	return before(a.part, b.part)
}

func pathFails(failed []finding) int {
	if slices.ContainsFunc(failed, func(f finding) bool { return f.name == "path" }) {
		return 1
	}
	return 0
}

// reasonFor speaks of the route's part that takes the request, else of its first.
func reasonFor(parts []*compiled, q *query) reasoned {
	part := partFor(parts, q)
	out := reasoned{Reason: Reason{Route: part.route}, part: part}
	out.add(whyExpression(part, q))
	out.add(whyPath(parts, part, q))
	for _, check := range checks {
		out.add(check(part, q))
	}
	out.Common = commonPath(part.route, q.path)
	return out
}

func (one *reasoned) add(f finding) {
	switch f.verdict {
	case holds:
		one.held = append(one.held, f)
	case fails:
		one.failed = append(one.failed, f)
	}
}

// commonPath is how much the nearest of a route's paths has in common with another.
func commonPath(route *config.Route, path string) int {
	n := 0
	for _, p := range route.Paths {
		n = max(n, common(strings.TrimPrefix(p, "~"), path))
	}
	return n
}

// A finding is an attribute held against a request. Words are made of those that
// somebody reads: there may be very many routes.
type finding struct {
	name    string
	verdict verdict
	words   func() string
}

// verdict is what came of holding an attribute against a request.
type verdict int

const (
	absent verdict = iota // the route has no such attribute
	holds
	fails
)

func judge(name string, ok bool, words func() string) finding {
	if ok {
		return finding{name, holds, words}
	}
	return finding{name, fails, words}
}

func just(words string) func() string { return func() string { return words } }

// checks hold a part's attributes against a request, all but expression and path.
var checks = []func(*compiled, *query) finding{whyMethod, whyHost, whyHeaders, whySNI, whyProtocol, whyPeers}

// whyPath speaks of the part's path, or of one of another part of the route.
func whyPath(parts []*compiled, part *compiled, q *query) finding {
	paths := part.route.Paths
	if len(paths) == 0 {
		return finding{}
	}
	for _, one := range slices.Concat([]*compiled{part}, parts) {
		if prefix, ok := one.matchPath(q.path); ok {
			return judge("path", true, func() string { return heldPath(one, q.path, prefix) })
		}
	}
	if len(paths) > 1 {
		return judge("path", false, func() string { return fmt.Sprintf("none of its paths %s matches %s", list(paths), q.path) })
	}
	return judge("path", false, func() string { return failedPath(paths[0], q.path) })
}

// heldPath names the path that matched: an expression with what it matched.
func heldPath(c *compiled, path, prefix string) string {
	for i, re := range c.regexes {
		if re.find(path) != nil {
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

func whyMethod(c *compiled, q *query) finding {
	methods := c.route.Methods
	if len(methods) == 0 {
		return finding{}
	}
	if slices.Contains(methods, q.method) {
		return judge("method", true, func() string { return "method " + q.method })
	}
	return judge("method", false, func() string { return methodsWords(methods) })
}

func whyHost(c *compiled, q *query) finding {
	hosts := c.route.Hosts
	if len(hosts) == 0 {
		return finding{}
	}
	if i := slices.IndexFunc(c.hosts, func(h hostPattern) bool { return h.match(q) }); i >= 0 {
		return judge("host", true, func() string { return "host " + hosts[i] })
	}
	return judge("host", false, func() string {
		words := fmt.Sprintf("its hosts are %s, and the Host is %s", list(hosts), orNone(q.host))
		if slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, q.host) }) {
			words += ": letter case counts"
		}
		return words
	})
}

func whyHeaders(c *compiled, q *query) finding {
	if len(c.route.Headers) == 0 {
		return finding{}
	}
	holds := true
	for _, h := range c.headers {
		holds = holds && slices.ContainsFunc(h.received(q), h.match)
	}
	return judge("header", holds, func() string { return headersWords(c, q, holds) })
}

// received are a request's values of a header, by its name with dashes.
func (h headerPattern) received(q *query) []string {
	return q.header.Values(http.CanonicalHeaderKey(h.name))
}

// headersWords speaks of the headers that hold, where all do, else of those that do
// not.
func headersWords(c *compiled, q *query, all bool) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(c.route.Headers)) {
		i := slices.IndexFunc(c.headers, func(h headerPattern) bool { return h.name == headerKey(name) })
		got := c.headers[i].received(q)
		switch holds := slices.ContainsFunc(got, c.headers[i].match); {
		case all:
			words = append(words, fmt.Sprintf("header %s: %s", name, strings.Join(got, ", ")))
		case !holds:
			words = append(words, fmt.Sprintf("its header %s has to be %s, and is %s",
				name, strings.Join(c.route.Headers[name], " or "), orNone(strings.Join(got, ", "))))
		}
	}
	if all {
		return strings.Join(words, ", ")
	}
	return strings.Join(words, ", and ")
}

// whySNI: without TLS Kong does not look at a route's snis.
func whySNI(c *compiled, q *query) finding {
	if len(c.route.SNIs) == 0 || q.scheme != "https" {
		return finding{}
	}
	if c.matchSNI(q) {
		return judge("sni", true, func() string { return "sni " + q.sni })
	}
	return judge("sni", false, func() string {
		return fmt.Sprintf("its snis are %s, and the server name is %s", list(c.route.SNIs), orNone(q.sni))
	})
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
