package diff

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func TestClasses(t *testing.T) {
	tests := []struct {
		paths string
		want  []string // the paths that a class takes, and its first words
	}{
		{"/api", []string{": / /zz9 /a", "/api: /api /api/ /api/zz9 /apizz9"}},
		{`/api ~/api/v\d+$ /api/v1`, []string{`~/api/v\d+$: none`}},
		{`~/a$`, []string{"~/a$: /a", ": / /zz9 /z"}},
		{`~/a|/b`, []string{"~/a|/b: /a /a/ /a/zz9 /azz9"}},
		{`/.well-known /..x`, []string{"/.well-known: /.well-known /.well-known/ /.well-known/zz9 /.well-knownzz9", "/..x: /..x /..x/ /..x/zz9 /..xzz9"}},
		{`~/(?i:AB)c`, []string{"~/(?i:AB)c: /abc /abc/ /abc/zz9 /abczz9"}},
	}
	for _, tt := range tests {
		paths := strings.Fields(tt.paths)
		got := describe(t, paths)
		for _, want := range tt.want {
			if name, ok := strings.CutSuffix(want, ": none"); ok {
				assert.False(t, slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, name+":") }), "%s: %s", tt.paths, got)
				continue
			}
			assert.True(t, slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }), "%s: %q lacks %s", tt.paths, got, want)
		}
	}
	// What an expression and a longer plain path share, and each alone.
	got := describe(t, []string{"/api", `~/api/v\d+$`, "/api/v1"})
	require.Len(t, got, 5)
	for i, taken := range []string{"", "/api", `/api ~/api/v\d+$`, `/api ~/api/v\d+$ /api/v1`, `/api /api/v1`} {
		assert.True(t, slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, taken+":") }), "%d: %s", i, got)
	}
}

// describe are classes as text.
func describe(t *testing.T, paths []string) []string {
	t.Helper()
	var langs []lang
	for _, p := range paths {
		l, ok := pathLang(p, config.TraditionalCompatible)
		require.True(t, ok, p)
		langs = append(langs, l)
	}
	classes, whole := classesOf(langs)
	assert.True(t, whole)
	var out []string
	for _, c := range classes {
		var taken []string
		for _, i := range c.taken {
			taken = append(taken, paths[i])
		}
		out = append(out, strings.Join(taken, " ")+": "+strings.Join(c.words, " "))
		for _, w := range c.words {
			for i, p := range paths {
				assert.Equal(t, slices.Contains(c.taken, i), takes(p, w), "%s takes %s", p, w)
			}
		}
	}
	return out
}

func takes(path, word string) bool {
	if config.IsRegexPath(path) {
		re, err := config.CompilePath(path)
		return err == nil && re.MatchString(word)
	}
	return strings.HasPrefix(word, path)
}

// No class is missed: every path, up to a length, is in one of those found.
func TestClassesAreAll(t *testing.T) {
	for _, paths := range [][]string{
		{"/", "/a", "/a/", "/a/b", `~/a/[^/]+$`},
		{`~/a/\d+$`, `~/a/[0-5]`, "/a/1", `~/(a|b)/`},
		{`~/[ab]+$`, `~/a.b`, `~/.*b$`, "/ab"},
		{`~/a|b/1`, "/b", `~/(?:a/)*1`},
	} {
		var langs []lang
		for _, p := range paths {
			l, ok := pathLang(p, config.TraditionalCompatible)
			require.True(t, ok)
			langs = append(langs, l)
		}
		classes, whole := classesOf(langs)
		require.True(t, whole)
		found := map[string]bool{}
		for _, c := range classes {
			found[keyOf(c.taken)] = true
		}
		for word := range words("ab16/", 6) {
			var taken []int
			for i, p := range paths {
				if takes(p, word) {
					taken = append(taken, i)
				}
			}
			assert.True(t, found[keyOf(taken)], "%s: %s", paths, word)
		}
	}
}

// words are all normalised paths of some characters.
func words(characters string, length int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		level := []string{"/"}
		for range length {
			var next []string
			for _, w := range level {
				if !yield(w) {
					return
				}
				for i := range len(characters) {
					if mayFollow(w, characters[i]) {
						next = append(next, w+characters[i:i+1])
					}
				}
			}
			level = next
		}
	}
}
