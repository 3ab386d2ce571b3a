package logread

import (
	"bytes"

	"diag405/plugin/diagnose"
)

// What stands for an id in a path.
const (
	anyID   = "{id}"
	anyUUID = "{uuid}"
)

// appendRequest appends METHOD URL without scheme, host and query, and with what an id
// may be in place of each: what failures are counted by. An application's own templates
// come first, api may be nil.
func appendRequest(to, request []byte, api *diagnose.API) []byte {
	method, url, ok := bytes.Cut(request, []byte(" "))
	if !ok {
		return append(to, request...)
	}
	to = append(append(to, method...), ' ')
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := bytes.Index(url, []byte("://")); i >= 0 {
		url = url[i+3:]
		i := bytes.IndexByte(url, '/')
		if i < 0 {
			return append(to, '/')
		}
		url = url[i:]
	}
	if api != nil {
		if template := api.Template(string(url)); template != "" {
			return append(to, template...)
		}
	}
	return appendTemplate(to, url)
}

// appendTemplate appends a path with {id} and {uuid} for the segments that are ids.
func appendTemplate(to, path []byte) []byte {
	for len(path) > 0 {
		segment := path
		if i := bytes.IndexByte(path, '/'); i >= 0 {
			segment = path[:i+1]
		}
		path = path[len(segment):]
		bare := bytes.TrimSuffix(segment, []byte("/"))
		id, rest := idIn(bare)
		if id == "" {
			to = append(to, segment...)
			continue
		}
		to = append(append(append(to, id...), bare[rest:]...), segment[len(bare):]...)
	}
	return to
}

// idIn is what stands for a segment that is an id, and where what follows it begins: an
// id may have a file's extension. id is "" for any other segment.
func idIn(segment []byte) (id string, rest int) {
	rest = len(segment)
	if i := bytes.LastIndexByte(segment, '.'); i > 0 && isExtension(segment[i+1:]) {
		rest = i
	}
	switch stem := segment[:rest]; {
	case isUUID(stem):
		return anyUUID, rest
	case isID(stem):
		return anyID, rest
	}
	return "", rest
}

// isExtension reports letters, with digits behind them: json, mp4.
func isExtension(s []byte) bool {
	return len(s) > 0 && len(s) <= 5 && isLetter(s[0]) && !bytes.ContainsFunc(s, func(r rune) bool { return r > 'z' || !isLetter(byte(r)) && !isDigit(byte(r)) })
}

// isUUID reports 8-4-4-4-12 hexadecimal digits (RFC 9562 section 4).
func isUUID(s []byte) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// From how many characters on a segment of letters and digits is an id: hexadecimal
// digits (a hash is cut to 7 at the least, but so are words), and anything else, such as
// a ULID.
const (
	longHex = 12
	longAny = 20
)

// isID reports a number, perhaps with dashes or points as a date or a telephone number
// has them; and letters with digits that are too long for a word.
func isID(s []byte) bool {
	digits, hex, others := 0, 0, 0
	for _, c := range s {
		switch {
		case isDigit(c):
			digits++
		case isHex(c):
			hex++
		case c == '-' || c == '_' || c == '.' || c == ':':
			others++
		case isLetter(c):
			others += 2 // no number any more
		default:
			return false
		}
	}
	switch letters := len(s) - digits; {
	case digits == 0:
		return false
	case letters == 0, hex == 0 && digits > others && isDigit(s[0]) && letters == others:
		return true
	case others == 0:
		return len(s) >= longHex && digits >= 2
	}
	return len(s) >= longAny && digits >= 4
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
