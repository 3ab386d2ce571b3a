package diagnose

import (
	"net/http"
	"slices"
)

// corsMethods are the methods that Kong's cors plugin knows, and allows when its
// config names none (kong/plugins/cors/schema.lua).
var corsMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

const isPreflight observation = "the request is a CORS preflight"

// corsPreflight: the request is a preflight by definition when it is OPTIONS
// with Origin and Access-Control-Request-Method (Fetch standard, "CORS-preflight
// request").
var corsPreflight = cause{
	code: CORSPreflight,
	kind: evenListed,
	examine: func(v *view) *finding {
		origin := v.Client.Header.Get("Origin")
		wanted := v.Client.Header.Get("Access-Control-Request-Method")
		if v.Client.Method != http.MethodOptions || origin == "" || wanted == "" {
			return nil
		}
		if v.Upstream.Method != http.MethodOptions {
			return nil // then the method that was changed is the cause
		}
		return &finding{
			shows:  isPreflight,
			reason: "a browser asked with OPTIONS whether it may send " + wanted + "; the preflight reached the upstream as " + v.Upstream.Line().String() + ", " + v.takes(),
			facts:  []string{"the request is a CORS preflight from " + origin},
			fixes:  []Fix{corsFix(v, origin, wanted)},
		}
	},
}

// corsFix lets Kong answer the preflight, if it can: the plugin allows no other
// methods than those.
func corsFix(v *view, origin, wanted string) Fix {
	if !slices.Contains(corsMethods, wanted) {
		return Fix{
			Words: "answer the preflight in the application: Kong's cors plugin cannot allow " + wanted,
			App:   "Answer OPTIONS at " + v.Upstream.Path + " with the CORS headers.",
		}
	}
	e := routeEntity(v.Route)
	conf := map[string]any{"origins": []any{origin}, "preflight_continue": false}
	words := "enable the cors plugin on " + e.String() + " for origin " + origin +
		" (where it is on, set preflight_continue=false); Kong then answers the preflight itself"
	return setFix(e, "plugin.cors", conf, words, nil)
}
