package router

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// compiled is a route, or the part of one with a group of its paths. All its
// conditions must hold, and an absent one does.
type compiled struct {
	route    *config.Route
	id       config.UUID
	priority uint64
	fresh    uint64 // priority in a worker that has just started

	plain   []string // paths
	regexes []*pathRegex
	hosts   []hostPattern
	headers []headerPattern

	// Of the expressions flavour:
	expression            *atc.Expression // instead of all above
	protocols             []string        // "" for any
	sources, destinations []peerPattern
}

// compileRoute makes one part for each group of the route's paths.
func compileRoute(route *config.Route, flavor config.Flavor) ([]*compiled, error) {
	if route.Expression != "" {
		return compileExpression(route, flavor)
	}
	headers, err := compileHeaders(route)
	if err != nil {
		return nil, err
	}
	groups, ids, err := split(route)
	if err != nil {
		return nil, err
	}
	var parts []*compiled
	for i, paths := range groups {
		p := priorityOf(route, paths)
		part := &compiled{route: route, id: ids[i], priority: p.warm(), fresh: p.fresh(), headers: headers}
		if err := part.addPaths(paths); err != nil {
			return nil, err
		}
		if flavor == config.Expressions {
			part.addPeers()
		}
		for _, h := range route.Hosts {
			part.hosts = append(part.hosts, newHostPattern(h))
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func (c *compiled) addPaths(paths []string) error {
	for _, path := range paths {
		if !config.IsRegexPath(path) {
			c.plain = append(c.plain, path)
			continue
		}
		re, err := newPathRegex(path)
		if err != nil {
			return fmt.Errorf("path %q: %w", path, err)
		}
		c.regexes = append(c.regexes, re)
	}
	return nil
}

// match also returns what of the path was matched.
func (c *compiled) match(q *query) (prefix string, ok bool) {
	if c.expression != nil {
		return c.matchExpression(q)
	}
	if !c.matchMethod(q.method) {
		return "", false
	}
	return c.matchRest(q)
}

func (c *compiled) matchMethod(method string) bool {
	return hasMethod(c.route, method)
}

// matchRest is match for all but the method, of a part without an expression.
func (c *compiled) matchRest(q *query) (prefix string, ok bool) {
	if !c.matchSNI(q) || !c.matchHost(q) || !c.matchHeaders(q) || !c.matchProtocol(q) || !c.matchPeers(q) {
		return "", false
	}
	return c.matchPath(q.path)
}

// matchPath is true with "" for a route without paths. Of several expressions
// the first that matches counts, in the order of the configuration. A part has
// paths of one kind; only MatchPath asks with both.
func (c *compiled) matchPath(path string) (prefix string, ok bool) {
	for _, re := range c.regexes {
		if loc := re.find(path); loc != nil {
			return path[loc[0]:loc[1]], true
		}
	}
	for _, p := range c.plain {
		if strings.HasPrefix(path, p) {
			return p, true
		}
	}
	return "", len(c.plain)+len(c.regexes) == 0
}

// captures are the groups of the expression that matched.
func (c *compiled) captures(q *query) Captures {
	if c.expression != nil {
		return c.expressionCaptures(q)
	}
	path := q.path
	for _, re := range c.regexes {
		groups := re.groups(path)
		if groups == nil {
			continue
		}
		if len(groups) == 1 {
			return Captures{}
		}
		named := map[string]string{}
		for i, name := range re.compiled().SubexpNames() {
			if name != "" {
				named[name] = groups[i]
			}
		}
		return Captures{Numbered: groups, Named: named}
	}
	return Captures{}
}

// A hostPattern is an entry of a route's hosts.
type hostPattern struct {
	exact, prefix, suffix string // one of them
	port                  int
	hasPort               bool // else any
}

func newHostPattern(s string) hostPattern {
	host, port, hasPort := splitPort(s)
	h := hostPattern{port: port, hasPort: hasPort}
	switch {
	case strings.HasPrefix(host, "*"):
		h.suffix = host[1:]
	case strings.HasSuffix(host, "*"):
		h.prefix = host[:len(host)-1]
	default:
		h.exact = host
	}
	return h
}

// match compares case and all: Kong does not lower the Host header.
func (h hostPattern) match(q *query) bool {
	if h.hasPort && h.port != q.port {
		return false
	}
	switch {
	case h.suffix != "":
		return strings.HasSuffix(q.host, h.suffix)
	case h.prefix != "":
		return strings.HasPrefix(q.host, h.prefix)
	}
	return q.host == h.exact
}

func (c *compiled) matchHost(q *query) bool {
	return len(c.hosts) == 0 || slices.ContainsFunc(c.hosts, func(h hostPattern) bool { return h.match(q) })
}

// matchSNI looks at the server name of https requests only.
func (c *compiled) matchSNI(q *query) bool {
	if len(c.route.SNIs) == 0 || q.scheme != "https" {
		return true
	}
	return slices.ContainsFunc(c.route.SNIs, func(sni string) bool { return matchSNI(sni, q.sni) })
}

// matchSNI takes a wildcard at either end. The dot at the end of a fully
// qualified name plays no part in the pattern.
func matchSNI(pattern, sni string) bool {
	if sni == "" {
		return false
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok && !strings.HasPrefix(pattern, "*") {
		return strings.HasPrefix(sni, prefix)
	}
	if len(pattern) > 1 {
		pattern = strings.TrimSuffix(pattern, ".")
	}
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(sni, suffix)
	}
	return sni == pattern
}

// A headerPattern is one header of a route with its values, any of which is
// enough, in any occurrence of the header.
type headerPattern struct {
	name    string // lower case, with dashes
	inKong  headerName
	values  []string
	regexes []*regexp.Regexp
}

func compileHeaders(route *config.Route) ([]headerPattern, error) {
	var patterns []headerPattern
	for name, values := range route.Headers {
		h := headerPattern{name: headerKey(name), inKong: newHeaderName(name)}
		for _, value := range values {
			if err := h.add(value); err != nil {
				return nil, fmt.Errorf("header %q: %w", name, err)
			}
		}
		patterns = append(patterns, h)
	}
	return patterns, nil
}

// add takes a value, or after "~*" an expression. Both are lowered before they
// are compiled, so \D in an expression means \d (kong/router/transform.lua).
func (h *headerPattern) add(value string) error {
	pattern, isRegex := strings.CutPrefix(value, "~*")
	if !isRegex {
		h.values = append(h.values, config.LowerASCII(value))
		return nil
	}
	re, err := atc.CompileRegex(config.LowerASCII(pattern))
	if err != nil {
		return fmt.Errorf("%q: %w", value, err)
	}
	h.regexes = append(h.regexes, re)
	return nil
}

// headerKey is how the names of a route's headers are compared.
func headerKey(name string) string {
	return config.LowerASCII(strings.ReplaceAll(name, "_", "-"))
}

func (h headerPattern) match(value string) bool {
	value = atc.Lower(value)
	return slices.Contains(h.values, value) ||
		slices.ContainsFunc(h.regexes, func(re *regexp.Regexp) bool { return re.MatchString(value) })
}

func (c *compiled) matchHeaders(q *query) bool {
	for _, h := range c.headers {
		if !slices.ContainsFunc(h.inKong.values(q.header), h.match) {
			return false
		}
	}
	return true
}
