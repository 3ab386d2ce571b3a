package diagnose

import "net/http"

// headUnsupported: RFC 9110 section 9.1 asks every general-purpose upstream for
// GET and HEAD, but many applications route HEAD like any other method.
var headUnsupported = cause{
	code: HeadUnsupported,
	examine: func(v *view) *finding {
		if v.Client.Method != http.MethodHead || v.Upstream.Method != http.MethodHead || v.allow.Has(http.MethodHead) {
			return nil
		}
		would := &Line{http.MethodGet, v.Upstream.Path}
		return &finding{
			certainty: headCertainty(v.allow),
			reason:    v.got(),
			facts:     []string{"the client sent HEAD, and so did Kong"},
			fixes: []Fix{{
				Words:    "ask with GET instead of HEAD, or add HEAD in the application; the upstream then gets " + would.String(),
				Client:   map[string]any{"method": http.MethodGet},
				Upstream: would,
			}},
		}
	},
}

func headCertainty(a Allow) Certainty {
	switch {
	case a.Has(http.MethodGet):
		return Confirmed
	case a.Sent:
		return Possible // it takes other methods: a HEAD probe of an endpoint that is not for reading
	}
	return Likely
}
