package router

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/cores"
)

// The router of the flavour traditional (kong/router/traditional.lua).
//
// A route with several paths becomes a part for each. A part belongs to the
// category of the kinds of fields that it has: hosts, headers, paths, methods,
// snis. A request has a category as well: the kinds of which it has something that
// some part asks for, whichever part that is. So the router goes about it:
//
//  1. It finds the request's category, and on the way notes hits: the first
//     expression that matches the path or else the longest plain path that does, the
//     first wildcard that matches the host, and the first header that is there.
//  2. It starts with the parts of this very category, if there are any, else with
//     the category that has most kinds; of equals hosts come before headers, paths,
//     methods, snis. From there on it goes to the lesser ones, and never back.
//  3. In a category it first tries those parts that have one of the hits (those
//     with the header, else the smallest of the sets), and then all.
//  4. Within a set the order is that of sortRoutes.
//
// Steps 2 and 3 make it take other routes than the flavours built on atc-router do.
// A part with snis takes a plain request, too, but such a request has no sni and
// starts behind it. A part with the longer path is tried first though another one
// has the higher regex_priority.

// kinds of fields, the more important ones the higher (MATCH_RULES).
type kinds uint8

const (
	sniKind kinds = 1 << (iota + 2)
	methodKind
	pathKind
	headerKind
	hostKind
)

// ranked kinds, for those that need an order (SORTED_MATCH_RULES).
var rankedKinds = []kinds{hostKind, headerKind, pathKind, methodKind, sniKind}

// traditional is a router, compiled.
type traditional struct {
	parts      []*part     // in the order of sortRoutes
	categories []*category // those with more kinds first
	index      tradIndex
	rank       map[kinds]int           // the place of each category
	places     map[*config.Route][]int // of each route's parts
}

// part is a route with at most one of its paths (marshall_route).
type part struct {
	route *config.Route
	kinds kinds

	path     *tradPath
	hosts    []string // plain ones
	wildcard []*wildcard
	headers  []*tradHeader
	methods  []string
	snis     []string

	weight int // subweight: a sort asks for it very often
}

// category is the parts with the same kinds of fields, in the router's order, and
// the sets of them that have one field in common.
type category struct {
	kinds                                     kinds
	all                                       []*part
	byHost, byHeader, byPath, byMethod, bySNI map[string][]*part
	index                                     *index // of all
}

// tradIndex is what is looked up in a request (plain_indexes and the lists beside
// it).
type tradIndex struct {
	hosts, methods, snis map[string]bool
	headers              []string // in the order in which they are looked for

	// The first that fits counts, of the prefixes the longest. Beside each list is
	// where to look in it.
	regexes    []*tradPath
	byText     *index
	wildcards  []*wildcard
	byWildcard *index
	prefixes   map[string]bool
	lengths    []int // of the prefixes, the longest first
}

func newTraditional(routes []*config.Route) (*traditional, error) {
	t := &traditional{}
	parts, errs := compileSideBySide(inLoadOrder(routes), newParts)
	t.parts = parts
	luaSort(t.parts, sortRoutes)
	t.places = map[*config.Route][]int{}
	for place, p := range t.parts {
		t.places[p.route] = append(t.places[p.route], place)
	}
	t.categorize()
	t.index = newTradIndex(t.parts)
	return t, errors.Join(errs...)
}

// inLoadOrder is the order in which Kong without a database reads its routes: that
// of their ids. Of equal parts it decides which comes first.
func inLoadOrder(routes []*config.Route) []*config.Route {
	type loaded struct {
		id    string
		route *config.Route
	}
	list := make([]loaded, len(routes))
	for i, route := range routes {
		list[i] = loaded{config.LowerASCII(route.ID), route}
	}
	slices.SortStableFunc(list, func(a, b loaded) int { return strings.Compare(a.id, b.id) })
	out := make([]*config.Route, len(routes))
	for i, one := range list {
		out[i] = one.route
	}
	return out
}

func newParts(route *config.Route) ([]*part, error) {
	if len(route.Paths) == 0 {
		p, err := newPart(route, "")
		return []*part{p}, err
	}
	var out []*part
	for _, path := range route.Paths {
		p, err := newPart(route, path)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// newPart takes one of the route's paths, or "".
func newPart(route *config.Route, path string) (*part, error) {
	p := &part{route: route, methods: route.Methods, snis: plainSNIs(route)}
	var err error
	if p.headers, err = newTradHeaders(route); err != nil {
		return nil, err
	}
	if p.path, err = newTradPath(path); err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	for _, host := range route.Hosts {
		if !strings.Contains(host, "*") {
			p.hosts = append(p.hosts, host)
			continue
		}
		w, err := newWildcard(host)
		if err != nil {
			return nil, err
		}
		p.wildcard = append(p.wildcard, w)
	}
	for kind, has := range map[kinds]bool{
		hostKind: len(route.Hosts) > 0, headerKind: len(p.headers) > 0, pathKind: p.path != nil,
		methodKind: len(p.methods) > 0, sniKind: len(p.snis) > 0,
	} {
		if has {
			p.kinds |= kind
		}
	}
	if p.kinds == 0 {
		return nil, errors.New("has nothing that the router could match by")
	}
	p.weight = p.subweight()
	return p, nil
}

// plainSNIs are a route's snis without a dot at their end.
func plainSNIs(route *config.Route) []string {
	var out []string
	for _, sni := range route.SNIs {
		if len(sni) > 1 {
			sni = strings.TrimSuffix(sni, ".")
		}
		out = append(out, sni)
	}
	return out
}

// sortRoutes reports whether a comes before b: by the bits of subweight, then more
// headers, the higher regex_priority of expressions, the longer plain path, and the
// older route.
func sortRoutes(a, b *part) bool {
	c := cmp.Or(
		cmp.Compare(b.weight, a.weight),
		cmp.Compare(len(b.headers), len(a.headers)),
		cmp.Compare(b.regexPriority(), a.regexPriority()),
		cmp.Compare(b.plainLength(), a.plainLength()),
		cmp.Compare(a.age(), b.age()),
	)
	return c < 0
}

// subweight is three bits (MATCH_SUBRULES): a wildcard with a port counts more than
// hosts without wildcards, and these more than an expression. A list of hosts is
// one without wildcards also when it is empty.
func (p *part) subweight() int {
	n := 0
	if p.path != nil && p.path.regex != nil {
		n |= 1
	}
	if p.route.Hosts != nil && len(p.wildcard) == 0 {
		n |= 2
	}
	if slices.ContainsFunc(p.wildcard, func(w *wildcard) bool { _, _, ok := tradSplitPort(w.value, ""); return ok }) {
		n |= 4
	}
	return n
}

func (p *part) regexPriority() int {
	if p.path != nil && p.path.regex != nil {
		return p.route.RegexPriority
	}
	return 0
}

func (p *part) plainLength() int {
	if p.path != nil && p.path.regex == nil {
		return len(p.path.value)
	}
	return 0
}

// age is when the route was made: when Kong read its configuration for one that
// does not say so, which is after all that do.
func (p *part) age() int {
	if p.route.CreatedAt == 0 {
		return 1 << 62
	}
	return p.route.CreatedAt
}

// categorize sorts the parts into categories, and these by how many kinds they have
// (categorize_route_t and sort_categories).
func (t *traditional) categorize() {
	byKinds := map[kinds]*category{}
	for _, p := range t.parts {
		c := byKinds[p.kinds]
		if c == nil {
			c = &category{
				kinds: p.kinds, byHost: map[string][]*part{}, byHeader: map[string][]*part{},
				byPath: map[string][]*part{}, byMethod: map[string][]*part{}, bySNI: map[string][]*part{},
			}
			byKinds[p.kinds] = c
			t.categories = append(t.categories, c)
		}
		c.add(p)
	}
	slices.SortFunc(t.categories, func(a, b *category) int {
		return cmp.Or(
			cmp.Compare(bits.OnesCount8(uint8(b.kinds)), bits.OnesCount8(uint8(a.kinds))),
			cmp.Compare(b.kinds, a.kinds),
		)
	})
	t.rank = map[kinds]int{}
	for i, c := range t.categories {
		t.rank[c.kinds] = i
	}
	cores.Each(len(t.categories), 1, func(from, to int) {
		for _, c := range t.categories[from:to] {
			c.index = newIndex(len(c.all), func(place int) clues { return c.all[place].clues() })
		}
	})
}

func (c *category) add(p *part) {
	put := func(set map[string][]*part, key string) { set[key] = append(set[key], p) }
	c.all = append(c.all, p)
	for _, host := range p.route.Hosts {
		put(c.byHost, host)
	}
	for _, h := range p.headers {
		put(c.byHeader, h.name)
	}
	if p.path != nil {
		put(c.byPath, p.path.value)
	}
	for _, method := range p.methods {
		put(c.byMethod, method)
	}
	for _, sni := range p.snis {
		put(c.bySNI, sni)
	}
}

// newTradIndex is index_route_t for all parts.
func newTradIndex(parts []*part) tradIndex {
	x := tradIndex{hosts: map[string]bool{}, methods: map[string]bool{}, snis: map[string]bool{}, prefixes: map[string]bool{}}
	add := func(set map[string]bool, values []string) {
		for _, v := range values {
			set[v] = true
		}
	}
	headers := map[string]bool{}
	for _, p := range parts {
		add(x.hosts, p.hosts)
		add(x.methods, p.methods)
		add(x.snis, p.snis)
		x.wildcards = append(x.wildcards, p.wildcard...)
		for _, h := range p.headers {
			if !headers[h.name] {
				headers[h.name] = true
				x.headers = append(x.headers, h.name)
			}
		}
		switch {
		case p.path == nil:
		case p.path.regex != nil:
			x.regexes = append(x.regexes, p.path)
		default:
			x.prefixes[p.path.value] = true
		}
	}
	for prefix := range x.prefixes {
		x.lengths = append(x.lengths, len(prefix))
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	slices.Reverse(x.lengths)
	x.byText = newIndex(len(x.regexes), func(i int) clues { return clues{paths: regexClues(x.regexes[i].regex.String())} })
	x.byWildcard = newIndex(len(x.wildcards), func(i int) clues { return clues{hosts: onlyHostKeys([]string{x.wildcards[i].key()})} })
	return x
}
