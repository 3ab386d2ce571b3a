package router

import (
	"bytes"
	"cmp"
	"slices"

	"diag405/kong/config"
)

// youngOrder is the order of a worker that has just started, and whether it is
// another one.
func youngOrder(routes []*compiled) (young []*compiled, differs bool) {
	young = slices.Clone(routes)
	slices.SortFunc(young, beforeFresh)
	if slices.Equal(young, routes) {
		return routes, false
	}
	return young, true
}

func beforeFresh(a, b *compiled) int {
	return cmp.Or(cmp.Compare(b.fresh, a.fresh), bytes.Compare(b.id[:], a.id[:]))
}

// MatchFresh is Match in a worker of Kong that has just started. How old a worker
// has to be is nothing that Kong decides: LuaJIT compiles the code that makes
// priorities when it has run often enough, and they are made when routes are read.
func (r *Router) MatchFresh(req Request) (*Match, bool) {
	m, refusal := r.find(newQuery(req), ofYoung)
	return m, refusal == ""
}

// ByAge is both answers to a request that a fresh Kong routes otherwise than a warm
// one, and false for every other request. Either may be nil, for no route.
func (r *Router) ByAge(req Request) (warm, fresh *Match, differ bool) {
	if r.traditional != nil || r.asked.Load() > fewRequests && !r.ordered().aging {
		return nil, nil, false
	}
	q := newQuery(req)
	warm, _ = r.find(q, ofWarm)
	fresh, _ = r.find(q, ofYoung)
	return warm, fresh, !same(warm, fresh)
}

// same looks at the route and the part of the path: another part of the same route
// leaves the upstream another path.
func same(a, b *Match) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Route == b.Route && a.UpstreamURI == b.UpstreamURI
}

// AgeCause is what in a route makes its place among others depend on Kong's age.
type AgeCause string

const (
	// ManyFields is four or more of methods, hosts, headers, snis and paths.
	ManyFields AgeCause = "four or more kinds of fields"
	// ExtremePriority is a regex_priority that is negative, or so high that it has
	// the sign bit of 32: from 4,096 on.
	ExtremePriority AgeCause = "a regex_priority below 0 or above 4095"
)

// AgeCauses says whether and why a route's place depends on Kong's age. It need
// not matter: only with another such route that takes the same requests.
func AgeCauses(route *config.Route) []AgeCause {
	var many, extreme bool
	if route.Expression == "" {
		groups := groupPaths(route.Paths)
		if groups == nil {
			groups = [][]string{nil}
		}
		for _, paths := range groups {
			p := priorityOf(route, paths)
			many, extreme = many || p.weight < 0, extreme || p.rank < 0
		}
	}
	var out []AgeCause
	if many {
		out = append(out, ManyFields)
	}
	if extreme {
		out = append(out, ExtremePriority)
	}
	return out
}
