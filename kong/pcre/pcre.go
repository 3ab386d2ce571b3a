// Package pcre compiles regular expressions as Kong's traditional router reads
// them: PCRE's, byte by byte, as OpenResty's ngx.re calls it without its option u.
//
// What Go's regexp can say runs there, in linear time. Look-around,
// back-references, atomic groups and possessive quantifiers run on a backtracking
// engine, which gives up after a moment, as Kong does at PCRE's match limit; such
// a one then matches nothing. Verbs, recursion, conditions, \K, \h and their like are
// [ErrNotModelled]; "$" in front of a line break that ends the text is not here either.
package pcre

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// timeout is far beyond what a path of some kilobytes needs.
const timeout = 100 * time.Millisecond

// Regexp is a compiled expression. It may be used by many goroutines. One that Go can
// say is compiled when it is first asked: of many, most are never.
type Regexp struct {
	source       string                // of what is linear
	linear       func() *regexp.Regexp // nil for an expression that needs
	backtracking *regexp2.Regexp       // this
	names        []string
}

// ErrNotModelled is what PCRE takes and this package does not.
var ErrNotModelled = errors.New("is not modelled here")

// tokens are escapes, and what begins with a parenthesis that neither engine knows.
var tokens = regexp.MustCompile(`(?s)\\.|\(\*[A-Z]|\(\?(?:R|[+-]?\d|&|P>|\(|\||J)`)

// notModelled is the first thing in an expression that is not modelled, "" for nothing:
// verbs, recursion, conditions, and escapes that the engines take for letters.
func notModelled(pattern string) string {
	for _, token := range tokens.FindAllString(pattern, -1) {
		if token[0] != '\\' || strings.IndexByte("KRXNoghHvV", token[1]) >= 0 {
			return token
		}
	}
	return ""
}

// Compile reads an expression that may match anywhere.
func Compile(pattern string) (*Regexp, error) {
	if what := notModelled(pattern); what != "" {
		return nil, fmt.Errorf("%s %w", what, ErrNotModelled)
	}
	pattern = latin1(pattern)
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err == nil {
		compile := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
		return &Regexp{source: pattern, linear: compile, names: tree.CapNames()}, nil
	}
	re, full := regexp2.Compile(pattern, regexp2.RE2, regexp2.OptionMaintainCaptureOrder())
	if full != nil {
		return nil, err // Go's words, as for every other expression
	}
	re.MatchTimeout = timeout
	return &Regexp{backtracking: re, names: subexpNames(re)}, nil
}

// CompileAnchored reads an expression that has to match at the start of the text:
// PCRE2_ANCHORED, ngx.re's option a.
func CompileAnchored(pattern string) (*Regexp, error) {
	if _, err := Compile(pattern); err != nil { // "a)(b" is one only between the parentheses below
		return nil, err
	}
	return Compile("^(?:" + pattern + ")")
}

// subexpNames are the groups' names by number, "" for a group without one.
func subexpNames(re *regexp2.Regexp) []string {
	names := make([]string, len(re.GetGroupNumbers()))
	for _, name := range re.GetGroupNames() {
		n := re.GroupNumberFromName(name)
		if isNumber := strings.Trim(name, "0123456789") == ""; !isNumber && n < len(names) {
			names[n] = name
		}
	}
	return names
}

// String is the expression in the syntax of Go's regexp, which goes by a text that has
// a character for each byte; "" for one that needs the backtracking engine.
func (re *Regexp) String() string { return re.source }

// SubexpNames are the groups' names by number, "" for a group without one. The
// first is the whole match.
func (re *Regexp) SubexpNames() []string { return re.names }

// MatchString reports whether the text matches.
func (re *Regexp) MatchString(s string) bool { return re.FindStringSubmatch(s) != nil }

// FindStringSubmatch is the whole match and then the groups, "" for one that took
// no part; nil when nothing matches.
func (re *Regexp) FindStringSubmatch(s string) []string {
	at := re.FindStringSubmatchIndex(s)
	if at == nil {
		return nil
	}
	groups := make([]string, len(at)/2)
	for i := range groups {
		if at[2*i] >= 0 {
			groups[i] = s[at[2*i]:at[2*i+1]]
		}
	}
	return groups
}

// FindStringSubmatchIndex is where the match and its groups stand, as pairs of
// bytes, -1 for a group that took no part; nil when nothing matches.
func (re *Regexp) FindStringSubmatchIndex(s string) []int {
	text := latin1(s)
	if re.linear != nil {
		at := re.linear().FindStringSubmatchIndex(text)
		if len(text) != len(s) {
			for i, offset := range at {
				at[i] = runesIn(text, offset)
			}
		}
		return at
	}
	m, err := re.backtracking.FindStringMatch(text)
	if err != nil || m == nil {
		return nil
	}
	var at []int
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			at = append(at, -1, -1)
			continue
		}
		at = append(at, g.RuneIndex, g.RuneIndex+g.RuneLength)
	}
	return at
}

// latin1 makes a character of each byte: both engines go by characters.
func latin1(s string) string {
	if isASCII(s) {
		return s
	}
	out := make([]rune, len(s))
	for i := range len(s) {
		out[i] = rune(s[i])
	}
	return string(out)
}

// runesIn is the offset in characters of an offset in bytes.
func runesIn(text string, offset int) int {
	if offset < 0 {
		return offset
	}
	return utf8.RuneCountInString(text[:offset])
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
