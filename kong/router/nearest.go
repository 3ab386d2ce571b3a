package router

import (
	"iter"
	"slices"

	"diag405/kong/cores"
)

// Nearest is what [Router.Why] begins with, n reasons at most. Where a route takes
// the request, it leaves out those whose path has no more in common with the
// request's than its slash.
func (r *Router) Nearest(req Request, n int) []Reason {
	held := r.holder(newQuery(req))
	found := cores.Map(r.size(), fewRoutes, func(from, to int) *nearest {
		f := &nearest{n: n}
		for one := range held(from, to) {
			f.add(one)
		}
		return f
	})
	first := found[0]
	for _, f := range found[1:] {
		first.join(f)
	}
	if first.taken {
		return reasonsOf(first.close)
	}
	return reasonsOf(first.all)
}

// nearest are the first n of many reasons.
type nearest struct {
	n          int
	all, close []reasoned // close leaves out what has no path in common with the request
	taken      bool       // by one of the routes
}

func (f *nearest) add(one reasoned) {
	f.taken = f.taken || len(one.failed) == 0
	f.all = insertFirst(f.all, one, f.n)
	if one.Common > len("/") || pathFails(one.failed) == 0 {
		f.close = insertFirst(f.close, one, f.n)
	}
}

// join adds those of routes further behind.
func (f *nearest) join(other *nearest) {
	f.taken = f.taken || other.taken
	for _, one := range other.all {
		f.all = insertFirst(f.all, one, f.n)
	}
	for _, one := range other.close {
		f.close = insertFirst(f.close, one, f.n)
	}
}

// insertFirst puts a reason into the first n, in their order: of equals behind those
// that are there.
func insertFirst(first []reasoned, one reasoned, n int) []reasoned {
	if len(first) == n && (n == 0 || nearer(one, first[n-1]) >= 0) {
		return first
	}
	at := len(first)
	for at > 0 && nearer(one, first[at-1]) < 0 {
		at--
	}
	return slices.Insert(first[:min(len(first), n-1)], at, one)
}

// hold holds every route against a request.
func (r *Router) hold(q *query) []reasoned {
	return slices.Collect(r.holder(q)(0, r.size()))
}

// size is how many parts there are.
func (r *Router) size() int {
	if r.traditional != nil {
		return len(r.traditional.parts)
	}
	return len(r.parts)
}

// holder holds routes against a request: those whose first part stands between two
// places. Several goroutines may call what it returns.
func (r *Router) holder(q *query) func(from, to int) iter.Seq[reasoned] {
	if r.traditional != nil {
		return r.traditional.holder(q)
	}
	return func(from, to int) iter.Seq[reasoned] {
		return func(yield func(reasoned) bool) {
			q := q.alone()
			for parts := range r.byRoute(from, to) {
				if !yield(reasonFor(parts, q)) {
					return
				}
			}
		}
	}
}
