package pcre_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/pcre"
)

// TestFind has on its left what Go's regexp can say, and what it cannot below. A
// nil is no match.
func TestFind(t *testing.T) {
	for _, row := range []struct {
		pattern, text string
		want          []string
	}{
		{`/v(\d+)`, "/x/v12", []string{"/v12", "12"}},
		{`(?<a>x)(y)(?<b>z)?`, "xy", []string{"xy", "x", "y", ""}},
		{`\w+`, "é", nil}, // bytes, not letters
		{`^..$`, "é", []string{"é"}},
		{`é(.)`, "aéb", []string{"éb", "b"}},

		{`/(?!admin)\w+`, "/admin", nil},
		{`/(?!admin)\w+`, "/adm", []string{"/adm"}},
		{`(\w)\1`, "abccd", []string{"cc", "c"}},
		{`(?<=/)x`, "/x", []string{"x"}},
		{`(?>a+)ab`, "aab", nil},
		{`a++b`, "aab", []string{"aab"}},
		{`(?=.)(?<a>x)(y)(?<b>z)?`, "xy", []string{"xy", "x", "y", ""}}, // groups by their place
		{`(?!b)\w+é(.)`, "aéb", []string{"aéb", "b"}},
		{`(?!b).é(.)`, "a\xc3é\xff", []string{"\xc3é\xff", "\xff"}},
		{`(?=(a+))\1+(x+x+)+y`, "aaaaaaaaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", nil}, // gives up
	} {
		re, err := pcre.Compile(row.pattern)
		require.NoError(t, err, row.pattern)
		assert.Equal(t, row.want, re.FindStringSubmatch(row.text), "%s on %q", row.pattern, row.text)
	}
}

func TestNames(t *testing.T) {
	for pattern, want := range map[string][]string{
		`(?<a>x)(y)(?<b>z)`:      {"", "a", "", "b"},
		`(?=.)(?<a>x)(y)(?<b>z)`: {"", "a", "", "b"},
	} {
		re, err := pcre.Compile(pattern)
		require.NoError(t, err)
		assert.Equal(t, want, re.SubexpNames(), pattern)
	}
}

func TestAnchored(t *testing.T) {
	for pattern, want := range map[string]bool{
		`/a`: true, `/b`: false, `/b|/a`: true, `(?!/b)/`: true, `(?<=/)a`: false,
	} {
		re, err := pcre.CompileAnchored(pattern)
		require.NoError(t, err)
		assert.Equal(t, want, re.MatchString("/a/b"), pattern)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, pattern := range []string{`(`, `a)(b`, `(?<=a`, `[`, `(?R)`} {
		_, err := pcre.CompileAnchored(pattern)
		assert.Error(t, err, pattern)
	}
}
