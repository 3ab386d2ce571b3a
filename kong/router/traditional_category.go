package router

import (
	"iter"
	"slices"
)

// Step 3 of the traditional router: which part of a category takes a request.

// first is the first part of those with one of the hits that takes the request, or
// else the first of all.
func (c *category) first(l *look) (taken, bool) {
	hit := c.reduce(l)
	var other taken
	for p := range c.candidates(l) {
		m, ok := p.match(l)
		switch {
		case !ok:
		case p.isHit(hit, l):
			return m, true
		case other.part == nil:
			other = m
		}
	}
	return other, other.part != nil
}

// candidates are the parts that may take the request, in their order.
func (c *category) candidates(l *look) iter.Seq[*part] {
	if c.index.blind {
		return slices.Values(c.all)
	}
	return func(yield func(*part) bool) {
		found := c.index.find(l.keys(c.index))
		for place, ok := found.next(); ok; place, ok = found.next() {
			if !yield(c.all[place]) {
				return
			}
		}
	}
}

// reduce says which parts are tried first: those with the header that was hit, else
// those with that hit, of the other kinds, which the fewest parts have; 0 for all
// alike.
func (c *category) reduce(l *look) kinds {
	var by kinds
	fewest := 0
	for _, kind := range rankedKinds {
		if c.kinds&kind == 0 {
			continue
		}
		n := c.hits(kind, l)
		if kind == headerKind && n > 0 {
			return kind
		}
		if n > 0 && (fewest == 0 || n < fewest) {
			by, fewest = kind, n
		}
	}
	return by
}

// hits is how many parts have the request's hit of a kind.
func (c *category) hits(kind kinds, l *look) int {
	switch kind {
	case hostKind:
		return len(c.byHost[l.hitHost()])
	case headerKind:
		return len(c.byHeader[l.header])
	case pathKind:
		return len(c.byPath[l.path])
	case methodKind:
		return len(c.byMethod[l.method])
	}
	return len(c.bySNI[l.sni])
}

// hitHost is the wildcard that was hit, or else the Host header.
func (l *look) hitHost() string {
	if l.wildcard != "" {
		return l.wildcard
	}
	return l.rawHost
}

// isHit reports whether a part has the request's hit of a kind.
func (p *part) isHit(kind kinds, l *look) bool {
	switch kind {
	case hostKind:
		return contains(p.route.Hosts, l.hitHost())
	case headerKind:
		return p.hasHeader(l.header)
	case pathKind:
		return p.path.value == l.path
	case methodKind:
		return contains(p.methods, l.method)
	case sniKind:
		return contains(p.snis, l.sni)
	}
	return true
}

func (p *part) hasHeader(name string) bool {
	for _, h := range p.headers {
		if h.name == name {
			return true
		}
	}
	return false
}
