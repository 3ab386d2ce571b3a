package diagnose

// prefixKept: strip_path is off, and the route's path went upstream with the
// rest. The upstream then has no such path, so a 405 comes only from something
// that matches every path and reads only; that the path without the prefix is
// there has to be known.
var prefixKept = cause{
	code: PrefixKept,
	kind: gateway | proven | ofPath,
	examine: func(v *view) *finding {
		if v.Route == nil || v.Route.StripPath || v.rewritten() {
			return nil
		}
		if isRoot(v.prefix) || isRoot(v.rest()) {
			return nil
		}
		return &finding{
			reason: "strip_path is off on " + routeEntity(v.Route).String() + ", so " + v.prefix +
				" stayed on the path and " + v.got(),
			facts: []string{"the route's path " + v.prefix + " was passed on"},
			fixes: []Fix{v.routeSets("strip_path", true, "set strip_path=true", v.at(v.pathWith(true, v.servicePath())))},
		}
	},
}
