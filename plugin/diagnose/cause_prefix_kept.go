package diagnose

// prefixKept: strip_path is off, and the route's path went upstream with the
// rest. The upstream then has no such path, so a 405 comes only from something
// that matches every path and reads only.
var prefixKept = cause{
	code: PrefixKept,
	examine: func(v *view) *finding {
		if v.Route == nil || v.Route.StripPath || v.rewritten() || !v.allow.Refuses(v.Upstream.Method) {
			return nil
		}
		if len(segments(v.prefix)) == 0 || len(segments(v.rest())) == 0 {
			return nil
		}
		would := v.at(v.pathWith(true, v.servicePath()))
		f := &finding{
			certainty: Possible,
			reason: "strip_path is off on " + routeEntity(v.Route).String() + ", so " + v.prefix +
				" stayed on the path and the upstream got " + v.Upstream.Line().String() + ", " + v.takes(),
			facts: []string{"the route's path " + v.prefix + " was passed on"},
			fixes: []Fix{v.routeSets("strip_path", true, "set strip_path=true", would)},
		}
		if v.allow.ReadOnly() && !looksOwn(v.prefix) && beginsOwn(v.rest()) {
			f.certainty = Likely
			f.facts = append(f.facts, v.rest()+" behind the prefix looks like the application's own path")
		}
		return f
	},
}
