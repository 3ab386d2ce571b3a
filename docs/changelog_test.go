package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin"
)

// Headings and links of CHANGELOG.md, as keepachangelog.com has them.
var (
	versionHeading = regexp.MustCompile(`^## \[(?:(Unreleased)|(\d+)\.(\d+)\.(\d+))\](?: - (\S+))?$`)
	versionLink    = regexp.MustCompile(`^\[([^\]]+)\]: (\S+)$`)
	kindsOfChange  = []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
)

// changelog is what is read of CHANGELOG.md.
type changelog struct {
	names    []string // Unreleased, then versions, as they come
	released []release
	links    map[string]string
}

type release struct {
	number [3]int
	date   time.Time
}

// What is new stands in the form that releases are cut from.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	require.NoError(t, err)
	c := readChangelog(t, string(text))
	require.GreaterOrEqual(t, len(c.names), 2)
	assert.Equal(t, "Unreleased", c.names[0])
	assert.Contains(t, c.names, plugin.Version, "the version that Kong is told")
	for i, r := range c.released[1:] {
		assert.Positive(t, slices.Compare(c.released[i].number[:], r.number[:]), "versions descend")
		assert.False(t, c.released[i].date.Before(r.date), "dates descend")
	}
	for i, name := range c.names {
		from := "../../releases/tag/v" + name
		if name == "Unreleased" {
			from = "../../compare/v" + c.names[1] + "...HEAD"
		} else if i+1 < len(c.names) {
			from = "../../compare/v" + c.names[i+1] + "...v" + name
		}
		assert.Equal(t, from, c.links[name], name)
	}
	assert.Len(t, c.links, len(c.names))
}

// readChangelog reads the lines one by one, and says which has not the form.
func readChangelog(t *testing.T, text string) changelog {
	t.Helper()
	c := changelog{links: map[string]string{}}
	kind := -1
	n := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		n++
		assert.LessOrEqual(t, len([]rune(line)), 165, "line %d is long", n)
		switch {
		case strings.HasPrefix(line, "## "):
			c.version(t, line)
			kind = -1
		case strings.HasPrefix(line, "### "):
			next := slices.Index(kindsOfChange, line[len("### "):])
			assert.Greater(t, next, kind, "line %d: %q is none of %v, or they are in another order", n, line, kindsOfChange)
			kind = next
		case strings.HasPrefix(line, "- "):
			assert.GreaterOrEqual(t, kind, 0, "line %d stands under no kind of change", n)
		case line != "" && !strings.HasPrefix(line, "  ") && len(c.names) > 0:
			m := versionLink.FindStringSubmatch(line)
			require.NotNil(t, m, "line %d is neither a change nor a link: %s", n, line)
			c.links[m[1]] = m[2]
		}
	}
	return c
}

func (c *changelog) version(t *testing.T, line string) {
	t.Helper()
	m := versionHeading.FindStringSubmatch(line)
	require.NotNil(t, m, "%q is no heading of a version", line)
	if m[1] != "" {
		assert.Empty(t, m[5], "what is not released has no date")
		c.names = append(c.names, m[1])
		return
	}
	date, err := time.Parse(time.DateOnly, m[5])
	require.NoError(t, err, line)
	r := release{date: date}
	for i := range r.number {
		r.number[i], err = strconv.Atoi(m[2+i])
		require.NoError(t, err)
	}
	c.names, c.released = append(c.names, strings.Join(m[2:5], ".")), append(c.released, r)
}
