package atc

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lower is Rust's str::to_lowercase, with which atc-router lowers a field. It
// differs from Go's in two letters: "İ" becomes "i" with a dot above, and "Σ" at
// the end of a word becomes "ς".
func Lower(s string) string {
	if !strings.Contains(s, "İ") && !strings.Contains(s, "Σ") {
		return strings.ToLower(s)
	}
	var out strings.Builder
	for i, r := range s {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && isFinal(s, i):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// isFinal is the condition Final_Sigma of Unicode's SpecialCasing.txt: a cased
// letter stands before the one at i and none behind it, with others between that
// do not count.
func isFinal(s string, i int) bool {
	before, after := s[:i], s[i+len("Σ"):]
	for before != "" {
		r, n := utf8.DecodeLastRuneInString(before)
		if before = before[:len(before)-n]; isIgnored(r) {
			continue
		}
		if !isCased(r) {
			return false
		}
		return !strings.ContainsFunc(firstCounted(after), isCased)
	}
	return false
}

// firstCounted is the first character that counts, "" when there is none.
func firstCounted(s string) string {
	for _, r := range s {
		if !isIgnored(r) {
			return string(r)
		}
	}
	return ""
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// isIgnored is Unicode's property Case_Ignorable: marks, modifiers, format
// characters, and the punctuation that may stand inside a word.
func isIgnored(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·՟״‘’․‧︓﹒﹕＇．：", r)
}
