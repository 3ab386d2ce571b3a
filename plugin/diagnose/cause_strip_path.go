package diagnose

// stripPath: strip_path removed what the upstream's own path begins with. That
// the upstream got less than the client asked proves nothing, since that is what
// strip_path is for; so the removed part must look like the application's own.
var stripPath = cause{
	code: StripPath,
	examine: func(v *view) *finding {
		if !v.strips() || v.rewritten() || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		would := v.at(v.pathWith(false, v.servicePath()))
		f := &finding{
			certainty: Possible,
			reason: "strip_path on " + routeEntity(v.Route).String() + " removed " + v.stripped +
				", so " + v.got(),
			facts: []string{"strip_path removed " + v.stripped},
			fixes: []Fix{v.routeSets("strip_path", false, "set strip_path=false", would)},
		}
		if why := v.strippedOwn(); why != "" {
			f.certainty = Likely
			f.facts = append(f.facts, why)
		}
		return f
	},
}

// strippedOwn says why the stripped part looks like the application's own, or "".
// It asks for an Allow header: without one nothing tells a framework's route from
// a file server or a catch-all, which refuses the method on every path.
func (v *view) strippedOwn() string {
	if !v.allow.Refuses(v.Upstream.Method) {
		return ""
	}
	consumed := len(segments(v.rest())) == 0
	switch {
	case consumed && len(segments(v.stripped)) > 1:
		return "the route's path " + v.stripped + " is as long as an endpoint's, and nothing of it was left"
	case consumed && lists(v.Route, v.Upstream.Method) && !lists(v.Route, "GET"):
		return "the route is there for " + v.Upstream.Method + " at " + v.stripped + ", and nothing of the path was left"
	case !consumed && looksOwn(v.stripped) && !looksOwn(v.servicePath()) && v.allow.ReadOnly():
		return v.stripped + " looks like the application's own prefix, and what lies behind the shortened path only reads"
	}
	return ""
}
