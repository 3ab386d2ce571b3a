package lint

import (
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Rules about the order in which Kong tries routes. All of them ask the router.

func shadowedRoute(s *subject) []Finding {
	var findings []Finding
	for _, r := range slices.Concat(s.routes, s.expressions()) {
		sh := s.shadowOf(r)
		if sh.reached {
			continue
		}
		t := *sh.taken
		findings = append(findings, Finding{
			Severity: s.shadowSeverity(r, t),
			Object:   routeObject(r),
			Sentence: fmt.Sprintf("no request reaches it: %s goes to %s, because %s", t, routeObject(t.route), s.because(t, r)),
			Fix:      s.shadowFix(r, t),
		})
	}
	return findings
}

func shadowedPath(s *subject) []Finding {
	return s.lostParts(func(sh *shadow) []lost { return sh.paths }, "no request for path %s reaches it")
}

func shadowedMethod(s *subject) []Finding {
	return s.lostParts(func(sh *shadow) []lost { return sh.methods }, "no %s request reaches it")
}

func (s *subject) lostParts(parts func(*shadow) []lost, sentence string) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		for _, l := range parts(s.shadowOf(r)) {
			findings = append(findings, Finding{
				Severity: s.shadowSeverity(r, l.by),
				Object:   routeObject(r),
				Sentence: fmt.Sprintf(sentence+": %s goes to %s, because %s", l.what, l.by, routeObject(l.by.route), s.because(l.by, r)),
				Fix:      s.shadowFix(r, l.by),
			})
		}
	}
	return findings
}

// shadowFix is mechanical where regex_priority decides between two expressions.
func (s *subject) shadowFix(r *config.Route, t trial) Fix {
	other := t.route
	theirs := s.regexFor(other, t.sample.path)
	switch {
	case r.Expression != "" && other.Expression != "" && s.router.Order(other, r, t.req).By != router.ByID:
		n := other.Priority + 1
		return Fix{Words: fmt.Sprintf("set priority=%d, or let %s take less", n, routeObject(other)), Set: map[string]any{"route.priority": n}}
	case r.Expression != "", other.Expression != "":
		return Fix{Words: fmt.Sprintf("let %s take less", routeObject(other))}
	case theirs != "" && s.byRegex(r, t.sample.path) && s.byRegexPriority(t, r):
		n := other.RegexPriority + 1
		return Fix{Words: fmt.Sprintf("set regex_priority=%d, or narrow %s of %s", n, theirs, routeObject(other)), Set: map[string]any{"route.regex_priority": n}}
	case theirs != "" && !strings.HasSuffix(theirs, "$"):
		return Fix{Words: fmt.Sprintf("narrow %s of %s, for instance with $ at its end, or make the path here an expression with a higher regex_priority", theirs, routeObject(other))}
	case theirs != "":
		return Fix{Words: fmt.Sprintf("narrow %s of %s, or make the path here an expression with a higher regex_priority", theirs, routeObject(other))}
	case sameMatch(r, other):
		return Fix{Words: fmt.Sprintf("remove it, or let it differ from %s in what it matches", routeObject(other))}
	case len(other.Methods) == 0 && len(r.Methods) > 0:
		return Fix{Words: fmt.Sprintf("list methods on %s that leave these to it", routeObject(other))}
	}
	return Fix{Words: fmt.Sprintf("let %s take less, or this route match by more", routeObject(other))}
}

// byRegexPriority reports whether a higher regex_priority would put a route before
// the one that took a sample.
func (s *subject) byRegexPriority(t trial, r *config.Route) bool {
	by := s.router.Order(t.route, r, t.req).By
	return by == router.ByRegexPriority || by == router.ByID
}

// sameMatch reports whether two routes match by the same.
func sameMatch(a, b *config.Route) bool {
	return sameSet(a.Methods, b.Methods) && sameSet(a.Hosts, b.Hosts) && sameSet(a.Paths, b.Paths) &&
		sameSet(a.SNIs, b.SNIs) && len(a.Headers) == 0 && len(b.Headers) == 0
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}

// priorityOrder: Kong's documentation says that the route with more kinds of
// conditions is tried first. Really plain hosts and expressions come before that.
func priorityOrder(s *subject) []Finding {
	var findings []Finding
	byHost := map[*config.Route][]upset{} // the route that wins by its hosts => where
	for _, r := range s.routes {
		for _, u := range s.upsets(r) {
			winner := u.by.route
			if s.router.Order(winner, r, u.by.req).By == router.ByHosts {
				byHost[winner] = append(byHost[winner], u)
				continue
			}
			findings = append(findings, s.expressionFirst(u))
		}
	}
	for _, r := range s.routes {
		if len(byHost[r]) > 0 {
			findings = append(findings, s.hostFirst(r, byHost[r]))
		}
	}
	return findings
}

// an upset is a request that a route loses to one that says less.
type upset struct {
	route *config.Route
	by    trial
}

// upsets are those of one route, one for each route that it loses to. One that matches
// by a single kind of attribute loses to none that says less.
func (s *subject) upsets(r *config.Route) []upset {
	if len(router.Kinds(r)) == 1 || !s.shadowOf(r).reached {
		return nil
	}
	var list []upset
	x := s.sampling(r)
	s.each(x, func(t trial) bool {
		told := slices.ContainsFunc(list, func(u upset) bool { return t.route != nil && u.by.route == t.route })
		if !told && s.surprises(x, r, t) && !s.lostAnyway(r, t) {
			list = append(list, upset{r, t})
		}
		return true
	})
	return list
}

// surprises reports whether a route that says less took a sample.
func (s *subject) surprises(x sampling, r *config.Route, t trial) bool {
	return t.route != nil && t.route != r && s.valid(x, t) && t.route.Expression == "" &&
		len(router.Kinds(t.route)) < len(router.Kinds(r)) && !s.harmless(r, t)
}

// lostAnyway reports whether another rule speaks of the sample already.
func (s *subject) lostAnyway(r *config.Route, t trial) bool {
	sh := s.shadowOf(r)
	return slices.ContainsFunc(sh.paths, func(l lost) bool { return l.what == t.sample.of }) ||
		slices.ContainsFunc(sh.methods, func(l lost) bool { return l.what == t.req.Method })
}

func (s *subject) expressionFirst(u upset) Finding {
	other := u.by.route
	return Finding{
		Object: routeObject(u.route),
		Sentence: fmt.Sprintf("%s goes to %s, because %s, although this route matches by more (%s against %s)",
			u.by, routeObject(other), s.because(u.by, u.route), kinds(u.route), kinds(other)),
		Fix: s.shadowFix(u.route, u.by),
	}
}

// hostFirst is one finding for all routes that lose to one with hosts: whoever
// gives a route hosts mostly wants just that.
func (s *subject) hostFirst(r *config.Route, upsets []upset) Finding {
	var others []string
	for _, u := range upsets {
		others = append(others, routeObject(u.route).String())
	}
	first := upsets[0]
	return Finding{
		Severity: Info,
		Object:   routeObject(r),
		Sentence: fmt.Sprintf("it takes %s before %s, although %s matches by more (%s against %s): %s", first.by, atMost(3, others),
			others[0], kinds(first.route), kinds(r), s.because(first.by, first.route)),
		Fix: Fix{Words: "add its hosts to those routes if they are to take such requests"},
	}
}

func kinds(r *config.Route) string { return strings.Join(router.Kinds(r), ", ") }

// ageOrder: where a worker of Kong that has just started sends a request elsewhere than
// one that has been running for a while. Only routes whose place depends on that are
// sampled; a request that both take comes from the samples of either.
func ageOrder(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if len(router.AgeCauses(r)) == 0 {
			continue
		}
		if f := s.byAge(r); f != nil {
			findings = append(findings, *f)
		}
	}
	return findings
}

// elsewhere is where a fresh Kong sends a request: to another route, or to another
// upstream path through the same.
func elsewhere(warm, fresh *router.Match) string {
	switch {
	case fresh == nil:
		return "to no route"
	case fresh.Route == warm.Route:
		return "by another of its paths"
	}
	return "to " + routeObject(fresh.Route).String()
}

// byAge is the finding on a route's first sample that depends on Kong's age, nil when
// none does.
func (s *subject) byAge(r *config.Route) *Finding {
	var f *Finding
	s.each(s.sampling(r), func(t trial) bool {
		warm, fresh, differ := t.place.ByAge(t.req.Method)
		if !differ || warm == nil {
			return true
		}
		f = &Finding{
			Object: routeObject(r),
			Sentence: fmt.Sprintf("%s %s goes to %s in a Kong that has been running for a while, and %s in one that has just started",
				t.req.Method, t.req.Target, routeObject(warm.Route), elsewhere(warm, fresh)),
			Fix: Fix{Words: forecast.AgeAdvice(r, fresh)},
		}
		return false
	})
	return f
}
