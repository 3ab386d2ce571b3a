package diagnose

import (
	"slices"
	"strings"
)

// isRoot reports a path without a segment.
func isRoot(path string) bool { return strings.Trim(path, "/") == "" }

// lastSegment is the last that is not empty, "" when there is none.
func lastSegment(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// apiWords are segments by which applications commonly name their own API.
// Gateways mount applications under other names: the application's, a
// department's, a customer's.
var apiWords = []string{"api", "apis", "rest", "rpc", "graphql"}

// isOwnSegment reports a segment that looks like an application's own: an API word
// or a version (v1, v2.1).
func isOwnSegment(s string) bool {
	return slices.Contains(apiWords, strings.ToLower(s)) || isVersion(s)
}

func isVersion(s string) bool {
	if len(s) < 2 || s[0] != 'v' && s[0] != 'V' {
		return false
	}
	return strings.Trim(s[1:], "0123456789.") == ""
}

// under reports whether path is dir or lies below it, at a segment boundary.
func under(path, dir string) bool {
	dir = strings.TrimSuffix(dir, "/")
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == '/')
}
