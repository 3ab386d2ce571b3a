package diagnose

import (
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// view is an exchange with what several causes want to know about it.
type view struct {
	Exchange
	allow  Allow
	path   string // the client's path as Kong's router normalises it
	prefix string // what the route's path matches of it, stripped or not
	// explained is the path that route and service alone send upstream. It is ""
	// when the route is not known.
	explained string
}

func newView(x Exchange) view {
	v := view{
		Exchange: x,
		allow:    ParseAllow(x.Response.Header.Values("Allow")),
		path:     router.Normalize(x.Client.Path),
	}
	if x.Route == nil {
		v.prefix = x.Stripped
		return v
	}
	v.prefix, _ = router.MatchPath(x.Route, v.path)
	if x.Stripped != "" && strings.HasPrefix(v.path, x.Stripped) {
		v.prefix = x.Stripped // Kong's own word for it
	}
	v.explained = v.pathWith(x.Route.StripPath, v.servicePath())
	return v
}

func (v view) servicePath() string {
	if v.Service == nil {
		return ""
	}
	return v.Service.Path
}

// pathWith is the path that the upstream would have got with other settings and
// no plugin in between.
func (v view) pathWith(strip bool, servicePath string) string {
	return router.UpstreamPath(servicePath, v.path, v.prefix, strip)
}

// rest is what follows the matched prefix of the client's path.
func (v view) rest() string { return strings.TrimPrefix(v.path, v.prefix) }

// strips reports whether strip_path removed something from this request.
func (v view) strips() bool {
	if v.Route != nil && !v.Route.StripPath {
		return false
	}
	return v.Stripped != "" && v.Stripped != "/" && strings.HasPrefix(v.path, v.Stripped)
}

// rewritten reports whether something other than route and service decided the
// path that the upstream got.
func (v view) rewritten() bool { return v.explained != "" && v.Upstream.Path != v.explained }

// at returns the upstream request with another path.
func (v view) at(path string) *Line { return &Line{v.Upstream.Method, path} }

// setFix is a fix that changes one key of the gateway's configuration.
func setFix(e Entity, key string, value any, words string, would *Line) Fix {
	if would != nil {
		words += "; the upstream then gets " + would.String()
	}
	return Fix{Words: words, Set: map[string]any{key: value}, Entity: e, Upstream: would}
}

func (v view) routeSets(key string, value any, words string, would *Line) Fix {
	e := routeEntity(v.Route)
	return setFix(e, "route."+key, value, words+" on "+e.String(), would)
}

func (v view) serviceSets(key string, value any, words string, would *Line) Fix {
	e := serviceEntity(v.Service)
	return setFix(e, "service."+key, value, words+" on "+e.String(), would)
}

// takes says in a clause what the upstream's answer tells about its path:
// "which takes only GET".
func (v view) takes() string {
	switch {
	case v.allow.Has(v.Upstream.Method):
		return "which lists " + v.Upstream.Method + " in Allow and refused it all the same"
	case len(v.allow.Methods) > 0:
		return "which takes only " + and(v.allow.Methods)
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

// lists reports whether the route takes exactly named methods, this one among
// them: somebody wrote the route for an endpoint.
func lists(r *config.Route, method string) bool {
	if r == nil {
		return false
	}
	for _, m := range r.Methods {
		if m == method {
			return true
		}
	}
	return false
}
