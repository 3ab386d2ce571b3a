package router

import (
	"regexp"
	"regexp/syntax"
	"slices"
)

// sieve finds the parts of routes that may take a request without asking all of them: by
// the host, where a part has nothing but names, and by what its path begins with. It
// leaves out only what cannot match, and keeps the order.
type sieve struct {
	order   []*compiled
	lengths []int // of the beginnings, each once, ascending
	parts   map[sieveKey][]int
}

// sieveKey is a host, "" for parts that may take any, and the beginning of a path.
type sieveKey struct{ host, beginning string }

func newSieve(order []*compiled) *sieve {
	x := &sieve{order: order, parts: map[sieveKey][]int{}}
	for at, part := range order {
		for _, host := range part.namedHosts() {
			for _, beginning := range part.beginnings() {
				x.add(sieveKey{host, beginning}, at)
			}
		}
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	return x
}

func (x *sieve) add(key sieveKey, at int) {
	list := x.parts[key]
	if len(list) > 0 && list[len(list)-1] == at {
		return
	}
	x.parts[key] = append(list, at)
	x.lengths = append(x.lengths, len(key.beginning))
}

// candidates are the parts that may take a request, in their order. One may come
// twice.
func (x *sieve) candidates(q *query) func(yield func(*compiled) bool) {
	return func(yield func(*compiled) bool) {
		lists := x.lists(q)
		for len(lists) > 0 {
			next := 0
			for i := range lists {
				if lists[i][0] < lists[next][0] {
					next = i
				}
			}
			at := lists[next][0]
			if lists[next] = lists[next][1:]; len(lists[next]) == 0 {
				lists = slices.Delete(lists, next, next+1)
			}
			if !yield(x.order[at]) {
				return
			}
		}
	}
}

// lists are the places of the parts behind each key of a request.
func (x *sieve) lists(q *query) [][]int {
	var lists [][]int
	for _, n := range x.lengths {
		if n > len(q.path) {
			break
		}
		if list := x.parts[sieveKey{"", q.path[:n]}]; len(list) > 0 {
			lists = append(lists, list)
		}
		if list := x.parts[sieveKey{q.host, q.path[:n]}]; len(list) > 0 && q.host != "" {
			lists = append(lists, list)
		}
	}
	return lists
}

// namedHosts are the hosts of a part when it takes no others, else just "".
func (c *compiled) namedHosts() []string {
	var names []string
	for _, h := range c.hosts {
		if h.exact == "" {
			return []string{""}
		}
		names = append(names, h.exact)
	}
	if c.expression != nil || len(names) == 0 {
		return []string{""}
	}
	return names
}

// beginnings are what every path begins with that a part takes; "" is any.
func (c *compiled) beginnings() []string {
	if c.expression != nil || len(c.plain)+len(c.regexes) == 0 {
		return []string{""}
	}
	list := slices.Clone(c.plain)
	for _, re := range c.regexes {
		list = append(list, beginningOf(re))
	}
	return list
}

// beginningOf is the text that everything begins with which an anchored expression
// matches, "" when there is none, or none that is easy to tell.
func beginningOf(re *regexp.Regexp) string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil || tree.Op != syntax.OpConcat || len(tree.Sub) < 2 || tree.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	literal := tree.Sub[1]
	if literal.Op != syntax.OpLiteral || literal.Flags&syntax.FoldCase != 0 {
		return ""
	}
	return string(literal.Rune)
}
