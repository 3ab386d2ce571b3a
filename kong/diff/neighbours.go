package diff

import (
	"slices"
	"strings"
)

// neighbours finds routes that may take some of the requests that a route takes. Those
// that do not are left out, as far as that is easy to see.
type neighbours struct {
	c      *comparison
	there  *side
	begins map[*route][]string // what each path of a route begins with; nil for any path
	spoken bool                // some route has an expression
}

func newNeighbours(c *comparison, there *side) *neighbours {
	spoken := slices.ContainsFunc(there.routes, func(r *route) bool { return r.Expression != "" })
	return &neighbours{c, there, map[*route][]string{}, spoken}
}

func (n *neighbours) of(r *route, here *side) []*route {
	own := n.beginsOf(r, here)
	var list []*route
	for _, other := range n.there.routes {
		if overlap(own, n.beginsOf(other, n.there)) && n.agree(r, other) {
			list = append(list, other)
		}
	}
	return list
}

func (n *neighbours) beginsOf(r *route, s *side) []string {
	known, ok := n.begins[r]
	if ok {
		return known
	}
	langs, free := n.c.langs(r, s.cfg.Flavor)
	for _, l := range langs {
		if !free {
			known = append(known, l.begin())
		}
	}
	n.begins[r] = known
	return known
}

// overlap reports whether a path may begin with one of a and one of b.
func overlap(a, b []string) bool {
	if a == nil || b == nil {
		return true
	}
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return strings.HasPrefix(x, y) || strings.HasPrefix(y, x) })
	})
}

// agree: two routes with expressions are asked about together, as each is with itself.
func (n *neighbours) agree(a, b *route) bool {
	x, y := demands(a), demands(b)
	if x.said || y.said {
		return true
	}
	return len(both(x.methods, y.methods, false, meetEqual, "")) > 0 && len(both(x.hosts, y.hosts, false, meetHosts, "")) > 0
}

// withExpression are the neighbours with an expression, which may take the least
// request and leave another one: they can say what a request is not to be.
func (n *neighbours) withExpression(r *route, here *side) []*route {
	if !n.spoken {
		return nil
	}
	return slices.DeleteFunc(n.of(r, here), func(other *route) bool { return other.Expression == "" })
}
