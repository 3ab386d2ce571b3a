package diagnose

import "net/http"

// Observations for HEAD.
const (
	getListed   observation = "Allow lists GET and not HEAD"
	headNoAllow observation = "HEAD was refused, and the answer has no Allow"
)

// headUnsupported: RFC 9110 section 9.1 asks every general-purpose upstream for
// GET and HEAD, but many applications route HEAD like any other method.
var headUnsupported = cause{
	code: HeadUnsupported,
	kind: proven,
	examine: func(v *view) *finding {
		if v.Client.Method != http.MethodHead || v.Upstream.Method != http.MethodHead {
			return nil
		}
		would := &Line{http.MethodGet, v.Upstream.Path}
		return &finding{
			shows:  headShows(v.allow),
			reason: v.got(),
			facts:  []string{"the client sent HEAD, and so did Kong"},
			fixes: []Fix{{
				Words:    "ask with GET instead of HEAD, or add HEAD in the application; the upstream then gets " + would.String(),
				Client:   map[string]any{"method": http.MethodGet},
				Upstream: would,
			}},
		}
	},
}

func headShows(a Allow) observation {
	switch {
	case a.Has(http.MethodGet):
		return getListed
	case a.Sent:
		return "" // it takes other methods: a HEAD of an endpoint that is not for reading
	}
	return headNoAllow
}
