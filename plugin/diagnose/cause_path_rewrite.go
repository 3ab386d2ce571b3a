package diagnose

// pathRewrite: what route and service cannot explain, a plugin did.
var pathRewrite = cause{
	code: PathRewrite,
	kind: gateway | proven | ofPath,
	examine: func(v *view) *finding {
		if !v.rewritten() {
			return nil
		}
		return &finding{
			shows: v.replaced(),
			reason: "a plugin replaced the path: route and service lead to " + v.explained +
				", but " + v.got(),
			facts: []string{"strip_path and the service's path give " + v.explained + ", not " + v.Upstream.Path},
			fixes: []Fix{transformerFix(v, "take replace.uri out of the request-transformer plugin (or whatever sets the path)", v.at(v.explained))},
		}
	},
}

// mapped is a path that was rewritten with something of the client's left in it, or
// where there was nothing to leave: the route's own path, under another name.
const mapped observation = "a plugin mapped the path to another"

// replaced weighs what a plugin did to the path. To map paths is what such plugins
// are for; a mistake throws away what the client asked for.
func (v *view) replaced() observation {
	if isRead(v.Upstream.Method) && v.writesOnly() {
		return mapped // whoever sends all requests to one endpoint that writes means that one
	}
	rest := v.rest()
	if v.Route != nil && !v.Route.StripPath {
		rest = v.path // it is to be passed on whole
	}
	if isRoot(rest) || lastSegment(rest) == lastSegment(v.Upstream.Path) {
		return mapped
	}
	return v.changed()
}
