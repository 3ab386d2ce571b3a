package logread

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// wrapped is a line that something else put into JSON.
type wrapped struct {
	text, time []byte
}

// unwrapDocker reads a line of docker's json-file driver, which is written in this order:
//
//	{"log":"…\n","stream":"stderr","time":"2026-11-23T08:06:03.123456789Z"}
//
// The text is put into scratch.
func unwrapDocker(line, scratch []byte) (w wrapped, ok bool) {
	line, ok = bytes.CutPrefix(line, []byte(`{"log":"`))
	if !ok {
		return w, false
	}
	v, rest, ok := quotedValue(line, '{')
	if !ok {
		return w, false
	}
	w.text = bytes.TrimRight(appendUnescaped(scratch[:0], v.raw), "\r\n")
	if _, after, ok := bytes.Cut(rest, []byte(`"time":"`)); ok {
		w.time, _, _ = bytes.Cut(after, []byte(`"`))
	}
	return w, true
}

// unwrapAny reads what other collectors make of a line: an object that has it as log,
// message or MESSAGE (fluentd and fluent-bit, Vector and Filebeat, journald).
func unwrapAny(line []byte) (w wrapped, ok bool) {
	var any struct {
		Log, Message, Time, Timestamp string
	}
	if json.Unmarshal(line, &any) != nil { // the names of fields are compared in any case
		return w, false
	}
	text, time := any.Log, any.Time
	if text == "" {
		text = any.Message
	}
	if time == "" {
		time = any.Timestamp
	}
	return wrapped{bytes.TrimRight([]byte(text), "\r\n"), []byte(time)}, text != ""
}

// appendUnescaped appends the text of a JSON string.
func appendUnescaped(to, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(to, s...)
		}
		to = append(to, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'n':
			to = append(to, '\n')
		case 'r':
			to = append(to, '\r')
		case 't':
			to = append(to, '\t')
		case 'b':
			to = append(to, '\b')
		case 'f':
			to = append(to, '\f')
		case 'u':
			var r rune
			r, s = escapedRune(s)
			to = utf8.AppendRune(to, r)
		default:
			to = append(to, c) // a quote, a slash or a backslash
		}
	}
}

// escapedRune reads what follows \u, two halves of a surrogate pair among them.
func escapedRune(s []byte) (r rune, rest []byte) {
	r, rest = hexRune(s)
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if after, ok := bytes.CutPrefix(rest, []byte(`\u`)); ok {
		low, after := hexRune(after)
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, after
		}
	}
	return utf8.RuneError, rest
}

func hexRune(s []byte) (r rune, rest []byte) {
	if len(s) < 4 {
		return utf8.RuneError, nil
	}
	for _, c := range s[:4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case isHex(c):
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return utf8.RuneError, s[4:]
		}
	}
	return r, s[4:]
}
