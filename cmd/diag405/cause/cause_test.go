package cause

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/docs"
)

// No page keeps a link that a terminal cannot follow.
func TestPages(t *testing.T) {
	also := regexp.MustCompile(`(?m)^    diag405 cause [a-z-]+$`)
	links := 0
	for _, name := range docs.CauseNames() {
		page, err := page(name)
		require.NoError(t, err, name)
		assert.NotRegexp(t, `\]\(\S`, page, name)
		links += len(also.FindAllString(page, -1))
	}
	assert.Greater(t, links, len(docs.CauseNames()), "links in all pages")
}
