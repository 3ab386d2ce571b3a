package logread

import (
	"bytes"
	"strconv"

	"diag405/plugin/diagnose"
)

// skimmed is what is read of a record before it is decoded: decoding takes twenty times
// as long, and most records are like another one that was decoded.
type skimmed struct {
	id      []byte
	started int64 // in seconds since 1970
}

// skim appends to the key all of a record that its diagnosis can depend on, ids in paths
// apart: what has the same key has the same verdict. ok is false for what has to be
// decoded: one with a diagnosis in it, with a method in its query, or of another form than
// Kong writes.
func (s *Scanner) skim(data []byte) (r skimmed, ok bool) {
	k := s.skimmer
	k.skimmed, k.parts, k.ok = skimmed{}, 0, true
	k.key, k.asked, k.got = append(s.key[:0], 'r'), k.asked[:0], k.got[:0]
	whole := eachMember(data, k.ofRecord)
	ok = whole && k.ok && k.parts == needed && isPlain(k.asked) && (len(k.got) == 0 || isPlain(k.got))
	s.key = k.key
	if ok {
		s.key = s.appendPaths(s.key, k.asked, k.got)
	}
	return k.skimmed, ok
}

// isPlain reports a target whose path and query are of no special kind.
func isPlain(target []byte) bool {
	return len(target) > 0 && target[0] == '/' && bytes.IndexByte(target, '#') < 0 && !bytes.Contains(target, []byte("_method"))
}

// appendPaths appends the shape of both paths, and which of the upstream's ids are the
// client's: one that is not is another thing.
func (s *Scanner) appendPaths(to, asked, got []byte) []byte {
	asked, _, _ = bytes.Cut(asked, []byte("?"))
	got, _, _ = bytes.Cut(got, []byte("?"))
	for _, path := range [][]byte{asked, got} {
		if api := s.judge.API; api != nil {
			to = append(append(to, api.Template(string(path))...), 0)
		}
		to = append(appendTemplate(to, path), 0)
	}
	for segment := range bytes.SplitSeq(got, []byte("/")) {
		if id, _ := idIn(segment); id == "" {
			continue
		}
		if bytes.Contains(asked, segment) {
			to = append(to, '=')
		} else {
			to = append(to, '!')
		}
	}
	return to
}

// needed is how many parts of a record have to be there: method, path, status.
const needed = 3

// skimmer is a record that is being skimmed.
type skimmer struct {
	skimmed
	key        []byte
	asked, got []byte // the targets, the client's and the upstream's
	parts      int    // of those that are needed
	ok         bool

	// Its methods as functions, so that a record takes no memory.
	ofRecord, ofRequest, ofResponse, ofAsked, ofAnswered func(name, value []byte)
}

func newSkimmer() *skimmer {
	k := &skimmer{}
	k.ofRecord, k.ofRequest, k.ofResponse, k.ofAsked, k.ofAnswered = k.member, k.request, k.response, k.askedHeader, k.answeredHeader
	return k
}

func (k *skimmer) member(name, value []byte) {
	switch string(name) {
	case "request":
		k.ok = eachMember(value, k.ofRequest) && k.ok
	case "response":
		k.ok = eachMember(value, k.ofResponse) && k.ok
	case "route", "service", "source":
		k.part(name, value)
	case "upstream_uri":
		k.got = k.target(k.got, value)
	case "started_at":
		ms, err := strconv.ParseFloat(string(value), 64)
		k.started, k.ok = int64(ms)/1000, k.ok && err == nil
	case "diag405":
		k.ok = false
	}
}

func (k *skimmer) request(name, value []byte) {
	switch string(name) {
	case "id":
		k.id = bytes.Trim(value, `"`)
	case "method":
		k.parts++
		k.part(name, value)
	case "uri":
		k.parts++
		k.asked = k.target(k.asked, value)
	case "headers":
		k.ok = eachMember(value, k.ofAsked) && k.ok
	}
}

func (k *skimmer) response(name, value []byte) {
	switch string(name) {
	case "status":
		k.parts++
		k.ok = k.ok && string(value) == "405"
	case "headers":
		k.ok = eachMember(value, k.ofAnswered) && k.ok
	}
}

func (k *skimmer) askedHeader(name, value []byte) {
	k.header(diagnose.Asked(string(name)), name, value)
}

func (k *skimmer) answeredHeader(name, value []byte) {
	k.header(diagnose.Answered(string(name)), name, value)
}

// header takes a header that causes look at. The names in a record are lower case; a
// record with others is decoded.
func (k *skimmer) header(look diagnose.Look, name, value []byte) {
	switch {
	case bytes.ContainsFunc(name, func(r rune) bool { return r >= 'A' && r <= 'Z' || r == '\\' }):
		k.ok = false
	case look == diagnose.AtValue:
		k.part(name, value)
	case look == diagnose.WhetherThere:
		k.part(name, nil)
	}
}

func (k *skimmer) part(name, value []byte) {
	k.key = append(append(append(k.key, name...), 0), value...)
	k.key = append(k.key, 0)
}

// target puts the text of a JSON string into scratch.
func (k *skimmer) target(scratch, value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		k.ok = false
		return scratch
	}
	return appendUnescaped(scratch[:0], value[1:len(value)-1])
}

// eachMember calls visit with the members of a JSON object: the name without its quotes,
// the value as it stands. It reports false for what is no object, as far as that shows
// without looking into values.
func eachMember(s []byte, visit func(name, value []byte)) bool {
	s = space(s)
	if len(s) == 0 || s[0] != '{' {
		return false
	}
	s = space(s[1:])
	if len(s) > 0 && s[0] == '}' {
		return true
	}
	for len(s) > 0 && s[0] == '"' {
		name, rest, ok := quotedValue(s[1:], '{')
		if rest = space(rest); !ok || len(rest) == 0 || rest[0] != ':' {
			return false
		}
		rest = space(rest[1:])
		n := valueEnd(rest)
		visit(name.raw, rest[:n])
		s = space(rest[n:])
		switch {
		case n == 0 || len(s) == 0:
			return false
		case s[0] == '}':
			return true
		case s[0] != ',':
			return false
		}
		s = space(s[1:])
	}
	return false
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
