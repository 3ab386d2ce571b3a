package router

import (
	"net/http"
	"regexp"
	"strings"

	"diag405/kong/config"
)

// Refusal is why a request has no route.
type Refusal string

// nginx makes the first two before Kong sees the request. NoRoute and NotUTF8 are
// Kong's 404, which look the same from outside.
const (
	BadRequest Refusal = "bad request"               // 400: nginx does not take the request line or the Host
	NotAllowed Refusal = "method refused"            // 405: nginx takes no TRACE and no CONNECT
	NoRoute    Refusal = "no route"                  // 404: no route's conditions all hold
	NotUTF8    Refusal = "not UTF-8"                 // 404: something that routes match by is not UTF-8
	Crash      Refusal = "an error in Kong's router" // 500: it cannot read an argument
)

// Status is the answer's.
func (r Refusal) Status() int {
	switch r {
	case BadRequest:
		return http.StatusBadRequest
	case NotAllowed:
		return http.StatusMethodNotAllowed
	case Crash:
		return http.StatusInternalServerError
	}
	return http.StatusNotFound
}

// refuse is what nginx itself says to a request, "" for nothing. It reads the
// request line, then the Host, and looks at the method at the end of the headers
// (ngx_http_process_request_line and ngx_http_process_request_headers).
func refuse(req Request) Refusal {
	switch {
	case Refused(req.Target), req.Host != "" && !validHost(req.Host):
		return BadRequest
	case req.Method == http.MethodTrace, req.Method == http.MethodConnect:
		return NotAllowed
	}
	return ""
}

// Refused reports whether nginx answers 400 to a request target before Kong's
// router sees it: because it is not a path nor an absolute form that nginx takes,
// because of a control character or a blank, because dot segments lead above the
// root, or because of a broken or zero percent triplet (measured,
// ngx_http_parse_request_line and ngx_http_parse_complex_uri).
func Refused(target string) bool {
	if strings.ContainsFunc(target, isControl) {
		return true
	}
	uri, _ := OriginForm(target)
	if uri != target && !validAuthority(target) {
		return true
	}
	path, _, _ := strings.Cut(uri, "?")
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(uri, "/") && (uri == target || path != "") {
		return true
	}
	decoded, ok := decodeAll(path)
	if !ok || strings.IndexByte(decoded, 0) >= 0 {
		return true
	}
	return climbs(decoded)
}

func isControl(r rune) bool { return r <= ' ' || r == 0x7f }

// OriginForm takes a target in absolute form (RFC 9112, section 3.2.2) apart: its
// path and query, as nginx's $request_uri has them, and the authority in front. Any
// other target stays as it is.
//
// A query right behind the authority is left without a slash, as in $request_uri,
// and no path of a route matches it.
func OriginForm(target string) (uri, authority string) {
	if strings.HasPrefix(target, "/") {
		return target, ""
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || strings.ContainsAny(scheme, "/?") {
		return target, ""
	}
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		return rest[at:], rest[:at]
	}
	return "/", rest
}

var absoluteForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.\-]*://` +
	`(\[[A-Za-z0-9:\-._~!$&'()*+,;=]*\]|[A-Za-z0-9.\-]*)(?::[0-9]*)?(?:[/?]|$)`)

// validAuthority looks at scheme, host and port of a target in absolute form.
func validAuthority(target string) bool {
	m := absoluteForm.FindStringSubmatch(target)
	return m != nil && validHost(m[1])
}

// validHost is ngx_http_validate_host: two dots in a row, a slash, white space and
// control characters are refused, and so is a host that is nothing but a port or
// a dot.
func validHost(host string) bool {
	if strings.Contains(host, "..") || strings.Contains(host, "/") || strings.ContainsFunc(host, isControl) {
		return false
	}
	name := host
	if strings.HasPrefix(host, "[") && strings.Contains(host, "]") {
		name = host[:strings.Index(host, "]")+1]
	} else {
		name, _, _ = strings.Cut(host, ":")
	}
	return name != "" && name != "."
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
