package plugin

import (
	"net/http"

	"diag405/kong/forecast"
)

// breaksWhenBuffered reports the requests that [forecast.BreaksBuffered] does. Taken
// out of buffering, they are streamed, and no plugin's response phase runs for them.
// What the scope rules out is not asked.
func breaksWhenBuffered(gw gateway, k known) bool {
	a := breakingAsks(k)
	r := reader{gw: gw}
	ask := func(one asks, variable, otherwise string) string {
		if a&one == 0 {
			return otherwise
		}
		return r.variable(variable)
	}
	method := ask(askMethod, "request_method", http.MethodGet) // any that the hop knows
	accept := ask(askAccept, "http_accept", "")
	contentType := ask(askContentType, "http_content_type", "")
	if r.err != nil {
		return false // as Kong has it
	}
	return forecast.BreaksBuffered(method, accept, contentType)
}
