package diagnose

import "diag405/kong/forecast"

// methodRewrite: the upstream got another method than the client sent.
var methodRewrite = cause{
	code: MethodRewrite,
	examine: func(v *view) *finding {
		if v.Client.Method == "" || v.Client.Method == v.Upstream.Method {
			return nil
		}
		f := &finding{
			certainty: methodRewriteCertainty(v),
			facts:     []string{"the client sent " + v.Client.Method + ", the upstream got " + v.Upstream.Method},
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

// methodRewriteCertainty: Allow settles it one way or the other where it comes.
func methodRewriteCertainty(v *view) Certainty {
	switch {
	case v.allow.Has(v.Client.Method) && !v.allow.Has(v.Upstream.Method):
		return Confirmed
	case v.allow.Refuses(v.Client.Method) && !v.Buffered:
		return Possible
	}
	return Likely
}

// transformerFix removes the plugin of Kong that rewrites requests.
func transformerFix(v *view, words string, would *Line) Fix {
	return setFix(Entity{Kind: "plugin", Name: "request-transformer"}, "plugin.request-transformer", nil,
		words+" for "+routeEntity(v.Route).String(), would)
}
