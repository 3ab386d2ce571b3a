package diagnose

import (
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Observations for another route.
const (
	shadowsFiles observation = "another route has the path as well, and this one led to a file server"
	// shadowsOther: two things that have nothing to do with each other.
	shadowsOther observation = "another route has the path as well, and what answered is not the application"
	missedOther  observation = "another route has the path and not the method, and what answered is not the application"
	twins        observation = "another route has the very same path and leads elsewhere"
)

// routeShadowed: another route takes the path as well and would lead elsewhere, or would
// take it but for the method. It needs the configuration's other routes, which a plugin
// does not have.
var routeShadowed = cause{
	code: RouteShadowed,
	kind: gateway | ofPath,
	examine: func(v *view) *finding {
		if other := v.shadowed(); other != nil {
			return v.shadowing(other)
		}
		if other := v.missed(); other != nil {
			return v.byMethod(other)
		}
		return nil
	},
}

// shadowing is the finding where another route would have taken the request.
func (v *view) shadowing(other *config.Route) *finding {
	f := &finding{
		reason: routeEntity(v.Route).String() + " took the request before " + routeEntity(other).String() +
			", which has the path as well, and " + v.got(),
		facts: []string{routeEntity(other).String() + " leads to " + serviceEntity(other.Service).String()},
		fixes: []Fix{{
			Words: "narrow the paths of " + routeEntity(v.Route).String() + " so that they leave this one to " + routeEntity(other).String(),
			App:   "Narrow the route's paths.",
		}},
	}
	isTwin := v.isTwin(other)
	switch {
	case v.responder.kind == kindStatic:
		f.shows = shadowsFiles
	case v.isElsewhere():
		f.shows = shadowsOther
	case isTwin:
		f.shows = twins
	}
	if isTwin && len(v.Route.Methods) == 0 && len(v.allow.Methods) > 0 && !v.allow.Has(v.Client.Method) {
		f.fixes = append([]Fix{v.routeSets("methods", v.allow.Methods, "set methods="+strings.Join(v.allow.Methods, ","), nil)}, f.fixes...)
	}
	return f
}

// byMethod is the finding where another route would have taken the request, and before
// this one, had it the method. That two services share a path by their methods is common,
// and what lacks the method is then the application; so it takes more to blame the route.
func (v *view) byMethod(other *config.Route) *finding {
	methods := append(slices.Clone(other.Methods), v.Client.Method)
	f := &finding{
		reason: routeEntity(other).String() + " has the path and not the method, so " + routeEntity(v.Route).String() +
			" took the request, and " + v.got(),
		facts: []string{routeEntity(other).String() + " is for " + and(other.Methods) + " and leads to " + serviceEntity(other.Service).String()},
		fixes: []Fix{routeEntity(other).sets("methods", methods, "set methods="+strings.Join(methods, ","), nil)},
	}
	if v.isElsewhere() {
		f.shows = missedOther
	}
	return f
}

// isElsewhere reports a sign that what answered is not the application, which with another
// route at hand says where that is.
func (v *view) isElsewhere() bool {
	_, shows := v.notTheApplication()
	return isWrite(v.Upstream.Method) && slices.Contains([]observation{fileServer, filesAnywhere, everywhere, documented, mountOnly}, shows)
}

// isTwin reports a route whose path matches just what that of the one which took the
// request does: of two such, one never gets a request that both take.
func (v *view) isTwin(other *config.Route) bool {
	prefix, ok := router.MatchPath(other, v.path)
	return ok && len(v.Route.Paths) > 0 && prefix == v.prefix
}

// portOf is where Kong's proxy listens by default, for hosts with a port.
var portOf = map[string]int{"": 8000, "http": 8000, "https": 8443}

func (v *view) asked() router.Request { return v.asks(v.Client.Method, v.Client.Path) }

// shadowed is the route to another service that would take the request without the
// one that did.
func (v *view) shadowed() *config.Route {
	if v.Route == nil {
		return nil
	}
	return firstOf(v.asked(), slices.DeleteFunc(router.Plausible(v.Routes, v.asked()), func(r *config.Route) bool { return !v.isOther(r) }))
}

// missed is the route to another service that would take the request, and before the one
// that did, if it had the method.
func (v *view) missed() *config.Route {
	if v.Route == nil {
		return nil
	}
	var with []*config.Route
	by := map[*config.Route]*config.Route{}
	for _, r := range router.PlausibleByPath(v.Routes, v.asked()) {
		if len(r.Methods) == 0 || slices.Contains(r.Methods, v.Client.Method) || !v.isOther(r) {
			continue
		}
		widened := *r
		widened.Methods = append(slices.Clone(r.Methods), v.Client.Method)
		with, by[&widened] = append(with, &widened), r
	}
	if len(with) == 0 {
		return nil
	}
	return by[firstOf(v.asked(), append(with, v.Route))] // nil for the one that did
}

// isOther reports a route for paths that leads to another service.
func (v *view) isOther(r *config.Route) bool {
	return r.ID != v.Route.ID && r.Service != nil && r.Service != v.Service && len(r.Paths) > 0
}

// firstOf is the one of some routes that takes a request, nil if none does.
func firstOf(req router.Request, routes []*config.Route) *config.Route {
	if len(routes) == 0 {
		return nil
	}
	all, _ := router.New(&config.Config{Routes: routes}) // without those that cannot be compiled
	m, ok := all.Match(req)
	if !ok {
		return nil
	}
	return m.Route
}

// asks is another request of the client's to the same host.
func (v *view) asks(method, path string) router.Request {
	return router.Request{
		Method: method, Target: path, Host: v.Client.Host, Scheme: v.Client.Scheme,
		Port: portOf[v.Client.Scheme], Header: v.Client.Header, SNI: forecast.Hostname(v.Client.Host),
	}
}

// routed is the route that would take another request of the client's, nil for none.
func (v *view) routed(method, path string) *config.Route {
	req := v.asks(method, path)
	return firstOf(req, router.Plausible(v.Routes, req))
}
