package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/lint"
)

// Every page of a cause is in the table, and every row has its page.
func TestCauses(t *testing.T) {
	for _, language := range Languages() {
		files, err := fs.Glob(pages, folder(language)+"*.md")
		require.NoError(t, err)
		assert.Len(t, Causes(language), len(files)-1, "%s: README.md is none", language)
		for _, c := range Causes(language) {
			page, path, err := Page(language, c.Name)
			require.NoError(t, err, c.Name)
			assert.Regexp(t, "^# "+c.Name+"\n", page)
			assert.NotContains(t, page, "<!--", c.Name)
			assert.FileExists(t, path)
		}
	}
	_, _, err := Page(English, "README")
	assert.EqualError(t, err, `no cause is called "README"`)
}

// Every finding of lint has its part of the page, and no more than that.
func TestFindings(t *testing.T) {
	for _, rule := range lint.Rules() {
		page, _, err := Page(Chinese, Finding+rule.ID)
		require.NoError(t, err, rule.ID)
		assert.Regexp(t, `^# `+rule.ID+`\n\*\*(error|warning|info)\*\*`, page)
		assert.NotContains(t, page[1:], "\n#", rule.ID)
	}
	_, _, err := Page(English, "lint/lint")
	assert.EqualError(t, err, `no finding of lint is called "lint"`)
}

// What goes into the binary is not kept from the build of an image (.dockerignore; the
// last pattern that fits counts, and one fits all that is below).
func TestPagesAreInTheImage(t *testing.T) {
	patterns, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	files := []string{"docs/pages.go"}
	require.NoError(t, fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			files = append(files, "docs/"+name)
		}
		return err
	}))
	for _, file := range files {
		ignored := false
		for line := range strings.Lines(string(patterns)) {
			pattern, isKept := strings.CutPrefix(strings.TrimSpace(line), "!")
			for at := file; at != "."; at = filepath.Dir(at) {
				if fits, err := filepath.Match(pattern, at); assert.NoError(t, err) && fits {
					ignored = !isKept
				}
			}
		}
		assert.False(t, ignored, "%s is in the binary, and .dockerignore leaves it out", file)
	}
}
