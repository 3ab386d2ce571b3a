package diagnose

import (
	"strings"

	"diag405/kong/forecast"
)

// hostHeader: the Host that reached the upstream chooses among its sites, and
// Kong put the service's host in place of the client's.
var hostHeader = cause{
	code: HostHeader,
	examine: func(v *view) *finding {
		if v.Route == nil || v.Route.PreserveHost || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		client, upstream := forecast.Hostname(v.Client.Host), forecast.Hostname(v.Upstream.Host)
		if client == "" || upstream == "" || client == upstream || len(v.Route.Hosts) == 0 {
			return nil
		}
		f := &finding{
			certainty: Possible,
			reason: "preserve_host is off on " + routeEntity(v.Route).String() + ", so the upstream got the service's Host" +
				" instead of " + client + " with " + v.Upstream.Line().String() + ", " + v.takes(),
			facts: []string{"the client asked for " + client + ", the upstream was asked for " + upstream},
			fixes: []Fix{v.routeSets("preserve_host", true, "set preserve_host=true", v.at(v.Upstream.Path))},
		}
		// A name below the upstream's own is how object stores and multi-tenant
		// applications tell sites apart.
		if strings.HasSuffix(client, "."+upstream) && v.path == v.Upstream.Path {
			f.certainty = Likely
			f.facts = append(f.facts, client+" lies below "+upstream)
		}
		return f
	},
}
