package diagnose

import (
	"strings"

	"diag405/kong/forecast"
)

const bucketHost observation = "an object store got its own Host where the client's names a bucket"

// hostHeader: the Host that reached the upstream chooses among its sites, and
// Kong put the service's host in place of the client's.
var hostHeader = cause{
	code: HostHeader,
	kind: gateway | ofPath,
	examine: func(v *view) *finding {
		if v.Route == nil || v.Route.PreserveHost {
			return nil
		}
		client, upstream := forecast.Hostname(v.Client.Host), forecast.Hostname(v.Upstream.Host)
		if client == "" || upstream == "" || client == upstream || len(v.Route.Hosts) == 0 {
			return nil
		}
		f := &finding{
			reason: "preserve_host is off on " + routeEntity(v.Route).String() + ", so the upstream got the service's Host" +
				" instead of the client's with " + v.Upstream.Line().String() + ", " + v.takes(),
			facts: []string{"the client asked for " + client + ", the upstream was asked for " + upstream},
			fixes: []Fix{v.routeSets("preserve_host", true, "set preserve_host=true", v.at(v.Upstream.Path))},
		}
		// Object stores take what stands before their own name for the bucket.
		if v.responder.kind == kindStore && strings.HasSuffix(client, "."+upstream) {
			f.shows = bucketHost
			f.facts = append(f.facts, client+" lies below "+upstream)
		}
		return f
	},
}
