package diagnose

const nearDocumented observation = "the document has an endpoint one step from the path"

// wrongPath: the gateway did what it should, and the client's path is not that of
// an endpoint: something was left out, is too many, or differs. Only a document of
// the application can tell.
var wrongPath = cause{
	code: WrongPath,
	kind: ofPath,
	examine: func(v *view) *finding {
		fixes := v.endpointFixes()
		switch _, another := v.notTheApplication(); {
		case (another == "" || another == mountOfFiles) && len(fixes) > 0:
			return &finding{
				shows:  nearDocumented, // the endpoint is there; that it was meant is a guess
				reason: v.got() + "; the application offers " + fixes[0].Upstream.String(),
				facts:  []string{"the application's document has " + fixes[0].Upstream.String()},
				fixes:  fixes,
			}
		case v.missing():
			return v.noSuchPath()
		}
		return nil
	},
}

// noSuchPath is the last answer to a 404: that the application has no such path, or
// has the path and not the thing.
func (v *view) noSuchPath() *finding {
	return &finding{
		reason: v.got() + arrived(v),
		fixes: []Fix{{
			Words: "look up " + v.Upstream.Path + " among the application's routes; where it is there, what was asked for is not",
			App:   "Offer " + v.Upstream.Path + ", or find out why what it names is not there.",
		}},
	}
}
