package diagnose

import (
	"strings"

	"diag405/kong/forecast"
	"diag405/kong/router"
)

// RequestLine splits METHOD SP TARGET SP VERSION (RFC 9112 section 3). HTTP/0.9
// sends no version.
func RequestLine(line string) (method, path, query string) {
	method, target, _ := strings.Cut(line, " ")
	if i := strings.LastIndex(target, " HTTP/"); i >= 0 {
		target = target[:i]
	}
	path, query = router.SplitTarget(target)
	return method, path, query
}

// Derive fills in what route and service say of an exchange where Kong's own word is
// not at hand: the scheme and Host that go upstream, and what strip_path removes.
func Derive(x Exchange) Exchange {
	x.Upstream.Scheme, x.Upstream.Host = "http", forecast.ServiceHost(x.Service)
	if x.Service != nil && x.Service.Protocol != "" {
		x.Upstream.Scheme = x.Service.Protocol
	}
	if x.Route == nil {
		return x
	}
	if x.Route.PreserveHost {
		x.Upstream.Host = x.Client.Host
	}
	if prefix, _ := router.MatchPath(x.Route, router.Normalize(x.Client.Path)); x.Route.StripPath && prefix != "/" {
		x.Stripped = prefix
	}
	return x
}
