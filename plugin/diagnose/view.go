package diagnose

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/forecast"
	"diag405/kong/router"
)

// view is an exchange with what several causes want to know about it.
type view struct {
	Exchange
	seen   Offers
	allow  Allow
	path   string // the client's path as Kong's router normalises it
	prefix string // what the route's path matches of it, stripped or not
	// stripped is what strip_path removed of it, "" for nothing.
	stripped string
	// explained is the path that route and service alone send upstream. It is ""
	// when the route is not known.
	explained string
	v1        bool // paths are put together as path_handling v1 does
	responder responder
	nearest   []string // endpoints near the upstream's path, nil until they are looked for
	// page is what ofAnotherPage finds, once it was sought: it takes routers.
	page       *finding
	soughtPage bool
}

func newView(x Exchange, seen Offers) *view {
	v := &view{
		Exchange: x,
		seen:     seen,
		allow:    ParseAllow(x.Response.Header.Values("Allow")),
		path:     router.Normalize(x.Client.Path),
	}
	v.responder = v.recognise()
	if x.Route == nil {
		if x.Stripped != "/" && strings.HasPrefix(v.path, x.Stripped) {
			v.prefix, v.stripped = x.Stripped, x.Stripped
		}
		return v
	}
	v.prefix = v.matched()
	if x.Route.StripPath && v.prefix != "/" {
		v.stripped = v.prefix
	}
	v.explained = v.pathWith(x.Route.StripPath, v.servicePath())
	if v.rewritten() {
		v.tryV1()
	}
	return v
}

// matched is what the route's path matches. The router says so, and Kong says what
// it stripped; but a trusted client can put its own words there, so they count
// only where they lead to what the upstream got.
func (v *view) matched() string {
	prefix, _ := router.MatchPath(v.Route, v.path)
	said := v.Stripped
	if said == "" || said == prefix || !strings.HasPrefix(v.path, said) {
		return prefix
	}
	if router.UpstreamPath(v.servicePath(), v.path, said, true) == v.Upstream.Path {
		return said
	}
	return prefix
}

func (v *view) servicePath() string {
	if v.Service == nil {
		return ""
	}
	return v.Service.Path
}

// pathWith is the path that the upstream would have got with other settings and
// no plugin in between.
func (v *view) pathWith(strip bool, servicePath string) string {
	return v.joined(servicePath, v.path, v.prefix, strip)
}

// joined puts a path together as the route's path_handling has it.
func (v *view) joined(servicePath, path, prefix string, strip bool) string {
	if v.v1 {
		return router.UpstreamPathV1(servicePath, path, prefix, strip)
	}
	return router.UpstreamPath(servicePath, path, prefix, strip)
}

// tryV1 looks whether path handling v1 explains what v0 does not. Which of them holds
// is not told to a plugin: v1 counts in the traditional router alone, and Kong's PDK
// leaves it out of the route.
func (v *view) tryV1() {
	v.v1 = true
	if path := v.pathWith(v.Route.StripPath, v.servicePath()); path == v.Upstream.Path {
		v.explained = path
		return
	}
	v.v1 = false
}

// rest is what follows the matched prefix of the client's path.
func (v *view) rest() string { return strings.TrimPrefix(v.path, v.prefix) }

// strips reports whether strip_path removed something from this request.
func (v *view) strips() bool { return v.stripped != "" }

// acceptsHTML reports what a browser asks for that leaves for the answer.
func (v *view) acceptsHTML() bool {
	return strings.Contains(strings.ToLower(v.Client.Header.Get("Accept")), "text/html")
}

// missing reports a 404: the path led nowhere, whatever the method.
func (v *view) missing() bool { return v.Response.Status == http.StatusNotFound }

// status is the answer's, 405 where it is not known.
func (v *view) status() int { return cmp.Or(v.Response.Status, http.StatusMethodNotAllowed) }

// isPresent reports whether the path that refused is known to be one of its own.
func (v *view) isPresent() bool {
	offer, _ := v.seen.At(v.Upstream.Path)
	return offer.Presence == Present
}

// isNowhere reports whether the path that refused is known to be answered as any
// path is that the upstream does not have.
func (v *view) isNowhere() bool {
	return v.seen.Paths[v.Upstream.Path].Presence == Anywhere && v.toldByOPTIONS()
}

// mayBeAnyPath reports whether what refused may be a page for every path: nothing shows that
// the path is one of its own, or takes anything that writes.
func (v *view) mayBeAnyPath() bool {
	return !v.isPresent() && !slices.ContainsFunc(v.methods(), isWrite)
}

// toldByOPTIONS reports whether OPTIONS tells the application's paths from those
// that it does not have. A static mount at the root of a Starlette application takes
// each method that a path's own routes do not have, OPTIONS among them (measured).
func (v *view) toldByOPTIONS() bool { return v.responder.kind != kindMount }

// speaksWebDAV reports an Allow that only a WebDAV file server sends.
func (v *view) speaksWebDAV() bool { return v.allow.Has("PROPFIND") }

// isWebDAVServer reports that what refused speaks WebDAV: it says so in a header (RFC 4918
// section 10.1) or in the body of its error (section 16), or takes PROPFIND there.
func (v *view) isWebDAVServer() bool {
	body := v.Response.Body[:min(len(v.Response.Body), maxSignBody)]
	return v.Response.Header.Get("DAV") != "" || slices.Contains(v.methods(), "PROPFIND") || bytes.Contains(body, []byte(`"DAV:"`))
}

// rewritten reports whether something other than route and service decided the
// path that the upstream got.
func (v *view) rewritten() bool { return v.explained != "" && v.Upstream.Path != v.explained }

// at returns the upstream request with another path.
func (v *view) at(path string) *Line { return &Line{v.Upstream.Method, path} }

// setFix is a fix that changes one key of the gateway's configuration.
func setFix(e Entity, key string, value any, words string, would *Line) Fix {
	if would != nil {
		words += "; the upstream then gets " + would.String()
	}
	return Fix{Words: words, Set: map[string]any{key: value}, Entity: e, Upstream: would}
}

// sets is a fix that changes a field of a route or a service.
func (e Entity) sets(field string, value any, words string, would *Line) Fix {
	return setFix(e, e.Kind+"."+field, value, words+" on "+e.String(), would)
}

func (v *view) routeSets(field string, value any, words string, would *Line) Fix {
	return routeEntity(v.Route).sets(field, value, words, would)
}

func (v *view) serviceSets(field string, value any, words string, would *Line) Fix {
	return serviceEntity(v.Service).sets(field, value, words, would)
}

// takes says in a clause what is known of the path that the upstream got: "which
// takes only GET".
func (v *view) takes() string {
	methods := v.methods()
	switch {
	case v.missing():
		return "where it has nothing"
	case v.allow.Has(v.Upstream.Method):
		return "which lists " + v.Upstream.Method + " in Allow and refused it all the same"
	case len(methods) > 0 && !slices.Contains(methods, v.Upstream.Method):
		return "which takes only " + and(methods)
	case v.allow.Sent:
		return "which says that it takes no method at all"
	}
	return "which does not take " + v.Upstream.Method
}

// and joins words as in a sentence: "GET, HEAD and PUT".
func and(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// leads is where a path that the client might send would lead on the same route,
// no plugin in between. It is not known when the route is not, when the path does
// not match it, and when a plugin decides.
func (v *view) leads(clientPath string) (upstreamPath string, ok bool) {
	if v.Route == nil || v.rewritten() {
		return "", false
	}
	path := router.Normalize(clientPath)
	prefix, ok := router.MatchPath(v.Route, path)
	if !ok {
		return "", false
	}
	return v.joined(v.servicePath(), path, prefix, v.Route.StripPath), true
}

// clientPathFix asks the client to send another path.
func (v *view) clientPathFix(path string) (Fix, bool) {
	upstreamPath, ok := v.leads(path)
	if !ok || upstreamPath == v.Upstream.Path {
		return Fix{}, false
	}
	would := v.at(upstreamPath)
	return Fix{
		Words:    "ask for " + path + "; the upstream then gets " + would.String(),
		Client:   map[string]any{"path": path},
		Upstream: would,
	}, true
}

// clientMethodFix asks the client to send another method.
func (v *view) clientMethodFix(method string) Fix {
	would := &Line{method, v.Upstream.Path}
	return Fix{
		Words:    "send " + method + " instead of " + v.Client.Method + "; the upstream then gets " + would.String(),
		Client:   map[string]any{"method": method},
		Upstream: would,
	}
}

// got says in a clause what the upstream got and made of it.
func (v *view) got() string {
	return "the upstream got " + v.Upstream.Line().String() + ", " + v.takes()
}

// methods are those that the upstream is known to take at the path that it got:
// by its Allow, else by what it says when it is asked.
func (v *view) methods() []string {
	if v.allow.Sent {
		return v.allow.Methods
	}
	offer, _ := v.seen.At(v.Upstream.Path)
	return offer.Methods
}

// writesOnly reports whether methods are known and none of them is GET. HEAD without GET is
// asked of what is written to, to see how far that is.
func (v *view) writesOnly() bool {
	methods := v.methods()
	return slices.ContainsFunc(methods, isWrite) && !slices.Contains(methods, http.MethodGet)
}

// sends is the method with which something is sent to where the upstream got the request,
// or "". To somebody who reads no other is suggested: DELETE was not meant.
func (v *view) sends() string {
	for _, m := range []string{http.MethodPost, http.MethodPut, http.MethodPatch} {
		if slices.Contains(v.methods(), m) {
			return m
		}
	}
	return ""
}

// isWrite reports the methods that change something.
func isWrite(method string) bool { return forecast.Writes(method) }

// isRead reports GET and HEAD.
func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }
