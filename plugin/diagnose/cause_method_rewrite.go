package diagnose

import "diag405/kong/forecast"

// Observations for a method that was changed.
const (
	clientsListed observation = "Allow lists the client's method and not the one that the upstream got"
	lostInBuffer  observation = "Kong's buffered hop does not know the method"
	lostAndListed observation = "Kong's buffered hop does not know the method, and Allow lists it"
)

// methodRewrite: the upstream got another method than the client sent.
var methodRewrite = cause{
	code: MethodRewrite,
	kind: gateway | proven,
	examine: func(v *view) *finding {
		if v.Client.Method == "" || v.Client.Method == v.Upstream.Method {
			return nil
		}
		f := &finding{
			shows: v.changedMethod(),
			facts: []string{"the client sent " + v.Client.Method + ", the upstream got " + v.Upstream.Method},
		}
		would := &Line{v.Client.Method, v.Upstream.Path}
		if v.Buffered {
			f.reason, f.fixes = buffered(v, would)
			return f
		}
		f.reason = "a plugin changed " + v.Client.Method + " to " + v.Upstream.Method + ", so " + v.got()
		f.fixes = []Fix{transformerFix(v, "take http_method out of the request-transformer plugin (or whatever sets the method)", would)}
		return f
	},
}

// buffered: diag405 can be told to leave such requests alone, other plugins cannot.
func buffered(v *view, would *Line) (reason string, fixes []Fix) {
	turned := " turned " + v.Client.Method + " into " + v.Upstream.Method + ", so " + v.got()
	if by := v.BufferedBy; by != "" && by != forecast.Own {
		return "Kong's buffered proxying, which plugin " + by + " asks for," + turned, []Fix{setFix(Entity{Kind: "plugin", Name: by}, "plugin."+by, nil,
			"give "+v.Client.Method+" a route without plugin "+by+", or take it off "+routeEntity(v.Route).String(), would)}
	}
	return "Kong's buffered proxying" + turned, []Fix{setFix(routeEntity(v.Route), "plugin.diag405", map[string]any{"buffering": "auto"},
		"set buffering=auto on plugin diag405", would)}
}

// changedMethod is what the answer says of the two methods.
func (v *view) changedMethod() observation {
	switch {
	case v.Buffered && v.allow.Has(v.Client.Method):
		return lostAndListed
	case v.allow.Has(v.Client.Method) && !v.speaksWebDAV():
		return clientsListed
	case v.Buffered:
		return lostInBuffer
	case v.allow.Refuses(v.Client.Method) && !v.responder.partial:
		return "" // it refuses either
	}
	return v.changed()
}

// transformerFix removes the plugin of Kong that rewrites requests.
func transformerFix(v *view, words string, would *Line) Fix {
	return setFix(Entity{Kind: "plugin", Name: "request-transformer"}, "plugin.request-transformer", nil,
		words+" for "+routeEntity(v.Route).String(), would)
}
