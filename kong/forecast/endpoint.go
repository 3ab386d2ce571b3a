package forecast

import (
	"net/http"
	"slices"

	"diag405/kong/config"
)

// ForEndpoint reports whether a route is there for an endpoint, and is not the place
// where an application is mounted: it lists methods that write, and not GET. Who
// mounts an application wants to read it. How a path is called and how long it is say
// nothing (measured on the set-ups of examples/frameworks).
func ForEndpoint(r *config.Route) bool {
	return r != nil && slices.ContainsFunc(r.Methods, Writes) && !slices.Contains(r.Methods, http.MethodGet)
}

// Writes reports the methods that change something: those of RFC 9110 section 9.3
// and RFC 5789 that are not safe, without CONNECT.
func Writes(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}
