package plugin

import "diag405/kong/forecast"

// breaksWhenBuffered reports the requests that [forecast.BreaksBuffered] does. Taken
// out of buffering, they are streamed, and no plugin's response phase runs for them.
func breaksWhenBuffered(gw gateway) bool {
	r := reader{gw: gw}
	method := r.variable("request_method")
	accept := r.variable("http_accept")
	contentType := r.variable("http_content_type")
	if r.err != nil {
		return false // as Kong has it
	}
	return forecast.BreaksBuffered(method, accept, contentType)
}
