package logread

import (
	"bytes"
	"encoding/json"
	"strconv"
)

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
	raw := bytes.TrimSuffix(s[:end], []byte(","))
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
