package diagnose

import "strings"

// wrongUpstream: what answered is not the application. A file server, a page for
// every path and a CDN refuse every method that writes, on every path.
var wrongUpstream = cause{
	code: WrongUpstream,
	examine: func(v *view) *finding {
		if !isWrite(v.Upstream.Method) || v.Upstream.Method != v.Client.Method || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		why := v.notTheApplication()
		if why == "" {
			return nil
		}
		return &finding{
			certainty: Likely,
			most:      Likely, // where an endpoint is does not prove what answered
			reason:    v.got() + "; " + why,
			facts:     []string{why},
			fixes:     wrongUpstreamFixes(v),
		}
	},
}

// notTheApplication says why the answer is probably not the application's, or "".
func (v *view) notTheApplication() string {
	documented, _ := v.seen.documented(v.Upstream.Path)
	switch {
	case v.responder.kind == kindStatic, v.responder.kind == kindCDN:
		return v.responder.kind.with(v.responder.name) + " answered, not the application"
	case v.responder.kind == kindMount:
		return v.responder.kind.with(v.responder.name) + " answered, not a route of the application"
	case documented.Takes(v.Upstream.Method):
		return "the application's document offers " + v.Upstream.Line().String() + ", so something else answered"
	case v.refusesEverywhere():
		return "it came through a route for every path, and the answer has no Allow, as of a page for every path"
	}
	return ""
}

// refusesEverywhere reports an answer of something that reads and never writes,
// whatever the path: it names no methods, no framework is to be seen, and the
// route that led there is the one for all that no other route takes.
func (v *view) refusesEverywhere() bool {
	if v.allow.Sent || v.responder.kind == kindApp || v.responder.kind == kindGateway || v.responder.kind == kindStore {
		return false
	}
	return v.responder.kind == kindStatic || len(segments(v.prefix)) == 0 && isCatchAll(v)
}

// isCatchAll reports whether the route takes every path: its own path is the root,
// and nothing else narrows it.
func isCatchAll(v *view) bool {
	r := v.Route
	return r != nil && len(r.Hosts) == 0 && len(r.Methods) == 0 && strings.Join(r.Paths, "") == "/"
}

// wrongUpstreamFixes: where another program answered, an endpoint of the
// application does not help while the service leads past it.
func wrongUpstreamFixes(v *view) []Fix {
	e := serviceEntity(v.Service)
	check := Fix{
		Words: "check that " + e.String() + " leads to the application: host, port and path",
		App:   "Point " + e.String() + " at the application.",
	}
	if v.responder.kind == kindStatic || v.responder.kind == kindCDN {
		return []Fix{check}
	}
	return append(v.endpointFixes(), check)
}
