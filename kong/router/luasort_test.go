package router

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLuaSort has what a LuaJIT's table.sort made of letters when it was told that
// an upper-case one is less than a lower-case one and all others are equal.
func TestLuaSort(t *testing.T) {
	isUpper := func(c rune) bool { return c < 'a' }
	for in, want := range map[string]string{
		"":                           "",
		"a":                          "a",
		"ab":                         "ab",
		"aB":                         "Ba",
		"abc":                        "abc",
		"abC":                        "Cba",
		"aBc":                        "Bac",
		"abcd":                       "acbd",
		"abcde":                      "adcbe",
		"abcdef":                     "adecbf",
		"abcdefgh":                   "aefgdbch",
		"abCdEfgHij":                 "EHCgfadibj",
		"abcdefghijklmnop":           "akjilnmohfbgcedp",
		"AbCdEfGhIjKlMnOpQrStUvWxYz": "AOYKQUSWIMGEChtvxbdrpljnfz",
	} {
		got := []rune(in)
		luaSort(got, func(x, y rune) bool { return isUpper(x) && !isUpper(y) })
		assert.Equal(t, want, string(got), in)
	}
	numbers := rand.New(rand.NewPCG(1, 2)).Perm(1000)
	luaSort(numbers, func(x, y int) bool { return x < y })
	assert.True(t, slices.IsSorted(numbers))
}

// TestLuaNumber has what a LuaJIT's tonumber made of the same texts.
func TestLuaNumber(t *testing.T) {
	for in, want := range map[string]float64{
		"80": 80, "0x51": 81, "8e3": 8000, "81.0": 81, " 81 ": 81, "081": 81, "+81": 81, "-81": -81, "0b101": 5,
		"0x1p4": 16, "0x.8": 0.5, ".5": 0.5, "5.": 5, "0x1.8p1": 3, "0X1F": 31, "1E2": 100, "\t80\n": 80,
	} {
		got, ok := luaNumber(in)
		assert.True(t, ok, in)
		assert.Equal(t, want, got, in)
	}
	for _, in := range []string{"inf", "-inf", "nan", "INF", "Infinity", "1e400"} {
		_, ok := luaNumber(in)
		assert.True(t, ok, in)
	}
	for _, in := range []string{"", "x", "0x", "0b", "0b12", "1_0", "0x1_0", "1 0", "80LL", "80i", "5e", "- 5", "+-5", "--5"} {
		_, ok := luaNumber(in)
		assert.False(t, ok, in)
	}
}
