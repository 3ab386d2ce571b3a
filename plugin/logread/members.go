package logread

import "bytes"

// reader reads the members of a JSON object.
type reader interface {
	// object is who reads an object that is a member, nil where it is a value like others.
	object(name []byte) reader
	// guess is an object that a member may be, nil for none.
	guess(name []byte) []byte
	// member gets a name without its quotes, and the value as it stands.
	member(name, value []byte)
}

// eachMember reads a JSON object, and returns what follows it. ok is false for what is no
// object, as far as that shows without looking into values.
func eachMember(s []byte, to reader) (rest []byte, ok bool) {
	s = space(s)
	if len(s) == 0 || s[0] != '{' {
		return nil, false
	}
	s = space(s[1:])
	if len(s) > 0 && s[0] == '}' {
		return s[1:], true
	}
	for len(s) > 0 && s[0] == '"' {
		if s, ok = oneMember(s, to); !ok || len(s) == 0 {
			return nil, false
		}
		if s[0] == '}' {
			return s[1:], true
		}
		if s[0] != ',' {
			return nil, false
		}
		s = space(s[1:])
	}
	return nil, false
}

// oneMember reads a member, and returns what follows it.
func oneMember(s []byte, to reader) (rest []byte, ok bool) {
	name, s, ok := quotedValue(s[1:], '{')
	if s = space(s); !ok || len(s) == 0 || s[0] != ':' {
		return nil, false
	}
	s = space(s[1:])
	if inner := to.object(name.raw); inner != nil && len(s) > 0 && s[0] == '{' {
		s, ok = eachMember(s, inner)
		return space(s), ok
	}
	n := len(to.guess(name.raw))
	if n == 0 || !bytes.HasPrefix(s, to.guess(name.raw)) {
		n = valueEnd(s)
	}
	to.member(name.raw, s[:n])
	return space(s[n:]), n > 0
}

// valueEnd is where a JSON value ends, 0 for what does not end.
func valueEnd(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case '"':
		_, rest, ok := quotedValue(s[1:], '{')
		if !ok {
			return 0
		}
		return len(s) - len(rest)
	case '{', '[':
		return nestedEnd(s)
	}
	if i := bytes.IndexAny(s, ",}] \t\r\n"); i >= 0 {
		return i
	}
	return 0
}

// nestedEnd is where an object or a list ends, 0 for one that does not.
func nestedEnd(s []byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			_, rest, ok := quotedValue(s[i+1:], '{')
			if !ok {
				return 0
			}
			i = len(s) - len(rest) - 1
		}
	}
	return 0
}

// space leaves out white space in front.
func space(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n') {
		s = s[1:]
	}
	return s
}
