package lua

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// classes are the character classes of Lua patterns (in the C locale), as
// regular expressions have them in brackets; in capitals they mean the others.
var classes = map[byte]string{
	'a': `A-Za-z`, 'd': `0-9`, 'l': `a-z`, 's': `\s\x0b`, 'u': `A-Z`, 'w': `0-9A-Za-z`, 'x': `0-9A-Fa-f`,
	'p': `!-/:-@\[-` + "`" + `{-~`, 'c': `\x00-\x1f\x7f`,
	'A': `^A-Za-z`, 'D': `^0-9`, 'S': `^\s\x0b`, 'W': `^0-9A-Za-z`,
}

// Pattern makes a regular expression of a Lua pattern: single characters,
// classes, sets, anchors and repetitions. Captures of a place, %b and %f have none.
func Pattern(pattern string) (*regexp.Regexp, error) {
	var out strings.Builder
	out.WriteString("(?s)")
	inSet := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '%' && i+1 < len(pattern):
			i++
			if err := writeEscape(&out, pattern[i], inSet); err != nil {
				return nil, fmt.Errorf("in the Lua pattern %q: %w", pattern, err)
			}
		case c == '[' && !inSet:
			inSet = true
			out.WriteByte('[')
			if strings.HasPrefix(pattern[i+1:], "^") {
				out.WriteByte('^')
				i++
			}
		case c == ']' && inSet:
			inSet = false
			out.WriteByte(']')
		case inSet && c == '-':
			out.WriteString(setDash(pattern, i))
		case inSet:
			out.WriteString(`\x` + hex.EncodeToString([]byte{c}))
		case c == '-':
			out.WriteString("*?")
		case c == '^' && i > 0, c == '$' && i < len(pattern)-1, strings.IndexByte(`\{}|`, c) >= 0:
			out.WriteString(regexp.QuoteMeta(string(rune(c))))
		case c == '$':
			out.WriteString(`\z`)
		default:
			out.WriteByte(c)
		}
	}
	return regexp.Compile(out.String())
}

// setDash is a dash in a set: between two characters it makes a range of them.
func setDash(pattern string, i int) string {
	first, last := pattern[i-1] == '[' || pattern[i-1] == '^', strings.HasPrefix(pattern[i+1:], "]")
	if first || last || i >= 2 && pattern[i-2] == '%' || pattern[i+1] == '%' {
		return `\-`
	}
	return "-"
}

// writeEscape writes what % and a character mean.
func writeEscape(out *strings.Builder, c byte, inSet bool) error {
	class, ok := classes[c]
	switch {
	case ok && !inSet:
		out.WriteString("[" + class + "]")
	case ok && class[0] != '^':
		out.WriteString(class)
	case ok, c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return fmt.Errorf("%%%c is not modelled", c)
	default:
		out.WriteString(`\x` + hex.EncodeToString([]byte{c})) // itself, in a set too
	}
	return nil
}
