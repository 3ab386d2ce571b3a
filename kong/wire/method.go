package wire

import "slices"

// methods are those that nginx's Lua module has a number for (ngx.HTTP_GET, ...).
var methods = []string{
	"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "MKCOL", "COPY", "MOVE",
	"PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH", "TRACE",
}

// HasNumber reports whether nginx's Lua module has a number for a method. No other
// can be set (kong.service.request.set_method) or sent in a subrequest.
func HasNumber(method string) bool { return slices.Contains(methods, method) }
