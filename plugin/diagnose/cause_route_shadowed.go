package diagnose

import (
	"slices"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

const shadowsFiles observation = "another route has the path as well, and this one led to a file server"

// routeShadowed: another route takes the path as well and would lead elsewhere.
// It needs the configuration's other routes, which a plugin does not have.
var routeShadowed = cause{
	code: RouteShadowed,
	kind: gateway | ofPath,
	examine: func(v *view) *finding {
		other := v.shadowed()
		if other == nil {
			return nil
		}
		f := &finding{
			reason: routeEntity(v.Route).String() + " took the request before " + routeEntity(other).String() +
				", which has the path as well, and " + v.got(),
			facts: []string{routeEntity(other).String() + " leads to " + serviceEntity(other.Service).String()},
			fixes: []Fix{{
				Words: "narrow the paths of " + routeEntity(v.Route).String() + " so that they leave this one to " + routeEntity(other).String(),
				App:   "Narrow the route's paths.",
			}},
		}
		if v.responder.kind == kindStatic {
			f.shows = shadowsFiles
		}
		return f
	},
}

// portOf is where Kong's proxy listens by default, for hosts with a port.
var portOf = map[string]int{"": 8000, "http": 8000, "https": 8443}

// shadowed is the route to another service that would take the request without the
// one that did.
func (v *view) shadowed() *config.Route {
	if v.Route == nil {
		return nil
	}
	req := router.Request{
		Method: v.Client.Method, Target: v.Client.Path, Host: v.Client.Host, Scheme: v.Client.Scheme,
		Port: portOf[v.Client.Scheme], Header: v.Client.Header, SNI: forecast.Hostname(v.Client.Host),
	}
	others := slices.DeleteFunc(router.Plausible(v.Routes, req), func(r *config.Route) bool {
		return r.ID == v.Route.ID || r.Service == nil || r.Service == v.Service || len(r.Paths) == 0
	})
	if len(others) == 0 {
		return nil
	}
	all, _ := router.New(&config.Config{Routes: others}) // without those that cannot be compiled
	m, ok := all.Match(req)
	if !ok {
		return nil
	}
	return m.Route
}
