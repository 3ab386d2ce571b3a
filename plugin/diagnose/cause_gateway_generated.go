package diagnose

import (
	"net/http"
	"strconv"
)

const madeByKong observation = "Kong says that it made the answer"

// gatewayGenerated: the answer never came from the upstream. A response phase does
// not see these (it does not run for answers that Kong makes); a log record does.
// Kong's own 404 comes where no route takes the request, before any access phase
// (kong/runloop/handler.lua).
var gatewayGenerated = cause{
	code: GatewayGenerated,
	kind: evenListed | ofPath,
	examine: func(v *view) *finding {
		switch {
		case v.Source == "" || v.Source == "service":
			return nil
		case v.missing() && v.Route == nil:
			return &finding{
				shows:  madeByKong,
				reason: "no route takes " + v.Client.Line().String() + ", so Kong answered 404 itself; it never reached the upstream",
				facts:  []string{"Kong says that it made the answer, and names no route"},
				fixes: []Fix{{
					Words: "make a route that takes " + v.Client.Line().String() + ", or mend the one that was meant to",
					App:   "Make a route for the request.",
				}},
			}
		case v.Source == "exit":
			return &finding{
				shows:  madeByKong,
				reason: "a plugin answered " + v.Client.Line().String() + " itself; it never reached the upstream",
				facts:  []string{"Kong says that a plugin ended the request"},
				fixes: []Fix{{
					Words: "look for the plugin on " + routeEntity(v.Route).String() + ", its service or the whole gateway that answers " + strconv.Itoa(v.status()) + ", such as request-termination",
					App:   "Take the answer out of the plugin that makes it.",
				}},
			}
		}
		return &finding{
			shows:  madeByKong,
			reason: "Kong " + v.kongsWord() + v.Client.Line().String() + " itself; it never reached the upstream",
			facts:  []string{"Kong says that it made the answer"},
			fixes:  []Fix{kongRefusedFix(v)},
		}
	},
}

// kongsWord is what Kong did with a request that it answered itself.
func (v *view) kongsWord() string {
	if v.missing() {
		return "answered 404 to "
	}
	return "refused "
}

// kongRefusedFix: nginx answers TRACE (and CONNECT) with 405 before anything else
// sees it (ngx_http_process_request_header in nginx).
func kongRefusedFix(v *view) Fix {
	if !v.missing() && (v.Client.Method == http.MethodTrace || v.Client.Method == http.MethodConnect) {
		return Fix{
			Words:  "send GET: nginx, which Kong is built on, refuses every " + v.Client.Method,
			Client: map[string]any{"method": http.MethodGet},
		}
	}
	return Fix{Words: "read Kong's error log for this request", App: "Look up the request in Kong's error log."}
}
