package plugin

import (
	"slices"
	"strings"

	"diag405/plugin/diagnose"
)

// unbuffer takes a request out of Kong's buffering when buffering would break it.
// Kong then streams the answer and runs no response phase for this request,
// neither ours nor another plugin's.
func (c *Config) unbuffer(gw gateway) {
	breaks, err := breaksWhenBuffered(gw)
	if err == nil && breaks {
		err = gw.Unbuffer()
	}
	if err != nil {
		note(gw, "warn", "buffering left as it is: "+err.Error())
	}
}

// breaksWhenBuffered reports the requests whose answer never ends (event streams),
// is not HTTP any more (upgrades), is written in pieces that count (gRPC), or
// whose method the buffered hop would turn into GET.
func breaksWhenBuffered(gw gateway) (bool, error) {
	r := reader{gw: gw}
	method := r.variable("request_method")
	accept := r.variable("http_accept")
	upgrade := r.variable("http_upgrade")
	contentType := r.variable("http_content_type")
	if r.err != nil {
		return false, r.err
	}
	return !slices.Contains(diagnose.BufferedMethods, method) ||
		strings.Contains(strings.ToLower(accept), "text/event-stream") ||
		upgrade != "" ||
		strings.HasPrefix(strings.ToLower(contentType), "application/grpc"), nil
}
