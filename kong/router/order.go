package router

import (
	"fmt"
	"math/bits"
	"strconv"

	"diag405/kong/config"
)

// Order is why Kong tries one route before another.
type Order struct {
	By    By
	Words string // a clause about the route that is tried first: its path is longer
}

// By is what decides between two routes.
type By string

// What decides between two routes: see the list above [before].
const (
	ByMany          By = "many"           // four or more kinds of attribute against fewer
	ByHosts         By = "hosts"          // hosts without a wildcard
	ByExpression    By = "expression"     // a path that is a regular expression
	ByKinds         By = "kinds"          // more kinds of attribute
	ByHeaders       By = "headers"        // more headers
	ByTop           By = "top"            // a regex_priority that Kong takes for the highest
	ByRegexPriority By = "regex_priority" // a higher one
	ByLength        By = "length"         // a longer plain path
	ByID            By = "id"             // nothing else
	BySharedBits    By = "shared bits"    // no one of these: a regex_priority of 2 and more coincides with the others
)

// Order says why Kong tries the first of two routes before the second, for a request
// that both take: their paths may differ in rank.
func (r *Router) Order(first, second *config.Route, req Request) Order {
	q := newQuery(req)
	if r.traditional != nil {
		return r.traditional.orderFor(first, second, q)
	}
	return orderOf(partFor(r.groups()[first], q), partFor(r.groups()[second], q))
}

// partFor is the one of a route's parts that takes a request, else the first.
func partFor(parts []*compiled, q *query) *compiled {
	for _, part := range parts {
		if _, ok := part.match(q); ok {
			return part
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// Kinds are the kinds of attributes that a route matches by, of which Kong counts
// how many there are.
func Kinds(route *config.Route) []string {
	var kinds []string
	for _, kind := range []struct {
		name string
		n    int
	}{
		{"methods", len(route.Methods)}, {"hosts", len(route.Hosts)}, {"headers", len(route.Headers)},
		{"snis", len(route.SNIs)}, {"paths", len(route.Paths)},
		{"sources", len(route.Sources)}, {"destinations", len(route.Destinations)},
	} {
		if kind.n > 0 {
			kinds = append(kinds, kind.name)
		}
	}
	return kinds
}

// A claim is what one thing about a part puts into its priority.
type claim struct {
	value int    // the more of it, the sooner the part is tried
	bits  uint64 // of the priority
}

// claims are what a part's priority is made of. They are not apart: regex_priority
// reaches into the bits of headers and kinds.
type claims [6]claim

// The places of claims, in the order in which they are said where several decide.
const (
	claimKinds = iota
	claimHosts
	claimExpression
	claimHeaders
	claimRegexPriority
	claimLength
)

func claimsOf(c *compiled) claims {
	var of claims
	kinds, headers := weight(c.route, c.route.Paths), min(len(c.route.Headers), 255)
	of[claimKinds] = claim{kinds, shift(kinds, 61)}
	of[claimHeaders] = claim{headers, shift(headers, 52)}
	if plainHostsOnly(c.route) {
		of[claimHosts] = claim{1, 1 << 60}
	}
	switch {
	case len(c.regexes) > 0:
		of[claimExpression] = claim{1, 1 << 51}
		of[claimRegexPriority] = claim{keptRegexPriority(c.route), shift(c.route.RegexPriority, 19)}
	case len(c.plain) > 0:
		of[claimLength] = claim{len(c.plain[0]), uint64(len(c.plain[0])) & (1<<19 - 1)}
	}
	return of
}

// keptRegexPriority is the regex_priority as far as a shift by 19 within 32 bits
// leaves it: 13 bits, one of them the sign.
func keptRegexPriority(route *config.Route) int {
	return int(int32(route.RegexPriority) << 19 >> 19)
}

// with is the priority that comes of it with another claim in one place.
func (c claims) with(place int, other claim) uint64 {
	c[place] = other
	var priority uint64
	for _, one := range c {
		priority |= one.bits
	}
	return priority
}

// orderOf says why the first of two parts is tried before the second. The highest
// bit in which their priorities differ is the first's: what put it there is the
// reason, where the first has more of it. Where it has not, as two things counted
// into the same bits, the reason is what the first would not be first without.
func orderOf(first, second *compiled) Order {
	if first.expression != nil {
		return orderOfExpression(first, second)
	}
	if first.priority == second.priority {
		return Order{ByID, "they are equal, and its id is the higher"}
	}
	a, b := claimsOf(first), claimsOf(second)
	top := uint64(1) << (bits.Len64(first.priority^second.priority) - 1)
	for _, decides := range []func(place int) bool{
		func(place int) bool { return a[place].bits&top != 0 },
		func(place int) bool { return a.with(place, b[place]) <= second.priority },
	} {
		for place := range a {
			if o := against(first, second, place, a[place].value, b[place].value); o.By != "" && decides(place) {
				return o
			}
		}
	}
	return Order{BySharedBits, "regex_priority shares its bits with the numbers of headers and of kinds of attribute, and here these come to more"}
}

// against is what a claim of the first part's says for it, nothing where the second
// has as much.
func against(first, second *compiled, place, a, b int) Order {
	switch {
	case place == claimRegexPriority:
		return againstRegexPriority(first, second, a, b)
	case place == claimKinds:
		return againstKinds(a, b)
	case a <= b:
		return Order{}
	}
	switch place {
	case claimHosts:
		return Order{ByHosts, "it has hosts without a wildcard"}
	case claimExpression:
		return Order{ByExpression, "its path is an expression"}
	case claimHeaders:
		return Order{ByHeaders, fmt.Sprintf("it has %s against %d", counted(a, "header"), b)}
	}
	return Order{ByLength, againstLength(second)}
}

// againstKinds: behind the sign, which four and five set, two bits are left.
func againstKinds(a, b int) Order {
	switch {
	case a >= 4 && b < 4:
		return Order{ByMany, "it has four or more kinds of attribute"}
	case a > b:
		return Order{ByKinds, fmt.Sprintf("it has %d kinds of attribute against %d", a, b)}
	case a&3 > b&3:
		return Order{ByKinds, fmt.Sprintf("it has %s of attribute, and of %d Kong keeps %d", counted(a, "kind"), b, b&3)}
	}
	return Order{}
}

// againstRegexPriority: a negative one has its sign extended, and comes first.
func againstRegexPriority(first, second *compiled, a, b int) Order {
	said := "its regex_priority is " + saidRegexPriority(first)
	switch {
	case a < 0 && b >= 0:
		return Order{ByTop, said + ", which Kong takes for the highest"}
	case a <= b:
		return Order{}
	case len(second.regexes) > 0:
		said += " against " + saidRegexPriority(second)
	}
	return Order{ByRegexPriority, said}
}

func saidRegexPriority(c *compiled) string {
	n, kept := c.route.RegexPriority, keptRegexPriority(c.route)
	if n == kept {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d (of which Kong keeps %d)", n, kept)
}

func againstLength(second *compiled) string {
	switch {
	case len(second.regexes) > 0:
		return "its path is plain, and of an expression the length does not count"
	case len(second.plain) == 0:
		return "it has a path"
	}
	return "its path is longer"
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
