// Package bundled does what some of Kong's bundled plugins do, as functions on
// plain values: request-transformer, cors and request-termination. They are
// those that change what an upstream sees or who answers.
package bundled

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"diag405/kong/router"
	"diag405/kong/wire"
)

// Request is what a plugin sees of a request, and may change.
type Request struct {
	Method       string
	Query        string // raw
	Header       wire.Fields
	Body         []byte
	HasBody      bool
	UpstreamURI  string // the path for the upstream, escaped
	UpstreamHost string // the Host for the upstream; "" when it is the service's
	Captures     router.Captures
	Shared       map[string]any
}

// Answer is an answer that a plugin makes. A nil body is none.
type Answer struct {
	Status int
	Header wire.Fields
	Body   []byte
}

// EscapePath is what kong.service.request.set_path does to a path, which starts
// with a slash.
func EscapePath(path string) string {
	return router.UpstreamPath("", path, "", false) // kept as it is, but for the escaping
}

// DecodeArgs is ngx.decode_args: values are strings, true for an argument
// without "=", or lists of these. An argument without a name is dropped.
func DecodeArgs(query string) map[string]any {
	args := map[string]any{}
	for part := range strings.SplitSeq(query, "&") {
		name, raw, hasValue := strings.Cut(part, "=")
		if name = unescape(name); name == "" {
			continue
		}
		var value any = true
		if hasValue {
			value = unescape(raw)
		}
		args[name] = appendValue(args[name], value)
	}
	return args
}

// appendValue makes a list where there is a value already.
func appendValue(old, value any) any {
	switch old := old.(type) {
	case nil:
		return value
	case []any:
		return append(old, value)
	}
	return []any{old, value}
}

// unescape is ngx.unescape_uri: a broken triplet stays.
func unescape(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if i+3 <= len(s) && s[i] == '%' {
			if u, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(u)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// EncodeArgs writes arguments as Kong's set_query does: each name with all its
// values is encoded, then these parts are sorted.
func EncodeArgs(args map[string]any) string {
	var parts []string
	for name, value := range args {
		parts = append(parts, encodeArg(name, value))
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func encodeArg(name string, value any) string {
	switch v := value.(type) {
	case string:
		return escapeArg(name) + "=" + escapeArg(v)
	case bool:
		if v {
			return escapeArg(name)
		}
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, encodeArg(name, e))
		}
		return strings.Join(parts, "&")
	}
	return ""
}

// escapeArg escapes all but RFC 3986's unreserved characters.
func escapeArg(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// JSON encodes as Kong's cjson does, but for the order of keys: slashes are
// escaped, HTML is not.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(bytes.TrimRight(b.Bytes(), "\n"), []byte("/"), []byte(`\/`)), nil
}
