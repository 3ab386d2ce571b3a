package diagnose

import (
	"net/http"
	"slices"
)

// corsMethods are the methods that Kong's cors plugin allows when its config
// names none (kong/plugins/cors/schema.lua).
var corsMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// corsPreflight: the request is a preflight by definition when it is OPTIONS
// with Origin and Access-Control-Request-Method (Fetch standard, "CORS-preflight
// request").
var corsPreflight = cause{
	code: CORSPreflight,
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
			certainty: Confirmed,
			reason:    "a browser asked with OPTIONS whether it may send " + wanted + "; the preflight reached the upstream as " + v.Upstream.Line().String() + ", " + v.takes(),
			facts:     []string{"the request is a CORS preflight from " + origin},
			fixes:     []Fix{corsFix(v, origin, wanted)},
		}
	},
}

func corsFix(v *view, origin, wanted string) Fix {
	conf := map[string]any{"origins": []any{origin}, "preflight_continue": false}
	if !slices.Contains(corsMethods, wanted) {
		conf["methods"] = []any{wanted}
	}
	e := routeEntity(v.Route)
	words := "enable the cors plugin on " + e.String() + " with origin " + origin +
		" and preflight_continue=false; Kong then answers the preflight itself"
	return setFix(e, "plugin.cors", conf, words, nil)
}
