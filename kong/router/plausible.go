package router

import (
	"slices"
	"strings"

	"diag405/kong/config"
)

// Plausible are those of some routes that may take a request, as far as that can be
// seen without compiling them: by their methods and by paths that are no regular
// expressions. What it leaves out does not take the request in the flavours built on
// atc-router; in the traditional one a plain path also counts where it is the text of
// an expression that the request has.
func Plausible(routes []*config.Route, req Request) []*config.Route {
	return slices.DeleteFunc(PlausibleByPath(routes, req), func(r *config.Route) bool {
		return r.Expression == "" && !hasMethod(r, req.Method)
	})
}

// PlausibleByPath is [Plausible] for the request with any method.
func PlausibleByPath(routes []*config.Route, req Request) []*config.Route {
	path := newQuery(req).path
	var out []*config.Route
	for _, r := range routes {
		if r.Expression != "" || mayHavePath(r, path) {
			out = append(out, r)
		}
	}
	return out
}

func hasMethod(r *config.Route, method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method)
}

func mayHavePath(r *config.Route, path string) bool {
	return len(r.Paths) == 0 || slices.ContainsFunc(r.Paths, func(p string) bool {
		if config.IsRegexPath(p) {
			p = literalBeginning(p[1:])
		}
		return strings.HasPrefix(path, p)
	})
}

// literalBeginning is what every path begins with that an expression matches, as far
// as that is plain to see.
//
//	/users/\d+  /users/
//	/users?     /user
//	/a|/b       nothing: only the first alternative is held to the beginning
func literalBeginning(expression string) string {
	if strings.Contains(expression, "|") {
		return ""
	}
	end := strings.IndexFunc(expression, func(c rune) bool { return !isPlain(c) })
	switch {
	case end < 0:
		return expression
	case strings.IndexByte("?*{", expression[end]) >= 0:
		end--
	}
	return expression[:max(end, 0)]
}

func isPlain(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("/-_", c)
}
