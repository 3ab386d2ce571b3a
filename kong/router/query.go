package router

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// A query is a request in the form that conditions look at.
type query struct {
	method, path, scheme, sni string
	host                      string // without port
	port                      int    // of the Host header, else the one Kong listens on
	header                    http.Header

	target, rawHost    string // as the client sent them
	clientIP, serverIP string
	clientPort         int

	read map[string][]atc.Value // fields of expressions that were looked at
}

// alone is the query for one goroutine of several.
func (q *query) alone() *query {
	other := *q
	other.read = nil
	return &other
}

func newQuery(req Request) *query {
	uri, _ := OriginForm(req.Target)
	q := &query{
		method: req.Method,
		path:   Normalize(stripArgs(uri)),
		scheme: req.Scheme,
		sni:    req.SNI,
		port:   req.Port,
		header: req.Header,
		target: req.Target, rawHost: req.Host,
		clientIP: req.ClientIP, serverIP: req.ServerIP, clientPort: req.ClientPort,
	}
	host, port, ok := splitPort(req.Host)
	q.host = host
	if ok {
		q.port = port
	}
	return q
}

// stripArgs is what strip_uri_args in kong/router/utils.lua leaves: it does not
// look at the first character, nor for a "#".
func stripArgs(uri string) string {
	if uri == "" {
		return uri
	}
	if i := strings.IndexByte(uri[1:], '?'); i >= 0 {
		return uri[:i+1]
	}
	return uri
}

// splitPort splits at the first colon, and only before what is a number to Lua:
// the brackets of an IPv6 address stay whole, their port included
// (split_host_port in kong/router/transform.lua).
func splitPort(s string) (host string, port int, ok bool) {
	host, digits, found := strings.Cut(s, ":")
	if !found {
		return s, 0, false
	}
	n, ok := luaNumber(digits)
	if !ok {
		return s, 0, false
	}
	return host, toInt64(n), true
}

// luaNumber is Lua's tonumber as LuaJIT has it (lj_strscan_scan): decimal, 0x and
// 0b notation, fractions, exponents and "inf", with white space around.
func luaNumber(s string) (float64, bool) {
	if n, err := strconv.Atoi(s); err == nil { // what nearly every port is
		return float64(n), true
	}
	s = strings.Trim(s, " \t\n\v\f\r")
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	n, ok := parseLua(config.LowerASCII(digits))
	if negative {
		n = -n
	}
	return n, ok
}

// parseLua reads a number in lower case and without its sign.
func parseLua(s string) (float64, bool) {
	switch {
	case s == "" || s[0] == '+' || s[0] == '-' || strings.Contains(s, "_"): // which Go takes, and Lua does not
		return 0, false
	case strings.HasPrefix(s, "0b"):
		n, err := strconv.ParseUint(s[2:], 2, 64)
		return float64(n), err == nil
	case strings.HasPrefix(s, "0x") && !strings.Contains(s, "p"):
		s += "p0" // without which Go takes no hexadecimal number for a fraction
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// toInt64 is how LuaJIT hands a number to a C function: cut to a whole one, and
// the lowest for all that do not fit.
func toInt64(n float64) int {
	if n >= -1<<63 && n < 1<<63 {
		return int(n)
	}
	return math.MinInt64
}

// headerName is a header as Kong looks it up: a request's header with underscores
// counts, and only without such a one the header with dashes (fields.lua, whose
// names have no dashes, and OpenResty's req_headers_mt). Both are canonical.
type headerName struct{ underscores, dashes string }

func newHeaderName(name string) headerName {
	lower := config.LowerASCII(name)
	return headerName{
		underscores: http.CanonicalHeaderKey(strings.ReplaceAll(lower, "-", "_")),
		dashes:      http.CanonicalHeaderKey(strings.ReplaceAll(lower, "_", "-")),
	}
}

// values are all occurrences of the header.
func (n headerName) values(header http.Header) []string {
	if values := header[n.underscores]; len(values) > 0 {
		return values
	}
	return header[n.dashes]
}

// An arg is one name in the query string. It may be there without a value.
type arg struct {
	value string
	bare  bool
}

// maxArgs is how many arguments OpenResty reads (NGX_HTTP_LUA_MAX_ARGS).
const maxArgs = 100

// args are the values of one argument of the query string
// (ngx_http_lua_ffi_req_get_uri_args). Arguments without a name are skipped.
func args(target, name string) []arg {
	_, raw := SplitTarget(target)
	var out []arg
	read := 0
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, hasValue := strings.Cut(pair, "=")
		key = unescapeArg(key)
		if key == "" {
			continue
		}
		if read++; read > maxArgs {
			break
		}
		if key == name {
			out = append(out, arg{unescapeArg(value), !hasValue})
		}
	}
	return out
}

// unescapeArg decodes percent triplets and "+". What is no triplet stays.
func unescapeArg(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c, ok := config.PercentTriplet(s[i:])
		switch {
		case ok:
			out.WriteByte(c)
			i += 2
		case s[i] == '+':
			out.WriteByte(' ')
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// segments are those of a path, without empty ones at its end (get_http_segments
// in kong/router/fields.lua).
func segments(path string) []string {
	list := strings.Split(path[min(1, len(path)):], "/")
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// segment is what http.path.segments.0, or for a range http.path.segments.0_2,
// stands for.
func segment(path, which string) (string, bool) {
	list := segments(path)
	first, last, isRange := strings.Cut(which, "_")
	from, err := strconv.Atoi(first)
	if err != nil || from < 0 || from >= len(list) {
		return "", false
	}
	if !isRange {
		return list[from], true
	}
	to, err := strconv.Atoi(last)
	if err != nil || to <= from || to >= len(list) {
		return "", false
	}
	return strings.Join(list[from:to+1], "/"), true
}

// sorted is a copy in order: Kong sorts the values of a repeated header where they
// are, when it makes the key of its cache (visit_for_cache_key).
func sorted(values []string) []string {
	if len(values) < 2 {
		return values
	}
	return slices.Sorted(slices.Values(values))
}
