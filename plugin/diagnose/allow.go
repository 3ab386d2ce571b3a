package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// Allow is the Allow header of an answer (RFC 9110 section 10.2.1).
type Allow struct {
	Sent    bool     // false when the answer had no Allow at all
	Methods []string // in the order of the header, upper case as sent, no duplicates
}

// ParseAllow reads the values of an answer's Allow headers. A method that is
// not a token (RFC 9110 section 5.6.2) is left out: an Allow header comes from a
// stranger.
func ParseAllow(values []string) Allow {
	allow := Allow{Sent: len(values) > 0}
	for _, value := range values {
		for method := range strings.SplitSeq(value, ",") {
			method = strings.TrimSpace(method)
			if isToken(method) && !slices.Contains(allow.Methods, method) {
				allow.Methods = append(allow.Methods, method)
			}
		}
	}
	return allow
}

// Has reports whether the method is listed. Methods are case-sensitive (RFC
// 9110 section 9.1).
func (a Allow) Has(method string) bool { return slices.Contains(a.Methods, method) }

// Refuses reports whether an Allow header came and leaves the method out. An
// empty Allow refuses every method (RFC 9110 section 10.2.1).
func (a Allow) Refuses(method string) bool { return a.Sent && !a.Has(method) }

// ReadOnly reports whether methods are listed and all of them only read: what
// health checks, pages, static files and catch-alls offer.
func (a Allow) ReadOnly() bool {
	return len(a.Methods) > 0 && !slices.ContainsFunc(a.Methods, func(m string) bool { return !isSafe(m) })
}

// isSafe reports whether a method only reads (RFC 9110 section 9.2.1).
func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) }) < 0
}

func isTokenRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
