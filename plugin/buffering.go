package plugin

import (
	"slices"
	"strings"

	"diag405/plugin/diagnose"
)

// breaksWhenBuffered reports the requests whose answer never ends (event streams),
// is written in pieces that count (gRPC), or whose method the buffered hop would
// turn into GET. Taken out of buffering, they are streamed, and no plugin's
// response phase runs for them. Upgraded connections Kong leaves unbuffered by
// itself (Kong.access in kong/init.lua).
func breaksWhenBuffered(gw gateway) bool {
	r := reader{gw: gw}
	method := r.variable("request_method")
	accept := r.variable("http_accept")
	contentType := r.variable("http_content_type")
	if r.err != nil {
		return false // as Kong has it
	}
	return !slices.Contains(diagnose.BufferedMethods, method) ||
		strings.Contains(strings.ToLower(accept), "text/event-stream") ||
		strings.HasPrefix(strings.ToLower(contentType), "application/grpc")
}
