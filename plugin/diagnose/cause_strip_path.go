package diagnose

import (
	"slices"
	"strings"

	"diag405/kong/forecast"
)

// Observations for strip_path.
const (
	madeForMethod observation = "the route is for this method and not for GET, strip_path left nothing of its path, and what it leads to only reads"
)

// stripPath: strip_path removed what the upstream's own path begins with. That
// the upstream got less than the client asked proves nothing, since that is what
// strip_path is for, and neither does how the removed part is called.
var stripPath = cause{
	code: StripPath,
	kind: gateway | proven | ofPath,
	examine: func(v *view) *finding {
		if !v.strips() || v.rewritten() {
			return nil
		}
		would := v.at(v.pathWith(false, v.servicePath()))
		f := &finding{
			reason: "strip_path on " + routeEntity(v.Route).String() + " removed " + v.stripped +
				", so " + v.got(),
			facts: []string{"strip_path removed " + v.stripped},
			fixes: []Fix{v.routeSets("strip_path", false, "set strip_path=false", would)},
		}
		if v.madeForMethod() {
			f.shows = madeForMethod
			f.facts = append(f.facts, "the route is there for "+v.Upstream.Method+" at "+v.stripped+", and nothing of the path was left")
		}
		return f
	},
}

// madeForMethod: who lists on a route the methods of one endpoint means that
// endpoint to take them. A page that only reads, at the root, is not it.
func (v *view) madeForMethod() bool {
	return !v.missing() && v.Upstream.Path == "/" && v.pathless() && (v.allow.ReadOnly() || v.responder.kind == kindMount) &&
		forecast.ForEndpoint(v.Route) && slices.Contains(v.Route.Methods, v.Upstream.Method) &&
		isWrite(v.Upstream.Method) && v.Client.Method == v.Upstream.Method
}

// pathless tells whether the service's path adds nothing. The path / does not: Kong's
// ingress controller gives it to every service (its translator of Ingress, release 3.5), and who
// writes http://app/ means http://app.
func (v *view) pathless() bool { return strings.Trim(v.servicePath(), "/") == "" }
