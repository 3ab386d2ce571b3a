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

// shadowed is another route to another service that would take the request, too.
func (v *view) shadowed() *config.Route {
	if v.Route == nil {
		return nil
	}
	i := slices.IndexFunc(v.Routes, func(r *config.Route) bool {
		if r.ID == v.Route.ID || r.Service == nil || r.Service == v.Service || len(r.Paths) == 0 {
			return false
		}
		if len(r.Methods) > 0 && !slices.Contains(r.Methods, v.Client.Method) {
			return false
		}
		if len(r.Hosts) > 0 && !slices.Contains(r.Hosts, forecast.Hostname(v.Client.Host)) {
			return false
		}
		_, ok := router.MatchPath(r, v.path)
		return ok
	})
	if i < 0 {
		return nil
	}
	return v.Routes[i]
}
