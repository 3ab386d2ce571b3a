package forecast

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Refusal is how a route that takes a request by its attributes refuses it by its
// protocols: with Kong's status and message. A redirect has no message.
type Refusal struct {
	Status  int
	Message string
}

var (
	wantsHTTPS = Refusal{http.StatusUpgradeRequired, "Please use HTTPS protocol"}
	wantsHTTP2 = Refusal{http.StatusUpgradeRequired, "Please use HTTP2 protocol"}
	wantsGRPC  = Refusal{http.StatusUnsupportedMediaType, "Non-gRPC request matched gRPC route"}
)

// Redirects reports whether the client is sent to https.
func (r Refusal) Redirects() bool { return r.Message == "" }

// Upgrade is what the client is asked to upgrade to, as in the Upgrade header; ""
// for nothing.
func (r Refusal) Upgrade() string {
	return map[Refusal]string{wantsHTTPS: "TLS/1.2, HTTP/1.1", wantsHTTP2: "HTTP/2"}[r]
}

// Refuses says whether a route's protocols refuse a request, and how (access.before
// in kong/runloop/handler.lua). Scheme is the client's; http2 is whether it speaks
// that, which gRPC has to.
func Refuses(route *config.Route, scheme, contentType string, http2 bool) (Refusal, bool) {
	has := func(p string) bool { return slices.Contains(route.Protocols, p) }
	isGRPC := IsGRPC(contentType)
	switch {
	case has("https") && !has("http") && scheme != "https":
		if status := route.HTTPSRedirectStatusCode; isRedirect(status) {
			return Refusal{Status: status}, true
		}
		return wantsHTTPS, true
	case !has("grpc") && !has("grpcs"):
	case isGRPC && !http2:
		return wantsHTTP2, true
	case !isGRPC:
		return wantsGRPC, true
	}
	return Refusal{}, false
}

// isRedirect: with any other status Kong answers 426.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// IsGRPC reports whether a request with this Content-Type is gRPC to Kong.
func IsGRPC(contentType string) bool {
	return strings.HasPrefix(contentType, "application/grpc")
}

// checkProtocol takes a gRPC client at its word that it speaks HTTP/2.
func (c *course) checkProtocol() *Answer {
	r, refused := Refuses(c.Match.Route, c.Request.Scheme, c.Request.Header.Get("Content-Type"), true)
	if !refused {
		return nil
	}
	name := router.Name(c.Match.Route)
	if r == wantsGRPC {
		return byKong(r.Status, "route "+name+" is for gRPC, and the request has no Content-Type application/grpc")
	}
	a := byKong(r.Status, "route "+name+" is for https only")
	a.Why = OtherScheme
	if r.Status == http.StatusMovedPermanently || r.Status == http.StatusFound {
		a.More = []string{fmt.Sprintf("after a redirect with %d clients send GET instead of POST", r.Status)}
	}
	return a
}
