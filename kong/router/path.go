package router

import (
	"cmp"
	"strings"

	"diag405/kong/config"
)

// Normalize brings a request path, without query, into the form that Kong
// matches routes against. See [config.NormalizePath].
func Normalize(path string) string { return config.NormalizePath(path) }

// SplitTarget splits a request target at its query. The path stays as it was
// sent (Kong puts it into X-Forwarded-Path). The query has no "?"; it is nginx's
// $args, which ends before a "#" and is empty behind one. Of a target in absolute
// form (RFC 9112, section 3.2.2) the path is what follows the authority.
func SplitTarget(target string) (path, query string) {
	uri, _ := OriginForm(target)
	before, _, _ := strings.Cut(uri, "#")
	_, query, _ = strings.Cut(before, "?")
	return stripArgs(uri), query
}

// UpstreamPath is the path that the upstream gets, escaped as Kong sends it.
//
// ServicePath is the service's path, "" when it has none. Path is the request's,
// normalised. Prefix is how much of it the route's path matched, "" when the
// route has no paths; strip is the route's strip_path.
//
// This is path handling v0, the only one of the flavours traditional_compatible and
// expressions (get_upstream_uri_v0 in kong/router/utils.lua):
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
	return escape(rewriteV0(servicePath, path, postfix(path, prefix), strip))
}

// rewriteV0 takes what follows the matched prefix.
func rewriteV0(servicePath, path, rest string, strip bool) string {
	base := cmp.Or(servicePath, "/")
	if strip {
		return stripped(base, path, rest)
	}
	return kept(base, path)
}

// UpstreamPathV1 is [UpstreamPath] with path handling v1, which only the traditional
// router has, and there only for routes with path_handling: v1 (find_match in
// kong/router/traditional.lua). It puts two texts one behind the other, and sees to
// it only that two slashes do not meet:
//
//	service  path     prefix  strip => upstream
//	""       /api/x   /api    true     /x
//	/base    /api/x   /api    true     /base/x
//	/base    /apix    /api    true     /basex
//	/base    /api     /api    true     /base
//	/base/   /api/x   /api    true     /base/x
//	/base    /api/x   /api    false    /baseapi/x
//	/base/   /api/x   /api    false    /base/api/x
func UpstreamPathV1(servicePath, path, prefix string, strip bool) string {
	return escape(rewriteV1(servicePath, path, postfix(path, prefix), strip))
}

func rewriteV1(servicePath, path, rest string, strip bool) string {
	base := cmp.Or(servicePath, "/")
	switch {
	case !strip:
		return base + path[min(1, len(path)):]
	case strings.HasSuffix(base, "/"):
		return base + strings.TrimPrefix(rest, "/")
	}
	return base + rest
}

// postfix is what follows the matched prefix.
func postfix(path, prefix string) string {
	if prefix == "" {
		prefix = "/"
	}
	return withoutDots(path[min(len(prefix), len(path)):])
}

// withoutDots drops a dot segment that the cut has made: of /api../x under /api
// the rest is x, not ../x (sanitize_uri_postfix in kong/router/utils.lua).
func withoutDots(rest string) string {
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
	switch {
	case strings.HasSuffix(base, "/"):
		return base + path[min(1, len(path)):]
	case path == "/":
		return base
	}
	return base + path
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
