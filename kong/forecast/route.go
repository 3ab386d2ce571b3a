package forecast

import (
	"cmp"
	"fmt"

	"diag405/kong/config"
	"diag405/kong/router"
)

// routed is the request as routes look at it.
func (r Request) routed() router.Request {
	port := 8000 // where Kong's proxy listens by default
	if r.Scheme == "https" {
		port = 8443
	}
	return router.Request{
		Method: r.Method, Target: r.Target, Host: r.Host, Scheme: r.Scheme,
		Port: port, Header: r.Header, SNI: cmp.Or(r.SNI, Hostname(r.Host)),
	}
}

// maxReasons is how many routes are held against a request in words.
const maxReasons = 8

// findRoute finds the route, and what its upstream gets as long as no plugin has
// a say.
func (c *course) findRoute(decision router.Decision) *Answer {
	if !c.brief {
		c.Reasons = c.routes.Nearest(c.Request.routed(), maxReasons)
	}
	m := decision.Match
	if m == nil {
		return c.noRoute(decision.Refusal)
	}
	c.Match, c.Path = m, Arithmetic(m)
	c.noteAge()
	c.Upstream = &Upstream{
		Method: c.Request.Method, URI: m.UpstreamURI, Host: m.UpstreamHost,
		Prefix: m.Stripped, ForwardedPath: m.ForwardedPath,
	}
	return nil
}

// watchBroken names the routes that are left out and may take the request in Kong.
func (c *course) watchBroken(broken []*router.RouteError) {
	reasons := map[*config.Route]error{}
	var routes []*config.Route
	for _, b := range broken {
		reasons[b.Route] = b.Err
		routes = append(routes, b.Route)
	}
	routes = router.Plausible(routes, c.Request.routed())
	for _, route := range routes[:min(len(routes), maxReasons)] {
		c.watch("route %s is left out, and may take this request in Kong: %v", router.Name(route), reasons[route])
	}
	if more := len(routes) - maxReasons; more > 0 {
		c.watch("%d more routes are left out, and may take this request in Kong", more)
	}
}

// noteAge: what a worker of Kong that has just started does otherwise than one that has
// been running for a while.
func (c *course) noteAge() {
	if c.brief {
		return
	}
	_, fresh, differ := c.routes.ByAge(c.Request.routed())
	if !differ {
		return
	}
	other := "no route"
	if fresh != nil {
		other = "route " + router.Name(fresh.Route)
	}
	c.watch("a Kong that has just started sends this request to %s instead: %s", other, AgeAdvice(c.Match.Route, fresh))
}

// AgeAdvice says what makes the order of two routes depend on how long Kong has been
// running, and what to change. Either may be nil.
func AgeAdvice(warm *config.Route, fresh *router.Match) string {
	routes := []*config.Route{warm}
	if fresh != nil {
		routes = append(routes, fresh.Route)
	}
	for _, route := range routes {
		if route == nil {
			continue
		}
		for _, cause := range router.AgeCauses(route) {
			return fmt.Sprintf("route %s has %s; %s", router.Name(route), cause, ageCures[cause])
		}
	}
	return "the order of the two depends on how long Kong has been running"
}

// ageCures are what to change about each.
var ageCures = map[router.AgeCause]string{
	router.ManyFields:      "match by fewer kinds of fields",
	router.ExtremePriority: "choose a regex_priority from 0 to 4095",
}

// noRoute: Kong answers 404 where no route matches, for a method that no route has
// as well.
func (c *course) noRoute(refusal router.Refusal) *Answer {
	a := byKong(refusal.Status(), "no route matches")
	if refusal == router.Crash {
		a.Source = "error"
	}
	if c.brief {
		return a
	}
	switch {
	case refusal == router.Crash:
		a.Words = "Kong's router ends with an error: an argument that an expression asks for is there several times, and once without a value"
		return a
	case refusal == router.NotUTF8:
		a.Words = "something that routes match by is not UTF-8, and Kong's router gives up on such a request"
	case len(c.Reasons) == 0:
		a.Words = "there are no routes"
	case failsBy(c.Reasons[0], "method"):
		a.Words = "no route takes this method; Kong answers that with 404 and not with 405"
	case failsBy(c.Reasons[0], "host"):
		a.Words, a.Why = "no route matches with Host "+c.Request.Host, OtherHost
	}
	if s := c.behindDisabled(); s != nil {
		a.More = append(a.More, "a route of service "+cmp.Or(s.Name, s.ID)+" would, but the service is disabled")
	}
	return a
}

// failsBy reports whether a route would take the request but for one attribute.
func failsBy(r router.Reason, attribute string) bool {
	return len(r.Failed) == 1 && r.Failed[0].Name == attribute
}

// behindDisabled is the disabled service that would get the request, were it not.
func (c *course) behindDisabled() *config.Service {
	var routes []*config.Route
	disabled := map[*config.Service]*config.Service{}
	for _, r := range c.cfg.Routes {
		if r.Service == nil || r.Service.Enabled {
			continue
		}
		copied, service := *r, *r.Service
		service.Enabled = true
		copied.Service = &service
		disabled[&service] = r.Service
		routes = append(routes, &copied)
	}
	all, _ := router.New(&config.Config{Routes: routes, Flavor: c.cfg.Flavor}) // without those that cannot be compiled
	m, ok := all.Match(c.Request.routed())
	if !ok {
		return nil
	}
	return disabled[m.Service]
}

// Arithmetic writes down how route and service make the upstream's path.
func Arithmetic(m *router.Match) []Term {
	terms := []Term{{TermClient, m.ForwardedPath, "the client's path"}}
	if m.Path != m.ForwardedPath {
		terms = append(terms, Term{TermNormalised, m.Path, "as Kong normalises it"})
	}
	return append(terms, strippedTerm(m), serviceTerm(m.Service),
		Term{TermUpstream, m.UpstreamPath, "what route and service make of it"})
}

func strippedTerm(m *router.Match) Term {
	t := Term{TermStripped, m.Stripped, "strip_path"}
	switch {
	case m.Stripped != "":
	case !m.Route.StripPath:
		t.Words = "strip_path is off"
	case m.Route.Expression != "":
		t.Words = "the expression names no prefix"
	case len(m.Route.Paths) == 0:
		t.Words = "the route has no paths"
	default:
		t.Words = "the route's path is /"
	}
	return t
}

func serviceTerm(s *config.Service) Term {
	if s == nil {
		return Term{TermService, "", "the route has no service"}
	}
	t := Term{TermService, s.Path, "service " + cmp.Or(s.Name, s.ID)}
	if s.Path == "" {
		t.Words += " has no path"
	}
	return t
}
