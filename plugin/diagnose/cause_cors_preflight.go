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
			reason: "a browser asked with OPTIONS whether it may send " + named(wanted) + "; the preflight reached the upstream as " + v.Upstream.Line().String() + ", " + v.takes(),
			facts:  []string{preflightFact(origin)},
			fixes:  []Fix{corsFix(v, origin, wanted)},
		}
	},
}

func preflightFact(origin string) string {
	if !plainOrigin.MatchString(origin) {
		return "the request is a CORS preflight"
	}
	return "the request is a CORS preflight from " + origin
}

// corsFix lets Kong answer the preflight, if it can: the plugin allows no other
// methods than those. Whether an origin may ask only the operator knows, and one that is
// not plain is not even suggested.
func corsFix(v *view, origin, wanted string) Fix {
	if !slices.Contains(corsMethods, wanted) {
		return Fix{
			Words: "answer the preflight in the application: Kong's cors plugin cannot allow " + named(wanted),
			App:   "Answer OPTIONS at " + v.Upstream.Path + " with the CORS headers.",
		}
	}
	e := routeEntity(v.Route)
	words := "enable the cors plugin on " + e.String() + " for the origin of the page, if it may ask" +
		" (where it is on, set preflight_continue=false); Kong then answers the preflight itself"
	if !plainOrigin.MatchString(origin) {
		return Fix{Words: words, App: "Have Kong's cors plugin answer preflights on " + e.String() + ", with the origins that may ask."}
	}
	fix := setFix(e, "plugin.cors", map[string]any{"origins": []any{origin}, "preflight_continue": false}, words, nil)
	fix.FromClient = []string{"plugin.cors.origins"}
	return fix
}
