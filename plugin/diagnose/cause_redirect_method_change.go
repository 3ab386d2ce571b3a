package diagnose

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// Observations for a redirect.
const (
	remembered     observation = "the same client's request was redirected here a moment before"
	typedRead      observation = "a request that reads has a Content-Type"
	refersToItself observation = "the Referer is the URL itself"
	// refersToOther: whoever sends it was redirected by that URL, and with the right method
	// spelt wrong is one mistake, where a wrong method besides would be two.
	refersToOther observation = "the Referer of a client that is no browser is the URL in another spelling"
	endsInSlash   observation = "a request that reads has a slash at the end, to which many applications redirect"
	httpsLoses    observation = "the route redirects to https with a status that loses the method"
	// typedAfterHTTPS is two of them together.
	typedAfterHTTPS observation = "a request that reads has a Content-Type, and the route redirects to https with a status that loses the method"
)

// redirectMethodChange: clients follow a 301 or 302 of a POST with a GET (RFC
// 9110 sections 15.4.2 and 15.4.3), and a 303 always so. The upstream sees only
// that GET, but traces of the POST are often left.
var redirectMethodChange = cause{
	code: RedirectMethodChange,
	examine: func(v *view) *finding {
		if !isRead(v.Client.Method) || v.Client.Method != v.Upstream.Method {
			return nil
		}
		if r := v.seen.Redirected; r != nil {
			return v.redirected(r)
		}
		why, shows := v.redirectTrace()
		if why == "" && v.mayBeSlashRedirect() && v.sends() != "" {
			why, shows = "its path ends with a slash, to which many applications redirect", endsInSlash
		}
		if why == "" || !v.mayHaveBeenPost() {
			return nil
		}
		return &finding{
			shows:  shows,
			reason: "a redirect perhaps turned a " + v.meantWrite() + " into " + v.Client.Method + ": " + v.got() + ", and " + why,
			facts:  []string{why},
			fixes:  v.redirectFixes(v.meantWrite()),
		}
	},
}

// mayHaveBeenPost reports whether the upstream takes only methods that write, or
// does not say.
func (v *view) mayHaveBeenPost() bool {
	if v.writesOnly() {
		return true
	}
	return len(v.methods()) == 0 && (v.Client.Header.Get("Content-Type") != "" || v.refersToOther())
}

// redirectTrace is what the request has left of a redirected one, or "".
func (v *view) redirectTrace() (why string, shows observation) {
	typed := v.Client.Header.Get("Content-Type") != ""
	switch {
	case typed && v.redirectsToHTTPS():
		return "it still has a Content-Type, and the route sends http requests to https with a redirect that loses the method", typedAfterHTTPS
	case v.refersToOther():
		return "its Referer is this URL in another spelling, as clients write that follow a redirect by themselves", refersToOther
	case typed:
		return "it still has a Content-Type", typedRead
	case v.refersToItself():
		return "its Referer is the same URL", refersToItself
	case v.redirectsToHTTPS():
		return "the route sends http requests to https with a redirect that loses the method", httpsLoses
	}
	return "", ""
}

// mayBeSlashRedirect: paths that end so are asked for as they are, too, and browsers
// are sent to them by links. So this is no trace that weakens another cause.
func (v *view) mayBeSlashRedirect() bool {
	return len(v.path) > 1 && strings.HasSuffix(v.path, "/") && !v.acceptsHTML()
}

// redirected: the client's own request was seen to be redirected here.
func (v *view) redirected(r *Redirect) *finding {
	status := strconv.Itoa(r.Status)
	return &finding{
		shows:  remembered,
		reason: "this client's " + r.Method + " was redirected here with " + status + ", and it followed with " + v.Client.Method + ": " + v.got(),
		facts:  []string{"a moment before, a " + r.Method + " of this client was answered with a " + status + " to this URL"},
		fixes:  v.redirectFixes(r.Method),
	}
}

func (v *view) refersToItself() bool {
	_, _, path := v.referer()
	return strings.Trim(path, "/") != "" && strings.Trim(path, "/") == strings.Trim(v.Client.Path, "/")
}

// referer is the Referer in parts; path is "" where there is none.
func (v *view) referer() (scheme, host, path string) {
	scheme, after, ok := strings.Cut(v.Client.Header.Get("Referer"), "://")
	if !ok {
		return "", "", ""
	}
	host, path, _ = strings.Cut(after, "/")
	path, _, _ = strings.Cut(path, "?")
	return scheme, host, "/" + path
}

// refersToOther reports a Referer that differs from the URL by its scheme or by slashes
// alone. Clients that follow redirects and are no browsers name the URL there that
// redirected them (Go's net/http, Postman); a browser names the page that it was on,
// which may well be the same page without TLS or without a slash.
func (v *view) refersToOther() bool {
	scheme, host, path := v.referer()
	if isRoot(path) || v.isBrowser() || forecast.Hostname(host) != forecast.Hostname(v.Client.Host) {
		return false
	}
	came := cmp.Or(v.Client.Header.Get("X-Forwarded-Proto"), v.Client.Scheme) // TLS may end before Kong
	other := path != v.Client.Path || came != "" && scheme != came
	return other && slices.Equal(config.Segments(path), config.Segments(v.Client.Path))
}

// isBrowser reports the languages that a browser always asks for, and other clients only
// when they are told to.
func (v *view) isBrowser() bool { return v.Client.Header.Get("Accept-Language") != "" }

// redirectsToHTTPS: a route for https alone answers http with
// https_redirect_status_code; 301 and 302 lose the method, 307 and 308 keep it.
func (v *view) redirectsToHTTPS() bool {
	r := v.Route
	if r == nil || !slices.Contains(r.Protocols, "https") || slices.Contains(r.Protocols, "http") {
		return false
	}
	return r.HTTPSRedirectStatusCode == http.StatusMovedPermanently || r.HTTPSRedirectStatusCode == http.StatusFound
}

// meantWrite is the method that the client meant: of those taken one that sends something,
// else any that writes, else POST.
func (v *view) meantWrite() string {
	if m := v.sends(); m != "" {
		return m
	}
	methods := v.methods()
	if i := slices.IndexFunc(methods, isWrite); i >= 0 {
		return methods[i]
	}
	return http.MethodPost
}

func (v *view) redirectFixes(method string) []Fix {
	f := v.clientMethodFix(method)
	f.Words = "send " + method + " straight to this URL, scheme and slash included, so that nothing redirects it; the upstream then gets " + f.Upstream.String()
	fixes := []Fix{f}
	if v.redirectsToHTTPS() {
		fixes = append(fixes, v.routeSets("https_redirect_status_code", http.StatusPermanentRedirect,
			"set https_redirect_status_code=308, which keeps the method,", nil))
	}
	return fixes
}
