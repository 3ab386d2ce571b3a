package diagnose

// wrongPath: the gateway did what it should, and the client's path is not that of
// an endpoint: something was left out, is too many, or differs. Only a document of
// the application can tell.
var wrongPath = cause{
	code: WrongPath,
	examine: func(v *view) *finding {
		if v.allow.Has(v.Upstream.Method) || v.notTheApplication() != "" {
			return nil
		}
		fixes := v.endpointFixes()
		if len(fixes) == 0 {
			return nil
		}
		return &finding{
			certainty: Likely,
			most:      Likely, // the endpoint is there; that it was meant is a guess
			reason:    v.got() + "; the application offers " + fixes[0].Upstream.String(),
			facts:     []string{"the application's document has " + fixes[0].Upstream.String()},
			fixes:     fixes,
		}
	},
}
