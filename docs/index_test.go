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
		if group := groupOf(page, listed); group != "" && group != page {
			assert.Zero(t, listed[page], "%s is in the index, which lists %s", page, group)
			page = group
		}
		assert.Equal(t, 1, listed[page], "how often %s is in the index", page)
		return nil
	}))
	assert.Greater(t, pages, 20)
}

// groupOf is the README.md of the folder that a page is in, or of one above, if it is
// listed.
func groupOf(page string, listed map[string]int) string {
	for dir := path.Dir(page); dir != "."; dir = path.Dir(dir) {
		if group := path.Join(dir, "README.md"); listed[group] > 0 {
			return group
		}
	}
	return ""
}
