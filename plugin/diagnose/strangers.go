package diagnose

import (
	"regexp"
	"slices"
)

// What a client writes into its query and its headers is not said again in a reason or
// a fix, which go into headers and into configurations: only what is one of a few words,
// or has a form that does no harm.

// registered are the methods that are (RFC 9110 section 18.2 and RFC 7237, of the IANA
// HTTP Method Registry).
var registered = []string{
	"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE",
	"ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL",
	"MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PATCH", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND",
	"UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
}

func isRegistered(method string) bool { return slices.Contains(registered, method) }

// named is a method as it may be said: by its name where it is registered.
func named(method string) string {
	if isRegistered(method) {
		return method
	}
	return "another method"
}

// plainOrigin is a scheme, a host and perhaps a port as browsers write them (RFC 6454
// section 6.2), which mean themselves to Kong's cors plugin: it takes anything with
// other characters for a regular expression (kong/plugins/cors/handler.lua).
var plainOrigin = regexp.MustCompile(`^https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
