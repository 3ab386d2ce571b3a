// Package errorlog reads Kong's error log: what nginx and Kong write around the
// message of a plugin (ngx_log_error_core in nginx's src/core/ngx_log.c, and kong.log's
// own prefix in kong/pdk/log.lua):
//
//	2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 MESSAGE, client: 127.0.0.1, request: "..."
//
// nginx cuts a line off at 4,096 bytes: NGX_MAX_ERROR_STR, which OpenResty's patch
// larger_max_error_str, and so Kong's build, has in place of nginx's own 2,048.
//
// Clients write into logs, too: a path, a Host or a User-Agent may hold all of the
// above. On nginx's lines such text stands behind the beginning, and so the
// beginning is what a line is known by. A collector may have put a few words in
// front of it; quotes are not among them, since an access log in the same stream
// has a client's text in quotes.
package errorlog

import "bytes"

// timeLayout is how nginx writes a time, "0" standing for a digit.
const timeLayout = "0000/00/00 00:00:00"

// maxForeign bounds what a collector may put in front of a line, in bytes.
const maxForeign = 200

// Head reads what stands before a message, to the message's first byte, and returns
// nginx's time, in its own form and in the time zone of its host. ok is false when it
// is not what Kong and nginx write. The time is a part of head.
func Head(head []byte) (time []byte, ok bool) {
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

// Begins reports whether a line begins as one of nginx's error log does, a collector's
// words in front of it or not. What such a line holds besides may be a client's.
func Begins(line []byte) bool {
	start := timeIn(line)
	return start >= 0 && bytes.HasPrefix(line[start+len(timeLayout):], []byte(" ["))
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
