// Package diff says what a change of configuration does to requests: which now take
// another route, reach another upstream, path, method or Host there, or none at all.
//
// A request may change only where a route that the change concerns takes it, before or
// after ([side.changed]). For each of those, and each route that takes some of the same
// requests, the least request is made that both take; what another request has beyond
// that only brings in routes that win anyway. Paths are put into classes which routes
// do not tell apart, regular expressions included (classes.go), hosts, methods and
// headers are crossed (meet.go). [diag405/kong/forecast] is then asked with both
// configurations, and what it says differently is a [Change] with a request to show it.
// Where that is no proof, [Report.Sampled] says so.
//
// It computes only, and sends nothing.
package diff

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// Kind is in what a request changes. Kinds are a contract: they are what -allow takes.
type Kind string

// Kinds, the gravest first.
const (
	Unreached Kind = "unreached" // an upstream got it, and none does any more
	Reached   Kind = "reached"   // no upstream got it, and one does now
	Answer    Kind = "answer"    // no upstream gets it, and another status answers it
	Upstream  Kind = "upstream"  // another address gets it
	Path      Kind = "path"      // the upstream gets another path
	Method    Kind = "method"    // the upstream gets another method
	Host      Kind = "host"      // the upstream gets another Host
	Query     Kind = "query"     // the upstream gets another query
	Plugin    Kind = "plugin"    // a plugin whose part is not worked out does something else
	Route     Kind = "route"     // another route takes it
)

// Kinds are all kinds, the gravest first.
func Kinds() []Kind {
	return []Kind{Unreached, Reached, Answer, Upstream, Path, Method, Host, Query, Plugin, Route}
}

// Options are what to ask beside the requests that the routes suggest.
type Options struct {
	Traffic []Logged
	Allow   []Allow // what is meant
}

// Logged is a request from a log, and how many such there were.
type Logged struct {
	forecast.Request
	Count int
}

// Report is what a change of configuration does.
type Report struct {
	Changes []*Change `json:"changes"` // those of which the fewest requests were found first
	// Renamed are routes that do the same under another name, which is no change.
	Renamed []Rename `json:"renamed,omitempty"`
	Added   []string `json:"added,omitempty"`   // routes, by name or id
	Removed []string `json:"removed,omitempty"` // the same
	Asked   int      `json:"asked"`             // requests that routes suggested
	Traffic *Traffic `json:"traffic,omitempty"`
	// Sampled says, a clause each, where requests are examples: there may be changes
	// beside those found. Without one the changes are all, as far as Kong is modelled.
	Sampled []string `json:"sampled,omitempty"`
}

// Rename is a route under two names.
type Rename struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// Traffic is what the change does to logged requests.
type Traffic struct {
	Requests int `json:"requests"`
	Distinct int `json:"distinct"`
	Changed  int `json:"changed"` // of Requests
}

// Change is requests that change in the same way: from one route to one other, in all
// of the kinds or some of them.
type Change struct {
	Kinds   []Kind  `json:"kinds"` // the gravest first
	Before  Outcome `json:"before"`
	After   Outcome `json:"after"`
	Witness Witness `json:"witness"`          // the simplest of them; one of a log before others
	Asked   int     `json:"asked"`            // how many of the requests that routes suggested
	Logged  int     `json:"logged,omitempty"` // how many of a log's
	Allowed bool    `json:"allowed,omitempty"`
}

// Unmeant reports whether something changes that was not allowed.
func (r *Report) Unmeant() bool {
	return slices.ContainsFunc(r.Changes, func(c *Change) bool { return !c.Allowed })
}

// Compare compares two configurations. An error is a route that cannot be compiled.
func Compare(before, after *config.Config, o Options) (*Report, error) {
	c, err := newComparison(before, after)
	if err != nil {
		return nil, err
	}
	c.askTraffic(o.Traffic)
	c.askWitnesses()
	r := &c.report
	r.Changes = fold(c.changes)
	for _, change := range r.Changes {
		change.Allowed = allowed(o.Allow, change)
	}
	slices.SortFunc(r.Changes, compareChanges)
	return r, nil
}

// fold adds requests to those that change between the same routes in all that they do,
// and more. What is the same before and after often is so by chance.
func fold(changes map[string]*Change) []*Change {
	list := slices.SortedFunc(maps.Values(changes), func(a, b *Change) int {
		return cmp.Or(cmp.Compare(len(b.Kinds), len(a.Kinds)), slices.Compare(a.Kinds, b.Kinds))
	})
	out := []*Change{}
	folded := map[[6]string][]*Change{}
	for _, c := range list {
		same := folded[c.between()]
		i := slices.IndexFunc(same, func(more *Change) bool { return more.says(c) })
		if i < 0 {
			folded[c.between()] = append(same, c)
			out = append(out, c)
			continue
		}
		same[i].Asked += c.Asked
		same[i].Logged += c.Logged
	}
	return out
}

// says reports whether a change has all kinds of another one.
func (c *Change) says(other *Change) bool {
	return !slices.ContainsFunc(other.Kinds, func(k Kind) bool { return !slices.Contains(c.Kinds, k) })
}

// between is what a change leads from and to.
func (c *Change) between() [6]string {
	end := func(o Outcome) (string, string, string) { return o.Route, strconv.Itoa(o.Status), o.By }
	a, b, d := end(c.Before)
	e, f, g := end(c.After)
	return [6]string{a, b, d, e, f, g}
}

// compareChanges puts those of few requests first: what is meant concerns many.
func compareChanges(a, b *Change) int {
	gravest := func(c *Change) int { return slices.Index(Kinds(), c.Kinds[0]) }
	return cmp.Or(
		cmp.Compare(a.Logged+a.Asked, b.Logged+b.Asked),
		cmp.Compare(gravest(a), gravest(b)),
		cmp.Compare(a.Before.Route, b.Before.Route),
		cmp.Compare(a.After.Route, b.After.Route),
		slices.Compare(a.Kinds, b.Kinds),
		cmp.Compare(a.Witness.String(), b.Witness.String()),
	)
}
