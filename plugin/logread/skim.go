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
	_, whole := eachMember(data, k)
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
	// Route and service as the record before had them: they are long, and few.
	route, service []byte
}

// object says who reads an object that is a member of the record.
func (k *skimmer) object(name []byte) reader {
	switch string(name) {
	case "request":
		return skimmedRequest{k}
	case "response":
		return skimmedResponse{k}
	}
	return nil
}

func (k *skimmer) guess(name []byte) []byte {
	switch string(name) {
	case "route":
		return k.route
	case "service":
		return k.service
	}
	return nil
}

func (k *skimmer) member(name, value []byte) {
	switch string(name) {
	case "route":
		k.part(name, value)
		k.route = known(k.route, value)
	case "service":
		k.part(name, value)
		k.service = known(k.service, value)
	case "source":
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

// known keeps an object, which ends where it ends; of another value one cannot tell.
func known(scratch, value []byte) []byte {
	if len(value) == 0 || value[0] != '{' {
		return scratch[:0]
	}
	return append(scratch[:0], value...)
}

func (k *skimmer) part(name, value []byte) {
	k.key = append(append(append(k.key, name...), 0), value...)
	k.key = append(k.key, 0)
}

// skimmedRequest reads the member request.
type skimmedRequest struct{ *skimmer }

func (k skimmedRequest) object(name []byte) reader {
	if string(name) == "headers" {
		return skimmedHeaders(k)
	}
	return nil
}

func (k skimmedRequest) guess([]byte) []byte { return nil }

func (k skimmedRequest) member(name, value []byte) {
	switch string(name) {
	case "id":
		k.id = bytes.Trim(value, `"`)
	case "method":
		k.parts++
		k.part(name, value)
	case "uri":
		k.parts++
		k.asked = k.target(k.asked, value)
	}
}

// skimmedResponse reads the member response.
type skimmedResponse struct{ *skimmer }

func (k skimmedResponse) object(name []byte) reader {
	if string(name) == "headers" {
		return skimmedAnswer(k)
	}
	return nil
}

func (k skimmedResponse) guess([]byte) []byte { return nil }

func (k skimmedResponse) member(name, value []byte) {
	if string(name) == "status" {
		k.parts++
		k.ok = k.ok && string(value) == "405"
	}
}

// skimmedHeaders reads the headers of a request, and skimmedAnswer those of an answer.
type (
	skimmedHeaders struct{ *skimmer }
	skimmedAnswer  struct{ *skimmer }
)

func (k skimmedHeaders) object([]byte) reader { return nil }
func (k skimmedHeaders) guess([]byte) []byte  { return nil }
func (k skimmedHeaders) member(name, value []byte) {
	k.header(diagnose.Asked(string(name)), name, value)
}
func (k skimmedAnswer) object([]byte) reader { return nil }
func (k skimmedAnswer) guess([]byte) []byte  { return nil }
func (k skimmedAnswer) member(name, value []byte) {
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

// target puts the text of a JSON string into scratch.
func (k *skimmer) target(scratch, value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		k.ok = false
		return scratch
	}
	return appendUnescaped(scratch[:0], value[1:len(value)-1])
}
