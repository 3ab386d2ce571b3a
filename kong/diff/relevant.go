package diff

import (
	"net/http"
	"strings"

	"diag405/kong/config"
)

// RelevantHeaders are the headers of requests that make a difference to one of two
// configurations. What else a logged request has can be left out.
func RelevantHeaders(before, after *config.Config) []string {
	names := map[string]bool{"Origin": true, "Access-Control-Request-Method": true, "Content-Type": true}
	for _, cfg := range []*config.Config{before, after} {
		for _, r := range cfg.Routes {
			d := demandOf(r)
			if r.Expression != "" {
				d = sayingsOf(r).demand()
			}
			for _, h := range d.headers {
				for name := range h {
					names[name] = true
				}
			}
		}
		for _, p := range cfg.Plugins {
			for _, v := range variants([]*config.Plugin{p}) {
				for name := range v.header {
					names[http.CanonicalHeaderKey(name)] = true
				}
			}
		}
	}
	return sorted(keys(names))
}

// NamesHosts reports whether a route of one of two configurations asks for a Host. Where
// none does, a log that lacks it lacks nothing.
func NamesHosts(before, after *config.Config) bool {
	for _, cfg := range []*config.Config{before, after} {
		for _, r := range cfg.Routes {
			if len(r.Hosts) > 0 || strings.Contains(r.Expression, "http.host") {
				return true
			}
		}
	}
	return false
}
