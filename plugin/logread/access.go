package logread

import (
	"bytes"
	"net/http"
	"strconv"
)

// accessLine is a line of an access log in nginx's combined format or in Kong's, which
// has the request's id behind it (kong_log_format in kong/templates/nginx_kong.lua,
// since 3.5):
//
//	127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "POST /a?x=1 HTTP/1.1" 405 31 "-" "curl/8.5.0" kong_request_id: "d198…"
type accessLine struct {
	time    []byte // between the brackets
	request []byte // METHOD TARGET, as the client sent it
	id      []byte // nil where the line has none
}

// accessTime is how nginx writes a time in an access log, "0" standing for a digit and
// "a" for a letter.
const accessTime = "00/aaa/0000:00:00:00 +0000"

// readAccess reads a line whose status is 405. nginx writes what a client sent between
// quotes and escapes quotes in it, and a client's user name is before the first quote:
// so the time is the one before that quote, and the id is what ends the line.
func readAccess(line []byte) (a accessLine, ok bool) {
	quote := bytes.IndexByte(line, '"')
	before := quote - len(`] `)
	start := before - len(accessTime)
	if start < 1 || line[start-1] != '[' || string(line[before:quote]) != "] " || !bytes.Contains(line[:start], []byte(" - ")) {
		return a, false
	}
	a.time = line[start:before]
	a.request, line, ok = bytes.Cut(line[quote+1:], []byte(`"`))
	if !ok || !isAccessTime(a.time) {
		return a, false
	}
	if line, ok = bytes.CutPrefix(line, []byte(" 405 ")); !ok {
		return a, false
	}
	a.id = idBehind(line, "kong_request_id: ")
	a.request, ok = requestIn(a.request)
	return a, ok
}

func isAccessTime(s []byte) bool {
	for i := range len(accessTime) {
		switch c := accessTime[i]; {
		case c == '0' && !isDigit(s[i]), c == 'a' && !isLetter(s[i]):
			return false
		case c == '+' && s[i] == '-', c == '0', c == 'a':
		case c != s[i]:
			return false
		}
	}
	return true
}

// idBehind is the request's id at the end of a line, in quotes behind its name.
func idBehind(line []byte, name string) []byte {
	line = bytes.TrimRight(line, " ")
	const digits = 32
	at := len(line) - digits - len(`""`)
	if at < len(name) || line[at] != '"' || line[len(line)-1] != '"' || string(line[at-len(name):at]) != name {
		return nil
	}
	id := line[at+1 : len(line)-1]
	for _, c := range id {
		if !isHex(c) {
			return nil
		}
	}
	return id
}

// requestIn takes METHOD TARGET out of a request line, with nginx's \xHH undone
// (ngx_http_log_escape). ok is false for what is no request line.
func requestIn(line []byte) (request []byte, ok bool) {
	i := bytes.LastIndex(line, []byte(" HTTP/"))
	if i < 0 {
		return nil, false
	}
	line = Unescaped(line[:i])
	method, target, ok := bytes.Cut(line, []byte(" "))
	return line, ok && len(method) > 0 && len(target) > 0
}

// Unescaped is a text with nginx's \xHH undone (ngx_http_log_escape): itself where there
// are none.
func Unescaped(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if c, err := strconv.ParseUint(string(s[i+2:i+4]), 16, 8); err == nil {
				out, i = append(out, byte(c)), i+3
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// is405 reports whether a text may hold a 405 as a record or an access log has it. It
// looks at bytes alone, so that all other lines are not taken apart.
func is405(line []byte) bool {
	return bytes.Contains(line, []byte(`" 405 `)) || hasStatus(line, http.StatusMethodNotAllowed)
}

// hasStatus looks for "status":405, with white space, and escaped inside another text.
func hasStatus(line []byte, status int) bool {
	want := strconv.Itoa(status)
	for {
		i := bytes.Index(line, []byte(`status`))
		if i < 0 {
			return false
		}
		line = line[i+len("status"):]
		rest := bytes.TrimLeft(line, `\":  `)
		if len(rest) < len(line) && bytes.HasPrefix(rest, []byte(want)) {
			return true
		}
	}
}
