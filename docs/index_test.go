package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The index lists each page once: by itself, or as one of a folder whose README.md it
// lists.
func TestIndex(t *testing.T) {
	const index = "index.md"
	text, err := os.ReadFile(index)
	require.NoError(t, err)
	listed := map[string]int{}
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		listed[path.Clean(m[1])]++
	}
	pages := 0
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".md" || file == index {
			return err
		}
		pages++
		page := filepath.ToSlash(file)
		group := path.Join(path.Dir(page), "README.md")
		times := listed[page]
		if group != page && listed[group] > 0 && path.Dir(page) != "." {
			assert.Zero(t, times, "%s is in the index, which lists %s", page, group)
			times = listed[group]
		}
		assert.Equal(t, 1, times, "how often %s is in the index", page)
		return nil
	}))
	assert.Greater(t, pages, 20)
}
