package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"diag405/kong/atc"
	"diag405/kong/pcre"
)

// NormalizePath brings a path into the form that Kong matches routes against
// (kong/tools/uri.lua): percent-encoded characters that are not reserved are
// decoded and the triplets that stay get upper-case digits, dot segments are
// resolved, and runs of slashes become one. A path without a query goes in.
func NormalizePath(path string) string {
	path = decodeUnreserved(path)
	if !strings.Contains(path, ".") && !strings.Contains(path, "//") {
		return path
	}
	return removeDotSegments(path)
}

// reserved are the characters of RFC 3986, section 2.2, and the percent sign:
// decoding them could change what the path means.
const reserved = "!*'();:@&=+$,/?%#[]"

func decodeUnreserved(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		c, ok := PercentTriplet(path[i:])
		switch {
		case !ok:
			out.WriteByte(path[i])
			continue
		case strings.IndexByte(reserved, c) >= 0:
			out.WriteString(strings.ToUpper(path[i : i+3]))
		default:
			out.WriteByte(c)
		}
		i += 2
	}
	return out.String()
}

// PercentTriplet is the octet that s starts with in percent-encoding.
func PercentTriplet(s string) (octet byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := unhex(s[1]), unhex(s[2])
	return byte(high<<4 | low), high >= 0 && low >= 0
}

// unhex is the value of a hexadecimal digit, -1 for anything else.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// removeDotSegments is RFC 3986, section 5.2.4, with runs of slashes merged
// first. A ".." above the root is dropped.
func removeDotSegments(path string) string {
	rooted := strings.HasPrefix(path, "/")
	var segments []string
	last := ""
	for segment := range strings.SplitSeq(path, "/") {
		last = segment
		switch segment {
		case "", ".":
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, segment)
		}
	}
	out := strings.Join(segments, "/")
	if rooted {
		out = "/" + out
	}
	endsInSlash := last == "" || last == "." || last == ".."
	if endsInSlash && !strings.HasSuffix(out, "/") && len(segments) > 0 {
		out += "/"
	}
	return out
}

// Segments splits a path at its slashes; empty segments are left out.
func Segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// Overlap is how many segments at the end of a are those at the beginning of b.
func Overlap(a, b []string) int {
	for n := min(len(a), len(b)); n > 0; n-- {
		if slices.Equal(a[len(a)-n:], b[:n]) {
			return n
		}
	}
	return 0
}

// IsRegexPath reports whether a route's path is a regular expression: "~" marks
// one since Kong 3.0.
func IsRegexPath(path string) bool { return strings.HasPrefix(path, "~") }

// CompilePath compiles a route's regular expression, "~" included, as Kong's
// router does: "^" is put in front of the text as it stands (so of "~/a|/b"
// only the first half is anchored), and named groups may be written (?<name>).
// Kong hands the expression to Rust's regex crate, see [atc.CompileRegex].
func CompilePath(path string) (*regexp.Regexp, error) {
	return atc.CompileRegex(pathPattern(path))
}

// ParsePath is CompilePath as far as it can fail, at a fraction of its cost.
func ParsePath(path string) (*syntax.Regexp, error) { return atc.ParseRegex(pathPattern(path)) }

func pathPattern(path string) string {
	return "^" + strings.ReplaceAll(strings.TrimPrefix(path, "~"), "?<", "?P<")
}

// LowerASCII is Lua's string.lower, with which Kong lowers the names and values of
// a route's headers. It goes by bytes.
func LowerASCII(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return 'A' <= c && c <= 'Z' }) < 0 {
		return s
	}
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

// Alternatives are those of a path that is a regular expression which stand in no group,
// without the "~"; one where there is no choice.
func Alternatives(path string) []string {
	path = strings.TrimPrefix(path, "~")
	var parts []string
	depth, start, inClass := 0, 0, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\':
			i++
		case inClass:
			inClass = c != ']'
		case c == '[':
			inClass = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			parts = append(parts, path[start:i])
			start = i + 1
		}
	}
	return append(parts, path[start:])
}

// checkRoutePath says what Kong finds wrong with one of a route's paths
// (router_path in kong/db/schema/typedefs.lua).
func checkRoutePath(path string, flavor Flavor) error {
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "~/") {
		return fmt.Errorf("%q should start with / (plain) or ~/ (regular expression)", path)
	}
	if strings.Contains(path, "//") {
		return fmt.Errorf("%q must not have empty segments", path)
	}
	if IsRegexPath(path) {
		return checkRegexPath(path, flavor)
	}
	if err := checkServicePath(path); errors.Is(err, errPercent) {
		return err
	}
	if normal := NormalizePath(path); normal != path {
		return fmt.Errorf("%q is never matched, as Kong normalises request paths: write %q", path, normal)
	}
	return nil
}

func checkRegexPath(path string, flavor Flavor) error {
	_, err := ParsePath(path)
	if flavor == Traditional {
		_, err = pcre.CompileAnchored(path[1:])
	}
	return regexProblem(path, err)
}

// regexProblem is what is wrong with an expression, nil for nothing.
func regexProblem(written string, err error) error {
	switch {
	case err == nil:
		return nil
	case isNotModelled(err):
		return fmt.Errorf("%q: %w", written, err)
	}
	return fmt.Errorf("%q is not a regular expression of Kong's router: %w", written, err)
}

// checkServicePath says what Kong finds wrong with the path of a service or of
// its url (path in kong/db/schema/typedefs.lua).
func checkServicePath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q should start with /", path)
	}
	if strings.Contains(path, "//") {
		return fmt.Errorf("%q must not have empty segments", path)
	}
	for _, c := range path {
		if !isURLPathRune(c) {
			return fmt.Errorf("%q has a character that RFC 3986 does not allow in a path: %q", path, c)
		}
	}
	return checkPercent(path)
}

func isURLPathRune(c rune) bool {
	switch {
	case c >= utf8.RuneSelf:
		return false
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.ContainsRune(".-_~/%:@!$&'()*+,;=", c)
}

var errPercent = errors.New("has a % without two hexadecimal digits behind it")

func checkPercent(path string) error {
	for i := range len(path) {
		if _, ok := PercentTriplet(path[i:]); path[i] == '%' && !ok {
			return fmt.Errorf("%q %w", path, errPercent)
		}
	}
	return nil
}

// plainCharacters are those that did not make a path an expression before 3.0
// (kong/db/migrations/migrate_path_280_300.lua).
var plainCharacters = regexp.MustCompile(`^[a-zA-Z0-9.\-_~/%]*$`)

// migratePath is a path of a 1.1 or 2.1 document as Kong 3 loads it: normalised,
// or marked as an expression when it has other characters.
func migratePath(path string) string {
	if plainCharacters.MatchString(path) {
		return NormalizePath(path)
	}
	return "~" + decodeRegex(path)
}

// decodeRegex decodes what is percent-encoded in an expression, escaping what
// would gain a meaning by it.
func decodeRegex(pattern string) string {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		c, ok := PercentTriplet(pattern[i:])
		if !ok {
			out.WriteByte(pattern[i])
			continue
		}
		switch {
		case strings.IndexByte("!#$%&'()*+,/:;=?@[]", c) >= 0:
			out.WriteString(strings.ToUpper(pattern[i : i+3]))
		case strings.IndexByte(`.^-{}\|`, c) >= 0:
			out.WriteByte('\\')
			out.WriteByte(c)
		default:
			out.WriteByte(c)
		}
		i += 2
	}
	return out.String()
}
