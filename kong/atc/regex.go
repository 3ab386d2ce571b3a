package atc

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// CompileRegex compiles an expression in the dialect of Rust's regex crate.
//
// Both it and Go's regexp run in linear time, take the leftmost match with Perl's
// preferences, and know no look-around and no back-references. What differs: \d,
// \w and \s are Unicode classes in Rust, which is translated here; \b looks at
// ASCII only in Go; (?x) and set operations inside a class ([a-z&&[^b]]) exist
// only in Rust and are refused; \Q...\E and \C exist only in Go and are refused
// too.
func CompileRegex(pattern string) (*regexp.Regexp, error) {
	translated, err := fromRust(pattern, rustClasses)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(translated)
}

// ParseRegex is CompileRegex as far as it can fail: what it reads can be compiled. In
// the tree \d, \w and \s are ASCII's: the tables of Unicode take longer to read than
// all the rest.
func ParseRegex(pattern string) (*syntax.Regexp, error) {
	classes := shortClasses
	if len(pattern) > maxShort {
		classes = rustClasses
	}
	translated, err := fromRust(pattern, classes)
	if err != nil {
		return nil, err
	}
	return syntax.Parse(translated, syntax.Perl)
}

// rustClasses are Rust's Unicode meanings of the Perl classes, in Go's words,
// for use inside brackets.
var rustClasses = map[byte]string{
	'd': `\p{Nd}`,
	'w': `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}`,
	's': `\t-\r \x{85}\p{Z}`,
}

// maxShort keeps an expression far from the number of characters in classes that Go
// takes for too many.
const maxShort = 4096

// shortClasses end as those of Rust do, which decides what may stand behind them.
var shortClasses = map[byte]string{'d': `\d`, 'w': `\w\x{200d}`, 's': `\s`}

// fromRust rewrites what Go reads differently.
func fromRust(pattern string, classes map[byte]string) (string, error) {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			if strings.IndexByte("QC", pattern[i]) >= 0 {
				return "", fmt.Errorf(`unrecognized escape sequence \%c`, pattern[i])
			}
			out.WriteString(rustEscape(pattern[i], inClass, classes))
			continue
		case c == '[' && !inClass:
			inClass = true
			n := classStart(pattern[i:])
			out.WriteString(pattern[i : i+n])
			i += n - 1
			continue
		case c == ']':
			inClass = false
		case inClass && strings.HasPrefix(pattern[i:], "[:"):
			n := max(1, strings.Index(pattern[i:], ":]")+2)
			out.WriteString(pattern[i : i+n])
			i += n - 1
			continue
		case inClass && isSetOperation(pattern[i:]):
			return "", fmt.Errorf("set operation in a character class is not supported here: %q", pattern)
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

// classStart is the length of a class's opening: "[", "[^", and a "]" right
// behind it that stands for itself.
func classStart(s string) int {
	n := 1
	if strings.HasPrefix(s[n:], "^") {
		n++
	}
	if strings.HasPrefix(s[n:], "]") {
		n++
	}
	return n
}

func isSetOperation(s string) bool {
	return strings.HasPrefix(s, "&&") || strings.HasPrefix(s, "~~") || strings.HasPrefix(s, "--") ||
		strings.HasPrefix(s, "[")
}

func rustEscape(c byte, inClass bool, classes map[byte]string) string {
	if set, ok := classes[c]; ok {
		if inClass {
			return set
		}
		return "[" + set + "]"
	}
	if set, ok := classes[c|0x20]; ok && !inClass {
		return "[^" + set + "]"
	}
	return string([]byte{'\\', c})
}
