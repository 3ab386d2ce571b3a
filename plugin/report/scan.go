package report

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// How a line of ours looks in an error log, all of it (ngx_log_error_core, and
// kong.log's own prefix):
//
//	2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405] event=... , client: ..., request: "..."
//
// Clients write into logs, too: a path, a Host or a User-Agent may hold all of the
// above. On nginx's lines such text stands behind the beginning, and so the
// beginning is what a line is known by. A collector may have put a few words in
// front of it; quotes are not among them, since an access log in the same stream
// has a client's text in quotes.

// timeLayout is how nginx writes a time, "0" standing for a digit.
const timeLayout = "0000/00/00 00:00:00"

// maxForeign bounds what a collector may put in front of a line, in bytes.
const maxForeign = 200

var prefix = []byte(Prefix)

// ownPart is what diag405 wrote in a line of an error log, and nginx's time, nil
// when the line begins with our part.
func ownPart(line []byte) (time, own []byte, ok bool) {
	at := bytes.Index(line, prefix)
	if at < 0 {
		return nil, nil, false
	}
	own = line[at+len(prefix):]
	if at == 0 {
		return nil, own, true
	}
	time, ok = header(line[:at])
	return time, own, ok
}

// header reads what nginx and Kong put in front of a message, to its end.
func header(head []byte) (time []byte, ok bool) {
	start := timeIn(head)
	if start < 0 {
		return nil, false
	}
	time, head = head[start:start+len(timeLayout)], head[start+len(timeLayout):]
	head, ok = bytes.CutPrefix(head, []byte(" ["))
	if !ok {
		return nil, false
	}
	_, head, ok = bytes.Cut(head, []byte("] "))
	if !ok {
		return nil, false
	}
	head = digits(head)
	if head, ok = bytes.CutPrefix(head, []byte("#")); !ok {
		return nil, false
	}
	head = digits(head)
	if head, ok = bytes.CutPrefix(head, []byte(": ")); !ok {
		return nil, false
	}
	if rest, ok := bytes.CutPrefix(head, []byte("*")); ok {
		head = bytes.TrimPrefix(digits(rest), []byte(" "))
	}
	if head, ok = bytes.CutPrefix(head, []byte("[kong] ")); !ok {
		return nil, false
	}
	file, head, ok := bytes.Cut(head, []byte(":"))
	if !ok || !bytes.HasSuffix(file, []byte(".lua")) || bytes.IndexByte(file, ' ') >= 0 {
		return nil, false
	}
	return time, isNamed(digits(head))
}

// isNamed reports what may stand between the place in Kong's source and a message: a
// space, and in the log phase the plugin's name as well (set_namespaced_log in
// kong/global.lua).
func isNamed(rest []byte) bool {
	if string(rest) == " " {
		return true
	}
	name, ok := bytes.CutPrefix(rest, []byte(" ["))
	if !ok {
		return false
	}
	name, ok = bytes.CutSuffix(name, []byte("] "))
	plain := func(r rune) bool { return r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' }
	return ok && bytes.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0
}

// timeIn is where nginx's time begins, -1 when it is not where it should be.
func timeIn(head []byte) int {
	if isTime(head) {
		return 0
	}
	for i := range min(len(head), maxForeign) {
		switch {
		case head[i] == '"':
			return -1
		case isTime(head[i:]):
			return i
		}
	}
	return -1
}

func isTime(s []byte) bool {
	if len(s) < len(timeLayout) {
		return false
	}
	for i := range len(timeLayout) {
		if timeLayout[i] == '0' && (s[i] < '0' || s[i] > '9') || timeLayout[i] != '0' && s[i] != timeLayout[i] {
			return false
		}
	}
	return true
}

func digits(s []byte) []byte { return bytes.TrimLeft(s, "0123456789") }

// value is the value of a field as it stands in a line.
type value struct {
	raw []byte // without quotes
	// How it is escaped: '"' as Go, '{' as JSON, 0 not at all.
	escaped byte
}

// bytes is the value's text. It takes no memory where nothing is escaped.
func (v value) bytes() []byte {
	switch v.escaped {
	case '"':
		if s, err := strconv.Unquote(`"` + string(v.raw) + `"`); err == nil {
			return []byte(s)
		}
	case '{':
		var s string
		if json.Unmarshal([]byte(`"`+string(v.raw)+`"`), &s) == nil {
			return []byte(s)
		}
	}
	return v.raw
}

func (v value) String() string { return string(v.bytes()) }

// eachField calls visit with the fields of our part of a line, in text or JSON. It
// reports false when the part is cut short, with the fields until then visited.
func eachField(own []byte, visit func(key []byte, v value)) (whole bool) {
	if bytes.HasPrefix(own, []byte("{")) {
		return eachJSONField(own[1:], visit)
	}
	for len(own) > 0 {
		i := bytes.IndexByte(own, '=')
		if i < 0 || !isKeyBytes(own[:i]) {
			return true
		}
		key := own[:i]
		v, rest, ok := textValue(own[i+1:])
		if !ok {
			return false
		}
		visit(key, v)
		if len(rest) == 0 || rest[0] != ' ' {
			return true
		}
		own = rest[1:]
	}
	return true
}

func isKeyBytes(s []byte) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return len(s) > 0
}

func textValue(s []byte) (v value, rest []byte, ok bool) {
	if len(s) > 0 && s[0] == '"' {
		return quotedValue(s[1:], '"')
	}
	end := bytes.IndexByte(s, ' ')
	if end < 0 {
		end = len(s)
	}
	raw := bytes.TrimSuffix(s[:end], []byte(",")) // nginx's, as in ParseLine
	return value{raw: raw}, s[len(raw):], true
}

// quotedValue reads up to the closing quote.
func quotedValue(s []byte, escape byte) (v value, rest []byte, ok bool) {
	for from := 0; ; {
		i := bytes.IndexByte(s[from:], '"')
		if i < 0 {
			return value{}, nil, false
		}
		from += i + 1
		if backslashes(s[:from-1])%2 != 0 {
			continue
		}
		v.raw = s[:from-1]
		if bytes.IndexByte(v.raw, '\\') >= 0 {
			v.escaped = escape
		}
		return v, s[from:], true
	}
}

// backslashes counts those at the end.
func backslashes(s []byte) int {
	n := 0
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n
}

// eachJSONField reads an object of strings, as we write it.
func eachJSONField(s []byte, visit func(key []byte, v value)) bool {
	for {
		s = bytes.TrimPrefix(s, []byte(","))
		if len(s) > 0 && s[0] == '}' {
			return true
		}
		if len(s) == 0 || s[0] != '"' {
			return false
		}
		key, rest, ok := quotedValue(s[1:], '{')
		if !ok || !bytes.HasPrefix(rest, []byte(`:"`)) {
			return false
		}
		v, rest, ok := quotedValue(rest[2:], '{')
		if !ok {
			return false
		}
		visit(key.raw, v)
		s = rest
	}
}

// appendPath appends METHOD URL without scheme, host and query: what failures are
// counted by.
func appendPath(to, request []byte) []byte {
	method, url, ok := bytes.Cut(request, []byte(" "))
	if !ok {
		return append(to, request...)
	}
	to = append(append(to, method...), ' ')
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := bytes.Index(url, []byte("://")); i >= 0 {
		if url = url[i+3:]; bytes.IndexByte(url, '/') < 0 {
			return append(to, '/')
		}
		url = url[bytes.IndexByte(url, '/'):]
	}
	return append(to, url...)
}

// safe is text of a log as it may be shown.
func safe(s string) string { return clean(strings.Clone(s)) }
