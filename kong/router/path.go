package router

import (
	"strings"

	"diag405/kong/config"
)

// Normalize brings a request path, without query, into the form that Kong
// matches routes against. See [config.NormalizePath].
func Normalize(path string) string { return config.NormalizePath(path) }

// SplitTarget splits a request target at its query. The path stays as it was
// sent (Kong puts it into X-Forwarded-Path); the query has no "?", and ends
// before a "#", as nginx's $args does. Of a target in absolute form (RFC 9112,
// section 3.2.2) the path is what follows the authority.
func SplitTarget(target string) (path, query string) {
	uri, _ := OriginForm(target)
	path, query, _ = strings.Cut(uri, "?")
	query, _, _ = strings.Cut(query, "#")
	return path, query
}

// OriginForm takes a target in absolute form (RFC 9112, section 3.2.2) apart: its
// path and query, as nginx's $request_uri has them, and the authority in front. Any
// other target stays as it is.
func OriginForm(target string) (uri, authority string) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || strings.ContainsAny(scheme, "/?") {
		return target, ""
	}
	at := strings.IndexAny(rest, "/?")
	if at < 0 {
		return "/", rest
	}
	if rest[at] == '?' {
		return "/" + rest[at:], rest[:at]
	}
	return rest[at:], rest[:at]
}

// UpstreamPath is the path that the upstream gets, escaped as Kong sends it.
//
// ServicePath is the service's path, "" when it has none. Path is the request's,
// normalised. Prefix is how much of it the route's path matched, "" when the
// route has no paths; strip is the route's strip_path.
//
// This is path handling v0, the only one of the traditional_compatible router
// (get_upstream_uri_v0 in kong/router/utils.lua):
//
//	service  path     prefix  strip => upstream
//	""       /api/x   /api    true     /x
//	""       /api     /api    true     /
//	/base    /api/x   /api    true     /base/x
//	/base    /api     /api    true     /base
//	/base    /api/    /api    true     /base/
//	/base/   /api     /api    true     /base
//	/base/   /apix    /api    true     /base/x
//	/base    /api/x   /api    false    /base/api/x
//	/base    /        ""      false    /base
func UpstreamPath(servicePath, path, prefix string, strip bool) string {
	base := servicePath
	if base == "" {
		base = "/"
	}
	if strip {
		return escape(stripped(base, path, postfix(path, prefix)))
	}
	return escape(kept(base, path))
}

// postfix is what follows the matched prefix. A dot segment that the cut has
// made is dropped: of /api../x under /api the rest is x, not ../x.
func postfix(path, prefix string) string {
	if prefix == "" {
		prefix = "/"
	}
	rest := path[min(len(prefix), len(path)):]
	if rest == "." || rest == ".." {
		return ""
	}
	if r, ok := strings.CutPrefix(rest, "./"); ok {
		return r
	}
	if r, ok := strings.CutPrefix(rest, "../"); ok {
		return r
	}
	return rest
}

// stripped puts the rest of the path behind the base, with one slash between
// them. When there is no rest, the slash at the end follows the request's.
func stripped(base, path, rest string) string {
	slash := strings.HasSuffix(path, "/")
	bare := strings.TrimSuffix(base, "/")
	switch {
	case rest != "":
		return bare + "/" + strings.TrimPrefix(rest, "/")
	case base == "/":
		return "/"
	case base != bare && slash:
		return base
	case base == bare && slash && len(path) > 1:
		return base + "/"
	}
	return bare
}

// kept puts the whole path behind the base.
func kept(base, path string) string {
	bare := strings.TrimSuffix(base, "/")
	if path == "/" {
		return base
	}
	return bare + "/" + strings.TrimPrefix(path, "/")
}

// unescaped are the characters that stay as they are on the way to the
// upstream; all others, and each byte of them, become a percent triplet
// (escape in kong/tools/uri.lua).
const unescaped = "!#$&'()*+,/:;=?@[]-_.~%" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func escape(path string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		if strings.IndexByte(unescaped, c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('%')
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&0xf])
	}
	return out.String()
}

// Refused reports whether nginx answers 400 to a request target before Kong's
// router sees it: because it is not a path, because dot segments lead above the
// root, or because of a broken or zero percent triplet (measured, and
// ngx_http_parse_complex_uri).
func Refused(target string) bool {
	path, _ := SplitTarget(target)
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		return true
	}
	decoded, ok := decodeAll(path)
	if !ok || strings.IndexByte(decoded, 0) >= 0 {
		return true
	}
	return climbs(decoded)
}

// decodeAll decodes every percent triplet.
func decodeAll(path string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			out.WriteByte(path[i])
			continue
		}
		c, ok := config.PercentTriplet(path[i:])
		if !ok {
			return "", false
		}
		out.WriteByte(c)
		i += 2
	}
	return out.String(), true
}

// climbs reports whether dot segments lead above the root. Empty segments do not
// count as a level, nginx merges slashes first.
func climbs(path string) bool {
	depth := 0
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}
