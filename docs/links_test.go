package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// link is a link or a picture in Markdown, or the source of a picture.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`)

// What documents link to within the project is there.
func TestLinks(t *testing.T) {
	links := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != root {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to, err := url.Parse(m[1] + m[2])
			if assert.NoError(t, err, path) && !to.IsAbs() {
				links++
				checkLink(t, path, to)
			}
		}
		return nil
	}))
	assert.Greater(t, links, 100, "links within the project")
}

func checkLink(t *testing.T, from string, to *url.URL) {
	t.Helper()
	target := from
	if to.Path != "" {
		target = filepath.Join(filepath.Dir(from), filepath.FromSlash(to.Path))
	}
	if _, err := os.Stat(target); !assert.NoError(t, err, "%s links to %s", from, to) || to.Fragment == "" {
		return
	}
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	var anchors []string
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			anchors = append(anchors, anchor(heading))
		}
	}
	assert.Contains(t, anchors, to.Fragment, "%s links to %s", from, to)
}

// anchor is what a heading is linked to by.
func anchor(heading string) string {
	kept := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case strings.ContainsRune(".,:;'`()/?!", r):
			return -1
		}
		return r
	}
	return strings.Map(kept, strings.ToLower(strings.TrimSpace(heading)))
}
