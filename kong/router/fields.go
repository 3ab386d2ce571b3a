package router

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"diag405/kong/atc"
)

const (
	headerField  = "http.headers."
	argField     = "http.queries."
	segmentField = "http.path.segments."
)

// Values gives what the request has for a field of an expression (FIELDS_FUNCS in
// kong/router/fields.lua). It is read once, for however many routes.
func (q *query) Values(field string) []atc.Value {
	values, ok := q.read[field]
	if ok {
		return values
	}
	if q.read == nil {
		q.read = map[string][]atc.Value{}
	}
	values = q.values(field)
	q.read[field] = values
	return values
}

func (q *query) values(field string) []atc.Value {
	switch field {
	case "net.dst.port":
		return []atc.Value{atc.Number(int64(q.port))}
	case "net.src.port":
		return numberOf(q.clientPort)
	case "net.src.ip":
		return addrOf(q.clientIP)
	case "net.dst.ip":
		return addrOf(q.serverIP)
	case segmentField + "len":
		return []atc.Value{atc.Number(int64(len(segments(q.path))))}
	}
	var out []atc.Value
	for _, text := range q.texts(field) {
		out = append(out, atc.Text(text))
	}
	return out
}

// texts is Values of a field of type String.
func (q *query) texts(field string) []string {
	switch field {
	case "http.path":
		return []string{q.path}
	case "http.method":
		return []string{q.method}
	case "http.host":
		return known(q.host)
	case "tls.sni":
		return known(q.sni)
	case "net.protocol":
		return []string{q.protocol()}
	case headerField + "host":
		return known(q.rawHost)
	}
	if name, ok := strings.CutPrefix(field, headerField); ok {
		return sorted(newHeaderName(name).values(q.header))
	}
	if name, ok := strings.CutPrefix(field, argField); ok {
		return q.argTexts(name)
	}
	if s, ok := segment(q.path, strings.TrimPrefix(field, segmentField)); ok {
		return []string{s}
	}
	return nil
}

func known(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func numberOf(n int) []atc.Value {
	if n == 0 {
		return nil
	}
	return []atc.Value{atc.Number(int64(n))}
}

func addrOf(s string) []atc.Value {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return nil
	}
	return []atc.Value{atc.Addr(a)}
}

// protocol is nginx's $scheme.
func (q *query) protocol() string {
	if q.scheme == "" {
		return "http"
	}
	return q.scheme
}

// argTexts are an argument's values. One without a value is an empty string.
func (q *query) argTexts(name string) []string {
	var out []string
	for _, a := range args(q.target, name) {
		out = append(out, a.value)
	}
	return sorted(out)
}

// textField is a field of type String that some route looks at.
type textField struct {
	name   string
	header headerName // of http.headers.*
}

func newTextField(name string) textField {
	f := textField{name: name}
	if header, ok := strings.CutPrefix(name, headerField); ok && name != headerField+"host" {
		f.header = newHeaderName(header)
	}
	return f
}

// readable says whether Kong can read a field that some route looks at, whether
// that route is tried or not.
//
// Text that is not UTF-8 cannot be handed to the matching library, and Kong gives
// up on the request (context_add_value in atc-router's src/ffi/context.rs). An
// argument that is there several times, and once without a value, is an error in
// Lua: a boolean cannot be sorted among strings (visit_for_cache_key in
// kong/router/fields.lua).
func (q *query) readable(field textField) Refusal {
	switch {
	case field.name == "http.path":
		return utf8Or404(q.path)
	case field.name == "http.host":
		return utf8Or404(q.host)
	case field.header.dashes != "":
		return utf8Or404(field.header.values(q.header)...)
	}
	if name, ok := strings.CutPrefix(field.name, argField); ok && isMixed(args(q.target, name)) {
		return Crash
	}
	return utf8Or404(q.texts(field.name)...)
}

func utf8Or404(texts ...string) Refusal {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return NotUTF8
		}
	}
	return ""
}

func isMixed(values []arg) bool {
	bare := 0
	for _, a := range values {
		if a.bare {
			bare++
		}
	}
	return bare > 0 && len(values) > 1
}
