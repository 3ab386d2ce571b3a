package docs

import (
	"flag"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "draw architecture-light.svg and architecture-dark.svg anew, and write the screens in how-to")

const (
	root   = ".."
	module = "diag405/"
)

// part is a package with all below it that is no part itself.
type part struct {
	name string
	uses []string // the parts that it imports, each further down in parts
}

// parts, from the top down: what stands further down knows nothing of what stands
// above. This is the direction of the whole project.
var parts = []part{
	{"examples", []string{"plugin/logread", "plugin/diagnose", "kong/gateway", "kong/router", "kong/config"}},
	{"cmd/diag405", []string{"plugin", "plugin/server", "plugin/logread", "plugin/openapi", "plugin/probe", "plugin/record", "plugin/report", "plugin/diagnose",
		"kong/lint", "kong/gateway", "kong/adminapi", "kong/forecast", "kong/router", "kong/config", "kong", "docs", "kong/diff", "kong/mend", "plugin/metrics", "kong/picture"}},
	{"plugin", []string{"plugin/server", "plugin/background", "plugin/openapi", "plugin/probe", "plugin/record", "plugin/report", "plugin/diagnose", "kong/forecast", "kong/router", "kong/config"}},
	{"plugin/metrics", []string{"plugin/diagnose"}},
	{"plugin/server", nil},
	{"plugin/logread", []string{"plugin/report", "kong/errorlog", "plugin/record", "plugin/diagnose", "kong/forecast", "kong/router", "kong/config", "kong/picture"}},
	{"plugin/openapi", []string{"plugin/background", "plugin/diagnose"}},
	{"plugin/probe", []string{"plugin/diagnose", "kong/forecast"}},
	{"plugin/record", []string{"plugin/diagnose", "kong/forecast", "kong/router", "kong/config"}},
	{"plugin/report", []string{"plugin/diagnose", "kong/config"}},
	{"plugin/diagnose", []string{"kong/forecast", "kong/router", "kong/config"}},
	{"plugin/background", nil},
	{"kong/mend", []string{"kong/lint", "kong/diff", "kong/router", "kong/config"}},
	{"kong/lint", []string{"kong/sample", "kong/forecast", "kong/router", "kong/config", "kong/atc"}},
	{"kong/diff", []string{"kong/sample", "kong/forecast", "kong/router", "kong/config", "kong/atc", "kong/pcre"}},
	{"kong/gateway", []string{"kong/forecast", "kong/bundled", "kong/router", "kong/config", "kong/wire"}},
	{"kong/adminapi", []string{"kong/config"}},
	{"kong/picture", []string{"kong/forecast", "kong/router"}},
	{"kong/sample", []string{"kong/config", "kong/atc"}},
	{"kong/forecast", []string{"kong/bundled", "kong/router", "kong/config", "kong/wire"}},
	{"kong/bundled", []string{"kong/router", "kong/wire"}},
	{"kong/router", []string{"kong/config", "kong/atc", "kong/pcre", "kong/cores"}},
	{"kong/config", []string{"kong/atc", "kong/pcre", "kong/cores"}},
	{"kong/atc", nil},
	{"kong/pcre", nil},
	{"kong/cores", nil},
	{"kong/wire", nil},
	{"kong/errorlog", nil},
	{"kong/measured", nil}, // rows for the tests
	{"kong", nil},          // the founding configuration
	{"docs", nil},          // the pages that the binary shows
}

// Every arrow between packages runs down.
func TestImportsRunDown(t *testing.T) {
	at := map[string]int{}
	for i, p := range parts {
		at[p.name] = i
	}
	for i, p := range parts {
		for _, used := range p.uses {
			require.Contains(t, at, used, "%s uses it", p.name)
			assert.Greater(t, at[used], i, "%s may not use %s, which stands above it", p.name, used)
		}
	}
	found := imports(t)
	for _, p := range parts {
		assert.ElementsMatch(t, p.uses, found[p.name], "what %s imports, against the table of arrows", p.name)
		delete(found, p.name)
	}
	assert.Empty(t, found, "a package that is no part")
}

// imports are the parts that each part imports, tests apart.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		from := partOf(filepath.ToSlash(dir))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			name, ours := strings.CutPrefix(imported, module)
			if to := partOf(name); ours && to != from && !slices.Contains(found[from], to) {
				found[from] = append(found[from], to)
			}
		}
		return nil
	}))
	return found
}

// partOf is the part that a package belongs to, the package itself where it belongs to
// none.
func partOf(name string) string {
	best := ""
	for _, p := range parts {
		if (name == p.name || strings.HasPrefix(name, p.name+"/")) && len(p.name) > len(best) {
			best = p.name
		}
	}
	if best == "" || best == "kong" && name != "kong" {
		return name // what is below kong has a part of its own
	}
	return best
}

// drawn are the arrows of a picture: those that do not follow from others.
func drawn(names []string) map[string][]string {
	uses := map[string][]string{}
	for _, p := range parts {
		uses[p.name] = p.uses
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(uses[from], func(next string) bool { return next == to || reaches(next, to) })
	}
	arrows := map[string][]string{}
	for _, from := range names {
		for _, to := range uses[from] {
			detour := func(next string) bool { return reaches(next, to) }
			if slices.Contains(names, to) && !slices.ContainsFunc(uses[from], detour) {
				arrows[from] = append(arrows[from], to)
			}
		}
	}
	return arrows
}

// The picture shows the packages as they are.
func TestPicture(t *testing.T) {
	for name, c := range map[string]colours{"architecture-light.svg": light, "architecture-dark.svg": dark} {
		want := draw(c)
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
			continue
		}
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, want, string(got), "go test ./docs -update draws %s anew", name)
	}
}
