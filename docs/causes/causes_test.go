package causes

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every page is in the table, and every row has its page.
func TestAll(t *testing.T) {
	files, err := fs.Glob(pages, "*.md")
	require.NoError(t, err)
	names := Names()
	assert.Len(t, names, len(files)-1, "README.md is none")
	for _, name := range names {
		page, err := Page(name)
		require.NoError(t, err, name)
		assert.Regexp(t, "^# "+name+"\n", page)
	}
	_, err = Page("README")
	assert.EqualError(t, err, `no cause is called "README"`)
}
