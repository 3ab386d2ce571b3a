package main

import (
	"regexp"
	"strconv"
	"strings"
)

// matchPath reports whether a request's path is one of a route's. In the route's
// path {x} is one segment and {x:path} any rest; all else is literal. The
// request's path is percent-decoded for this, except for an encoded slash, which
// stays inside its segment:
//
//	/files/{name}       /files/a%20b, /files/a%2Fb, not /files/a/b
//	/files/{name:path}  /files/, /files/a/b, not /files
func matchPath(route, path string) bool {
	var b strings.Builder
	for route != "" {
		literal, rest, found := strings.Cut(route, "{")
		b.WriteString(regexp.QuoteMeta(literal))
		if !found {
			break
		}
		var name string
		if name, route, found = strings.Cut(rest, "}"); !found {
			b.WriteString(regexp.QuoteMeta("{" + rest))
			break
		}
		if strings.HasSuffix(name, ":path") {
			b.WriteString(".*")
		} else {
			b.WriteString("[^/]+")
		}
	}
	matched, err := regexp.MatchString("(?s)^"+b.String()+"$", decoded(path))
	return err == nil && matched // a quoted path always compiles
}

// decoded undoes percent-encoding except that of a slash. What is no encoding
// stays as it is.
func decoded(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c, ok := escape(path[i:])
		switch {
		case !ok:
			b.WriteByte(path[i])
			continue
		case c == '/':
			b.WriteString("%2F")
		default:
			b.WriteByte(c)
		}
		i += 2
	}
	return b.String()
}

// escape reads the percent-encoded byte that s begins with.
func escape(s string) (c byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), err == nil
}
