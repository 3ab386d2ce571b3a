package router

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"diag405/kong/config"
)

// holder is [Router.holder] for the traditional router.
func (t *traditional) holder(q *query) func(from, to int) iter.Seq[reasoned] {
	l := t.look(q)
	taker, _ := t.first(l)
	return func(from, to int) iter.Seq[reasoned] {
		return func(yield func(reasoned) bool) {
			for i, p := range t.parts[from:to] {
				if t.places[p.route][0] == from+i && !yield(t.reasonFor(p.route, l, taker)) {
					return
				}
			}
		}
	}
}

// reasonFor speaks of the route's part that takes the request, or of the first that
// would, or of its first.
func (t *traditional) reasonFor(route *config.Route, l *look, taker taken) reasoned {
	out := reasoned{Reason: Reason{Route: route}, place: -1}
	var best *part
	for _, i := range t.places[route] {
		p := t.parts[i]
		_, ok := p.match(l)
		if best == nil || p == taker.part || ok && out.place < 0 {
			best, out.turn = p, t.place(p, i)
		}
		if ok {
			out.place = t.place(p, i)
		}
		if p == taker.part {
			out.place = -1
			break
		}
	}
	out.tradPart, out.order = best, func(first, second *part) Order { return t.order(first, second, l) }
	t.addAttributes(&out, best, l)
	out.Common = commonPath(route, l.query.path)
	return out
}

// place is where a part is tried, the categories first.
func (t *traditional) place(p *part, i int) int { return t.rank[p.kinds]*len(t.parts) + i }

// addAttributes adds those of a part. One that has nothing against the request and is
// passed over all the same fails by its category.
func (t *traditional) addAttributes(out *reasoned, p *part, l *look) {
	for _, f := range []struct {
		kind    kinds
		name    string
		ok      func() bool
		yes, no func() string
	}{
		{pathKind, "path", func() bool { return p.matchPath(l, &taken{}) }, func() string { return p.pathWords(l) },
			func() string { return p.noPathWords(l) }},
		{methodKind, "method", func() bool { return slices.Contains(p.methods, l.method) },
			func() string { return "method " + l.method }, func() string { return methodsWords(p.methods) }},
		{hostKind, "host", func() bool { return p.matchHost(l) }, func() string { return "host " + l.rawHost }, func() string {
			return fmt.Sprintf("its hosts are %s, and the Host is %s", list(p.route.Hosts), orNone(l.rawHost))
		}},
		{headerKind, "header", func() bool { return p.matchHeaders(l) },
			func() string { return "headers " + list(headerNames(p)) }, func() string { return p.noHeaderWords(l) }},
		{sniKind, "sni", func() bool { return p.matchSNI(l) }, func() string { return "sni " + orNone(l.sni) }, func() string {
			return fmt.Sprintf("its snis are %s, and the server name is %s", list(p.snis), orNone(l.sni))
		}},
	} {
		if p.kinds&f.kind == 0 {
			continue
		}
		if f.ok() {
			out.add(judge(f.name, true, f.yes))
		} else {
			out.add(judge(f.name, false, f.no))
		}
	}
	if len(out.failed) == 0 && (l.kinds == 0 || t.rank[p.kinds] < t.start(l.kinds)) {
		out.add(judge("category", false, func() string { return passedOver(p, l) }))
	}
}

// passedOver says why a part was not even tried.
func passedOver(p *part, l *look) string {
	if l.kinds == 0 {
		return "the request has nothing that the traditional router could start from: over plain HTTP a route has to have more than snis"
	}
	return fmt.Sprintf("the request has %s, so the traditional router starts with the routes that ask for just that, and passes over this one, which asks for %s",
		l.kinds, p.kinds)
}

// String names kinds of fields.
func (k kinds) String() string {
	names := map[kinds]string{hostKind: "hosts", headerKind: "headers", pathKind: "paths", methodKind: "methods", sniKind: "snis"}
	var out []string
	for _, kind := range rankedKinds {
		if k&kind != 0 {
			out = append(out, names[kind])
		}
	}
	return strings.Join(out, " and ")
}

func (p *part) pathWords(l *look) string {
	switch {
	case p.path == nil:
		return ""
	case p.path.regex != nil:
		return fmt.Sprintf("path ~%s matches %s", p.path.value, l.query.path)
	case p.path.value == l.query.path:
		return "path " + p.path.value
	}
	return fmt.Sprintf("path %s is a prefix of %s", p.path.value, l.query.path)
}

func (p *part) noPathWords(l *look) string {
	if paths := p.route.Paths; len(paths) == 1 {
		return failedPath(paths[0], l.query.path)
	}
	return fmt.Sprintf("none of its paths %s matches %s", list(p.route.Paths), l.query.path)
}

func methodsWords(methods []string) string {
	if len(methods) == 1 {
		return "its only method is " + methods[0]
	}
	return "its methods are " + list(methods)
}

func headerNames(p *part) []string {
	var out []string
	for _, h := range p.headers {
		out = append(out, h.name)
	}
	return out
}

func (p *part) noHeaderWords(l *look) string {
	var out []string
	for _, h := range p.headers {
		if got := tradHeaderValues(l.query, h.name); !h.match(got) {
			out = append(out, fmt.Sprintf("its header %s has to be %s, and is %s",
				h.name, strings.Join(h.values, " or "), orNone(strings.Join(got, ", "))))
		}
	}
	return strings.Join(out, ", and ")
}

// What decides between routes of the traditional router alone.
const (
	ByHit  By = "hit"            // it is in the set that is tried first
	ByPort By = "wildcard, port" // a host with a wildcard and a port
	ByAge  By = "age"            // it is older
)

// orderFor is [Router.Order].
func (t *traditional) orderFor(first, second *config.Route, q *query) Order {
	l := t.look(q)
	return t.order(t.partOf(first, l), t.partOf(second, l), l)
}

// partOf is the part of a route that takes a request, else its first one.
func (t *traditional) partOf(route *config.Route, l *look) *part {
	var first *part
	for _, i := range t.places[route] {
		p := t.parts[i]
		if _, ok := p.match(l); ok {
			return p
		}
		if first == nil {
			first = p
		}
	}
	return first
}

// order says why the first of two parts is tried before the second.
func (t *traditional) order(first, second *part, l *look) Order {
	a, b := bits.OnesCount8(uint8(first.kinds)), bits.OnesCount8(uint8(second.kinds))
	switch {
	case a != b:
		return Order{ByKinds, fmt.Sprintf("it has %d kinds of attribute against %d", a, b)}
	case first.kinds != second.kinds:
		return Order{ByKinds, fmt.Sprintf("it has %s against %s", first.kinds, second.kinds)}
	}
	hit := t.categories[t.rank[first.kinds]].reduce(l)
	if first.isHit(hit, l) && !second.isHit(hit, l) {
		return Order{ByHit, "it is among the routes that the traditional router tries first, those with what it found in the request at once"}
	}
	return orderOfParts(first, second)
}

// orderOfParts says by which rule of sortRoutes the first of two parts comes first.
func orderOfParts(first, second *part) Order {
	switch {
	case first.weight&4 != second.weight&4:
		return Order{ByPort, "its host has a wildcard and a port"}
	case first.weight&2 != second.weight&2:
		return Order{ByHosts, "it has hosts without a wildcard"}
	case first.weight != second.weight:
		return Order{ByExpression, "its path is an expression"}
	case len(first.headers) != len(second.headers):
		return Order{ByHeaders, fmt.Sprintf("it has %s against %d", counted(len(first.headers), "header"), len(second.headers))}
	case first.regexPriority() != second.regexPriority():
		return Order{ByRegexPriority, fmt.Sprintf("its regex_priority is %d against %d", first.regexPriority(), second.regexPriority())}
	case first.plainLength() != second.plainLength():
		return Order{ByLength, "its path is longer"}
	case first.age() != second.age():
		return Order{ByAge, "it is older"}
	}
	return Order{ByID, "they are equal, and Kong's sort puts it in front"}
}
