package diagnose

// pathRewrite: what route and service cannot explain, a plugin did.
var pathRewrite = cause{
	code: PathRewrite,
	examine: func(v *view) *finding {
		if !v.rewritten() || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		would := v.at(v.explained)
		return &finding{
			certainty: Likely,
			reason: "a plugin replaced the path: route and service lead to " + v.explained +
				", but " + v.got(),
			facts: []string{"strip_path and the service's path give " + v.explained + ", not " + v.Upstream.Path},
			fixes: []Fix{transformerFix(v, "take replace.uri out of the request-transformer plugin (or whatever sets the path)", would)},
		}
	},
}
