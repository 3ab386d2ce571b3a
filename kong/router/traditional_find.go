package router

import (
	"strings"

	"diag405/kong/config"
)

// look is a request as the traditional router looks at it, with what it noted on
// the way.
type look struct {
	*query
	// bareHost has no port, fullHost has one: the scheme's, when none was given.
	bareHost, fullHost string

	kinds kinds
	// hits of the index:
	wildcard, path, header string
}

// find takes the request through the categories (find_route and find_match).
func (t *traditional) find(q *query) (*Match, Refusal) {
	l := t.look(q)
	if m, ok := t.first(l); ok {
		return m.build(l), ""
	}
	return nil, NoRoute
}

// first is the part that takes the request.
func (t *traditional) first(l *look) (taken, bool) {
	if l.kinds == 0 {
		return taken{}, false
	}
	for _, c := range t.categories[t.start(l.kinds):] {
		if m, ok := c.first(l); ok {
			return m, true
		}
	}
	return taken{}, false
}

// start is where the request's category is, or the first.
func (t *traditional) start(k kinds) int { return t.rank[k] }

// look finds out which kinds of fields the request has.
func (t *traditional) look(q *query) *look {
	l := t.lookBut(q)
	t.lookAtMethod(l)
	return l
}

func (t *traditional) lookAtMethod(l *look) {
	if t.index.methods[l.method] {
		l.kinds |= methodKind
	}
}

// lookBut is look without the method.
func (t *traditional) lookBut(q *query) *look {
	l := &look{query: q}
	for _, name := range t.index.headers {
		if len(tradHeaderValues(q, name)) > 0 {
			l.header = name
			l.kinds |= headerKind
			break
		}
	}
	if l.rawHost != "" {
		t.lookAtHost(l)
	}
	t.lookAtPath(l)
	if t.index.snis[q.sni] {
		l.kinds |= sniKind
	}
	return l
}

// tradHeaderValues are all occurrences of a header: by this very name or, of a name
// with underscores, by the one with dashes (OpenResty's req_headers_mt).
func tradHeaderValues(q *query, name string) []string {
	if strings.Contains(name, "_") {
		return newHeaderName(name).values(q.header)
	}
	return q.header[newHeaderName(name).dashes]
}

// lookAtHost finds plain hosts and, without one, the first wildcard that matches.
func (t *traditional) lookAtHost(l *look) {
	port := "80"
	if l.scheme == "https" {
		port = "443"
	}
	l.bareHost, l.fullHost, _ = tradSplitPort(l.rawHost, port)
	if t.index.hosts[l.fullHost] || t.index.hosts[l.bareHost] {
		l.kinds |= hostKind
		return
	}
	found := t.index.byWildcard.find(l.keys(t.index.byWildcard))
	for i, ok := found.next(); ok; i, ok = found.next() {
		if w := t.index.wildcards[i]; w.regex.MatchString(l.fullHost) {
			l.wildcard = w.value
			l.kinds |= hostKind
			return
		}
	}
}

// lookAtPath finds the first expression that matches or else the longest prefix.
func (t *traditional) lookAtPath(l *look) {
	path := l.query.path
	hit := func(path string) {
		l.path = path
		l.kinds |= pathKind
	}
	found := t.index.byText.find(l.keys(t.index.byText))
	for i, ok := found.next(); ok; i, ok = found.next() {
		if p := t.index.regexes[i]; p.regex.MatchString(path) {
			hit(p.value)
			return
		}
	}
	for _, n := range t.index.lengths {
		if n <= len(path) && t.index.prefixes[path[:n]] {
			hit(path[:n])
			return
		}
	}
}

// tradSplitPort splits at a port of decimal digits (split_port). Brackets of an
// address are taken off in bare, and full has the port that is given, or the other
// one.
func tradSplitPort(name, other string) (bare, full string, has bool) {
	with := func(host string) string {
		if other == "" {
			return host
		}
		return host + ":" + other
	}
	if strings.HasPrefix(name, "[") {
		return splitBracketed(name, other, with)
	}
	host, digits, found := strings.Cut(name, ":")
	switch {
	case !found:
		return name, with(name), false
	case digits == "":
		return host, with(host), false
	case isDigits(digits):
		return host, name, true
	case other != "":
		return name, "[" + name + "]:" + other, false
	}
	return name, name, false
}

func splitBracketed(name, other string, with func(string) string) (bare, full string, has bool) {
	if strings.HasSuffix(name, "]") {
		return name[1 : len(name)-1], with(name), false
	}
	i := strings.Index(name, "]:")
	switch {
	case i < 1 || !isDigits(name[i+2:]):
		return name, with(name), false
	case i+2 == len(name):
		return name[1:i], name + other, false
	}
	return name[1:i], name, true
}

// isDigits holds for "" as well.
func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// taken is a part that takes a request, and what it took of the path.
type taken struct {
	*part
	prefix   string
	postfix  string // what follows, cleaned
	hasRest  bool   // postfix is known; else it is the path without its first slash
	captures Captures
}

// match tries all conditions of a part (the matchers). They are independent, so
// their order, which is any in Kong, makes no difference.
func (p *part) match(l *look) (taken, bool) {
	if !p.matchMethod(l.method) {
		return taken{part: p}, false
	}
	return p.matchRest(l)
}

func (p *part) matchMethod(method string) bool {
	return p.kinds&methodKind == 0 || contains(p.methods, method)
}

// matchRest is match for all but the method.
func (p *part) matchRest(l *look) (taken, bool) {
	m := taken{part: p}
	ok := (p.kinds&hostKind == 0 || p.matchHost(l)) &&
		(p.kinds&headerKind == 0 || p.matchHeaders(l)) &&
		(p.kinds&sniKind == 0 || p.matchSNI(l)) &&
		(p.kinds&pathKind == 0 || p.matchPath(l, &m))
	return m, ok
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// matchHost looks for the Host header as it is and without its port, so a plain
// host with the scheme's own port matches only where the header has it, too.
func (p *part) matchHost(l *look) bool {
	if contains(p.hosts, l.hitHost()) || contains(p.hosts, l.bareHost) {
		return true
	}
	for _, w := range p.wildcard {
		if w.regex.MatchString(l.fullHost) {
			return true
		}
	}
	return false
}

func (p *part) matchHeaders(l *look) bool {
	for _, h := range p.headers {
		if !h.match(tradHeaderValues(l.query, h.name)) {
			return false
		}
	}
	return true
}

// match wants one of the values. An expression is matched as it is written against
// the value in lower case.
func (h *tradHeader) match(values []string) bool {
	for _, v := range values {
		v = config.LowerASCII(v)
		if contains(h.values, v) || h.pattern != nil && h.pattern.MatchString(v) {
			return true
		}
	}
	return false
}

// matchSNI: over plain HTTP a part's snis do not count.
func (p *part) matchSNI(l *look) bool { return l.protocol() == "http" || contains(p.snis, l.sni) }

// matchPath takes a part with the path that was hit without looking again, a plain
// one at least: one that has the text of an expression that was hit counts as a
// match, whatever the request's path.
func (p *part) matchPath(l *look, m *taken) bool {
	path := l.query.path
	if path == "" {
		return false
	}
	asked := l.path
	if asked == "" {
		asked = path
	}
	if p.path.regex != nil && p.path.cut(path, m) {
		return true
	}
	if p.path.value == asked || p.path.regex == nil && strings.HasPrefix(path, p.path.value) {
		n := min(len(p.path.value), len(path))
		m.prefix, m.postfix, m.hasRest = path[:n], withoutDots(path[n:]), true
		return true
	}
	return false
}

// cut matches an expression (match_regex_uri).
func (t *tradPath) cut(path string, m *taken) bool {
	at := t.strip.FindStringSubmatchIndex(path)
	if at == nil {
		return false
	}
	last := len(at) - 2 // the group for what follows
	if at[last] < 0 {   // which Kong then leaves among the captures
		m.captures = t.capturesOf(path, at)
		return true
	}
	rest := path[at[last]:at[last+1]]
	m.prefix, m.postfix, m.hasRest = path[:len(path)-len(rest)], withoutDots(rest), true
	m.captures = t.capturesOf(path, at[:last])
	return true
}

// capturesOf are the expression's groups. The whole match is all of the path.
func (t *tradPath) capturesOf(path string, at []int) Captures {
	if len(at) <= 2 {
		return Captures{}
	}
	out := Captures{Named: map[string]string{}}
	for i, name := range t.strip.SubexpNames()[:len(at)/2] {
		group := ""
		if at[2*i] >= 0 {
			group = path[at[2*i]:at[2*i+1]]
		}
		out.Numbered = append(out.Numbered, group)
		if name != "" {
			out.Named[name] = group
		}
	}
	return out
}

// build makes the match: what the upstream gets (the end of find_match).
func (m taken) build(l *look) *Match {
	out := matchOf(l.query, m.route, m.prefix)
	out.Captures = m.captures
	rest := m.postfix
	if !m.hasRest {
		rest = l.query.path[min(1, len(l.query.path)):]
	}
	if m.route.PathHandling == "v1" {
		out.setUpstream(l.query, escape(rewriteV1(out.servicePath(), l.query.path, rest, m.route.StripPath)))
		return out
	}
	out.setUpstream(l.query, escape(rewriteV0(out.servicePath(), l.query.path, rest, m.route.StripPath)))
	return out
}
