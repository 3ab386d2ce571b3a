package probe

import (
	"strings"
)

// ControlName is the segment of the paths that are asked to learn what the upstream
// says of a path that does not exist. It is always the same, so that it can be
// filtered from access logs.
const ControlName = "diag405-no-such-path"

// control is a path beside another that cannot be there: as deep, with a segment
// that nobody has in place of the last that is a name. An id stays, since what
// takes /orders/7 takes any id, and /orders/7 is there all the same. ok is false
// where such a path would lie outside base, which is not asked about.
func control(path, base string) (beside string, ok bool) {
	if path == "/" {
		return "/" + ControlName, strings.Trim(base, "/") == ""
	}
	segments := strings.Split(path, "/")
	at := -1
	for i, s := range segments {
		if s != "" && (at < 0 || !isID(s) || isID(segments[at])) {
			at = i
		}
	}
	if at < 0 {
		return "", false
	}
	segments[at] = ControlName
	beside = strings.Join(segments, "/")
	return beside, below(beside, base)
}

// Family is what a path has in common with those beside it: what it is in, with a name
// for every id. /orders/7/items/8 is of /orders/{}/items, as /orders/9/items is.
func Family(path string) string {
	segments := strings.Split(strings.TrimRight(path, "/"), "/")
	segments = segments[:max(len(segments)-1, 0)]
	for i, s := range segments {
		if isID(s) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// isControl reports a path that control made.
func isControl(path string) bool { return strings.Contains(path, "/"+ControlName) }

// below reports whether a path is base or lies below it.
func below(path, base string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(base, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// minHex is the least length of an id of hexadecimal digits; a shorter one may be a
// word.
const minHex = 12

// isID reports a segment that names one thing of many: a number, a UUID or another
// long hexadecimal one, a file's name, something escaped.
func isID(segment string) bool {
	if strings.ContainsAny(segment, "%.") && !isVersion(segment) {
		return true
	}
	digits := strings.ReplaceAll(segment, "-", "")
	if digits == "" {
		return false
	}
	if strings.Trim(digits, "0123456789") == "" {
		return true
	}
	return len(digits) >= minHex && strings.Trim(strings.ToLower(digits), "0123456789abcdef") == ""
}

// isVersion reports v1 and v2.1, which name a part of an API.
func isVersion(segment string) bool {
	return len(segment) > 1 && (segment[0] == 'v' || segment[0] == 'V') && strings.Trim(segment[1:], "0123456789.") == ""
}
