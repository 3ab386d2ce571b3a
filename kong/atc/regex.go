package atc

import (
	"errors"
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
// ASCII only in Go. What Rust takes, or may take, and Go does not, (?x), set operations
// inside a class ([a-z&&[^b]]) and more, is [ErrNotModelled]. \Q...\E, \C and octal
// numbers exist only in Go and are refused.
func CompileRegex(pattern string) (*regexp.Regexp, error) {
	translated, err := fromRust(pattern, rustClasses)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(translated)
	if err != nil {
		return nil, ofRust(err)
	}
	return re, nil
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
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, ofRust(err)
	}
	return tree, nil
}

// ErrNotModelled is what Kong takes, or may take, and this package cannot read.
var ErrNotModelled = errors.New("is not modelled here")

var (
	rustFlags = regexp.MustCompile(`^\(\?[imsRUux-]+`)
	repeated  = regexp.MustCompile(`^\{(\d+)(?:,(\d*))?\}$`)
)

// ofRust is an error of Go's with whether Rust takes the expression all the same:
// its flags, properties of characters that Go does not know, more than 1,000
// repetitions, and repetitions of repetitions.
func ofRust(err error) error {
	var of *syntax.Error
	if !errors.As(err, &of) {
		return err
	}
	known := false
	switch of.Code {
	case syntax.ErrMissingParen, syntax.ErrInvalidPerlOp:
		known = rustFlags.MatchString(of.Expr)
	case syntax.ErrInvalidCharRange:
		known = strings.HasPrefix(of.Expr, `\p`) || strings.HasPrefix(of.Expr, `\P`)
	case syntax.ErrInvalidRepeatOp:
		known = true
	case syntax.ErrInvalidRepeatSize:
		m := repeated.FindStringSubmatch(of.Expr)
		known = m != nil && (m[2] == "" || len(m[1]) < len(m[2]) || len(m[1]) == len(m[2]) && m[1] <= m[2])
	}
	if known {
		return notModelled(of.Expr)
	}
	return err
}

func notModelled(what string) error { return fmt.Errorf("%s %w", what, ErrNotModelled) }

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
			if err := checkEscape(pattern[i:]); err != nil {
				return "", err
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
		case inClass && setOperation(pattern[i:]) != "":
			return "", notModelled(setOperation(pattern[i:]) + " in a character class")
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

// checkEscape looks at what stands behind a backslash.
func checkEscape(s string) error {
	switch {
	case strings.IndexByte("QC0123456789", s[0]) >= 0:
		return fmt.Errorf(`unrecognized escape sequence \%c`, s[0])
	case strings.IndexByte("<>uU", s[0]) >= 0, strings.HasPrefix(s, "b{start") || strings.HasPrefix(s, "b{end"):
		return notModelled(`\` + s[:1])
	}
	return nil
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

// setOperation is the one that a text begins with, "" for none.
func setOperation(s string) string {
	for _, operation := range []string{"&&", "~~", "--", "["} {
		if strings.HasPrefix(s, operation) {
			return operation
		}
	}
	return ""
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
