package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// redirectMethodChange: clients follow a 301 or 302 of a POST with a GET (RFC
// 9110 sections 15.4.2 and 15.4.3), and a 303 always so. The upstream sees only
// that GET, but traces of the POST are often left.
var redirectMethodChange = cause{
	code: RedirectMethodChange,
	examine: func(v *view) *finding {
		if !isRead(v.Client.Method) || v.Client.Method != v.Upstream.Method || !v.mayHaveBeenPost() {
			return nil
		}
		why := v.redirectTrace()
		if why == "" {
			return nil
		}
		return &finding{
			certainty: Likely,
			most:      Likely, // that POST is taken does not prove that it was sent
			reason:    "a redirect probably turned a " + v.meantWrite() + " into " + v.Client.Method + ": " + v.got() + ", and " + why,
			facts:     []string{why},
			fixes:     v.redirectFixes(),
		}
	},
}

// mayHaveBeenPost reports whether the upstream takes only methods that write, or
// does not say.
func (v *view) mayHaveBeenPost() bool {
	if v.writesOnly() {
		return true
	}
	return len(v.methods()) == 0 && v.Client.Header.Get("Content-Type") != ""
}

// redirectTrace is what the request has left of a redirected one, or "".
func (v *view) redirectTrace() string {
	h := v.Client.Header
	switch {
	case h.Get("Content-Type") != "":
		return "it still has a Content-Type"
	case h.Get("Origin") != "":
		return "it has an Origin, which browsers send with a GET only across sites"
	case v.refersToItself():
		return "its Referer is the same URL"
	case v.redirectsToHTTPS():
		return "the route sends http requests to https with a redirect that loses the method"
	case len(v.path) > 1 && strings.HasSuffix(v.path, "/") && !strings.Contains(h.Get("Accept"), "text/html"):
		return "its path ends with a slash, to which many applications redirect"
	}
	return ""
}

func (v *view) refersToItself() bool {
	_, after, ok := strings.Cut(v.Client.Header.Get("Referer"), "://")
	if !ok {
		return false
	}
	_, path, _ := strings.Cut(after, "/")
	path, _, _ = strings.Cut(path, "?")
	return strings.Trim(path, "/") != "" && strings.Trim(path, "/") == strings.Trim(v.Client.Path, "/")
}

// redirectsToHTTPS: a route for https alone answers http with
// https_redirect_status_code; 301 and 302 lose the method, 307 and 308 keep it.
func (v *view) redirectsToHTTPS() bool {
	r := v.Route
	if r == nil || !slices.Contains(r.Protocols, "https") || slices.Contains(r.Protocols, "http") {
		return false
	}
	return r.HTTPSRedirectStatusCode == http.StatusMovedPermanently || r.HTTPSRedirectStatusCode == http.StatusFound
}

// meantWrite is the method that the client meant: the first that writes of those
// taken, else POST.
func (v *view) meantWrite() string {
	methods := v.methods()
	if i := slices.IndexFunc(methods, isWrite); i >= 0 && !slices.Contains(methods, http.MethodPost) {
		return methods[i]
	}
	return http.MethodPost
}

func (v *view) redirectFixes() []Fix {
	f := v.clientMethodFix(v.meantWrite())
	f.Words = "send " + v.meantWrite() + " straight to this URL, scheme and slash included, so that nothing redirects it; the upstream then gets " + f.Upstream.String()
	fixes := []Fix{f}
	if v.redirectsToHTTPS() {
		fixes = append(fixes, v.routeSets("https_redirect_status_code", http.StatusPermanentRedirect,
			"set https_redirect_status_code=308, which keeps the method,", nil))
	}
	return fixes
}
