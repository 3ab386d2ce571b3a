package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// console is a command on a page with its screen, and yamlBlock a part of a
// configuration.
var (
	console   = regexp.MustCompile("(?m)^```console\n\\$ (.*)\n((?:.*\n)*?)```$")
	yamlBlock = regexp.MustCompile("(?m)^```yaml\n((?:.*\n)*?)```$")
)

// The screens and configurations of a page in how-to are those of its script in
// cmd/diag405/testdata/howto, which compares them with what the command prints.
func TestHowTo(t *testing.T) {
	pages, err := filepath.Glob("how-to/*.md")
	require.NoError(t, err)
	scripts, err := filepath.Glob(filepath.Join(root, "cmd/diag405/testdata/howto/*.txtar"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(pages), 5)
	assert.Len(t, scripts, len(pages), "each page has a script, and each script a page")
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		archive, err := txtar.ParseFile(filepath.Join(root, "cmd/diag405/testdata/howto", name+".txtar"))
		require.NoError(t, err)
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		want := withScreens(t, string(text), screens(archive))
		if *update && want != string(text) {
			require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
			text = []byte(want)
		}
		assert.Equal(t, want, string(text), "%s: go test ./docs -update writes its screens anew", page)
		checkConfigurations(t, page, string(text), archive)
	}
}

// withScreens is a page with the screens that its commands have.
func withScreens(t *testing.T, text string, screens map[string]string) string {
	t.Helper()
	assert.GreaterOrEqual(t, len(console.FindAllString(text, -1)), 4, "screens on a page")
	return console.ReplaceAllStringFunc(text, func(block string) string {
		command := console.FindStringSubmatch(block)[1]
		screen, ok := screens[command]
		assert.True(t, ok, "the script of the page does not compare the screen of %q", command)
		return "```console\n$ " + command + "\n" + screen + "```"
	})
}

// comparison is what a script holds a screen against.
var comparison = regexp.MustCompile(`^cmp stdout (\S+)$`)

// screens are what the commands of a script print, by the command as a page has it.
func screens(script *txtar.Archive) map[string]string {
	files := map[string]string{}
	for _, f := range script.Files {
		files[f.Name] = string(f.Data)
	}
	found, command := map[string]string{}, ""
	for line := range strings.Lines(string(script.Comment)) {
		line = strings.TrimSpace(line)
		if m := runs.FindStringSubmatch(line); m != nil {
			command = onPage(m[1])
		} else if m := comparison.FindStringSubmatch(line); m != nil {
			found[command] = files[m[1]]
		}
	}
	return found
}

// checkConfigurations checks that what a page shows of a configuration is in one that its
// script reads.
func checkConfigurations(t *testing.T, page, text string, script *txtar.Archive) {
	t.Helper()
	blocks := yamlBlock.FindAllStringSubmatch(text, -1)
	assert.NotEmpty(t, blocks, page)
	for _, m := range blocks {
		found := false
		for _, f := range script.Files {
			found = found || strings.HasSuffix(f.Name, ".yml") && strings.Contains(string(f.Data), m[1])
		}
		assert.True(t, found, "%s: no configuration of its script has\n%s", page, m[1])
	}
}
