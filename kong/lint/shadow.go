package lint

import (
	"slices"

	"diag405/kong/config"
	"diag405/kong/router"
)

// shadow is what samples of one route led to.
type shadow struct {
	reached bool   // some sample came to the route
	taken   *trial // one that another route took, where none came
	// paths and methods of the route of which no sample came, with one that another
	// route took.
	paths, methods []lost
}

type lost struct {
	what string
	by   trial
}

// shadowOf asks the router with samples of a route. It stops early: most routes
// get their first sample of each path and method.
func (s *subject) shadowOf(r *config.Route) *shadow {
	if s.shadows == nil {
		s.shadows = map[*config.Route]*shadow{}
	}
	if known := s.shadows[r]; known != nil {
		return known
	}
	x := s.sampling(r)
	sh := &shadow{}
	all := s.thief(x, r)
	sh.reached, sh.taken = all == nil, all
	if sh.reached {
		sh.paths = s.lostPaths(x, r)
		sh.methods = s.lostMethods(x, r)
	}
	s.shadows[r] = sh
	return sh
}

// thief is the first sample that another route took, or nil when one of the
// samples came to the route, or when there is none that could.
func (s *subject) thief(x sampling, r *config.Route) *trial {
	var taken *trial
	s.each(x, func(t trial) bool {
		if !s.valid(x, t) {
			return true
		}
		if t.route == nil || t.route == r { // a sample that fits no route proves nothing
			taken = nil
			return false
		}
		if taken == nil {
			taken = &t
		}
		return true
	})
	return taken
}

func (s *subject) lostPaths(x sampling, r *config.Route) []lost {
	var list []lost
	if len(r.Paths) < 2 {
		return nil
	}
	for _, path := range r.Paths {
		one := x
		one.paths = slices.DeleteFunc(slices.Clone(x.paths), func(p samplePath) bool { return p.of != path })
		if t := s.thief(one, r); t != nil {
			list = append(list, lost{path, *t})
		}
	}
	return list
}

func (s *subject) lostMethods(x sampling, r *config.Route) []lost {
	var list []lost
	if len(r.Methods) < 2 {
		return nil
	}
	for _, method := range r.Methods {
		one := x
		one.methods = []string{method}
		if t := s.thief(one, r); t != nil {
			list = append(list, lost{method, *t})
		}
	}
	return list
}

// harmless reports whether it makes no difference to the upstream which of two
// routes takes a request.
func (s *subject) harmless(r *config.Route, t trial) bool {
	other := t.route
	if r.Expression != "" || r.Service != other.Service || r.Service == nil || r.PreserveHost != other.PreserveHost {
		return false
	}
	prefix, _ := router.MatchPath(r, t.sample.path)
	return router.UpstreamPath(r.Service.Path, t.sample.path, prefix, r.StripPath) == t.match().UpstreamPath &&
		slices.Equal(s.plugins(r), s.plugins(other))
}

// shadowSeverity is lower where nothing is lost but a name, and where samples of
// an expression are no proof.
func (s *subject) shadowSeverity(r *config.Route, t trial) Severity {
	switch {
	case s.harmless(r, t):
		return Info
	case r.Expression != "", t.route.Expression != "", config.IsRegexPath(t.sample.of) && !slices.Contains(t.route.Paths, t.sample.of):
		return Warning
	}
	return ""
}

// request is a sample as in a sentence.
func (t trial) String() string {
	text := t.req.Method + " " + t.req.Target
	if len(t.route.Hosts) > 0 {
		text += " with Host " + t.req.Host
	}
	return text
}

// because says why Kong tries the route that took a sample before another.
func (s *subject) because(t trial, other *config.Route) string {
	return s.router.Order(t.route, other, t.req).Words
}

// byRegex reports whether it is an expression by which a route matches a path.
func (s *subject) byRegex(r *config.Route, path string) bool { return s.regexFor(r, path) != "" }

func (s *subject) regexFor(r *config.Route, path string) string {
	for _, p := range r.Paths {
		if !config.IsRegexPath(p) {
			continue
		}
		if s.matches(p, path) {
			return p
		}
	}
	return ""
}
