package diagnose

import "strings"

// Observations for a path that is not the one that was meant.
const (
	nearDocumented observation = "the document has an endpoint one step from the path"
	baseLeftOut    observation = "the path arrived as it came, and the document has it behind one more segment"
)

// wrongPath: the gateway did what it should, and the client's path is not that of
// an endpoint: something was left out, is too many, or differs. Only a document of
// the application can tell.
var wrongPath = cause{
	code: WrongPath,
	kind: ofPath,
	examine: func(v *view) *finding {
		fixes := v.endpointFixes()
		switch _, another := v.notTheApplication(); {
		case v.leavesBaseOut(fixes):
			return &finding{
				shows:  baseLeftOut,
				reason: v.got() + "; the application offers " + fixes[0].Upstream.String(),
				facts:  []string{"the application's document has " + fixes[0].Upstream.String()},
				fixes:  fixes,
			}
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

// leavesBaseOut reports a path that the application's document has behind one segment
// more, such as /api, and that nothing between client and upstream changed. Files or a
// page for every path answer then, in front of the application or in the application
// itself. A service that leads past the application is not needed to explain that: it
// would be a second slip.
func (v *view) leavesBaseOut(near []Fix) bool {
	if len(near) == 0 || v.path != v.Upstream.Path || isRoot(v.path) || v.servicePath() != "" || v.responder.kind == kindCDN {
		return false
	}
	base, ok := strings.CutSuffix(near[0].Upstream.Path, v.Upstream.Path)
	return ok && len(segments(base)) == 1
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
