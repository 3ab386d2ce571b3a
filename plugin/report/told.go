package report

import (
	"regexp"
	"strings"

	"diag405/plugin/diagnose"
)

// unnamed stands for what a query has and is not told.
const unnamed = "*"

// query is a query as it may be told: whole, or its names alone. A part without "=" is a
// value, and so is one that only ends with it, as base64 does.
func query(raw string, values bool) string {
	if raw == "" {
		return ""
	}
	if values {
		return "?" + raw
	}
	names := make([]byte, 0, len(raw)+1)
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if strings.Trim(value, "=") == "" || !isName(name) {
			name = unnamed
		}
		names = append(append(names, '&'), name...)
	}
	names[0] = '?'
	return string(names)
}

// maxName is the length of the longest name of a query's part, in bytes.
const maxName = 64

// isName reports what names in queries look like. What does not may be a value as well,
// such as a JSON text with a "=" in it.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.[]$", r)
	}) < 0
}

// target is the request's method and URL as far as it may be told.
func target(r diagnose.Request, o Options) string {
	scheme, host := "", hostOnly(r.Host)
	if host != "" && r.Scheme != "" {
		scheme = r.Scheme + "://"
	}
	return r.Method + " " + scheme + host + r.Path + query(r.Query, o.Query)
}

// hostOnly is a Host without the user info that does not belong there.
func hostOnly(host string) string { return host[strings.LastIndexByte(host, '@')+1:] }

// userInfo is what stands before the host in a URL, a scheme before it: in a path or a
// query as well, escaped or not, and with one slash where Kong merges two.
var userInfo = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*(?::|%3a)(?:/|%2f)+)[^/\s"]*(?:@|%40)`)

// told is text as it may be told: clean, and without user info.
func told(s string) string { return withoutUserInfo(Clean(s)) }

func withoutUserInfo(s string) string {
	if !strings.Contains(s, "@") && !strings.Contains(s, "%40") {
		return s
	}
	return userInfo.ReplaceAllString(s, "$1")
}
