package lint

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/mend"
)

// What bounds the time that one input takes.
const (
	maxSeed   = 2 << 10 // bytes
	maxRoutes = 12
)

// lineBreak is what YAML 1.1 ends lines with.
var lineBreak = regexp.MustCompile("[\n\r\u0085\u2028\u2029]")

// Whatever can be read as a configuration is linted and mended.
func FuzzLint(f *testing.F) {
	f.Add(kong.Founding)
	scripts, err := filepath.Glob("../testdata/*/*.txtar")
	require.NoError(f, err)
	for _, name := range scripts {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, file := range txtar.Parse(data).Files {
			if bytes.Contains(file.Data, []byte("routes")) && len(file.Data) < maxSeed {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(checkLint)
}

// Whatever a path is, lint and mending it come to an end.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"/items(/|$)(.*)", "/orders/[0-9]+/pay", "/users/:id(\\d+)/*", "/f/{rest:path}", "/a|/b", "/~/x/?$", "~/x/*", "/x/*/y", "/api/send", "~/a(?<b>[^/]+)$|c",
	} {
		f.Add(path, "", byte(0))
		f.Add(path, "/base/", byte(0xff))
	}
	f.Fuzz(func(t *testing.T, path, base string, flags byte) {
		methods := map[byte][]string{0: nil, 1: {"POST"}, 2: {"GET", "PUT"}, 3: {"GET", "POST", "PUT", "DELETE"}}[flags>>6]
		route := map[string]any{"name": "r", "paths": []string{path}, "strip_path": flags&1 == 0, "methods": methods}
		service := map[string]any{"name": "s", "host": "u", "path": base, "routes": []any{route}}
		if base == "" {
			delete(service, "path")
		}
		text, err := json.Marshal(map[string]any{"_format_version": "3.0", "services": []any{service}})
		require.NoError(t, err)
		checkLint(t, text)
	})
}

// checkLint: each finding has its line, and what was mended stays as it is.
func checkLint(t *testing.T, text []byte) {
	files := []config.File{{Name: "kong.yml", Data: text}}
	cfg, err := config.Load(files)
	if err != nil || len(cfg.Routes) > maxRoutes || len(text) > 2*maxSeed {
		t.Skip()
	}
	places := Places(cfg)
	for _, found := range lint.Lint(cfg, lint.Options{}) {
		at := places[found.Object]
		assert.Positive(t, at.Line, found.Sentence)
		if at.File != "kong.yml" { // a text inside a text has lines of its own
			assert.Contains(t, at.File, "kong.yml (", found.Sentence)
			continue
		}
		assert.LessOrEqual(t, at.Line, 1+len(lineBreak.FindAll(text, -1)), found.Sentence)
	}
	once, err := mend.Files(files, mend.Options{})
	if err != nil {
		assert.ErrorContains(t, err, "UTF-16 with half a character")
		return
	}
	again, err := mend.Files(once.Files, mend.Options{})
	require.NoError(t, err, "%s", once.Files[0].Data)
	assert.Empty(t, again.Fixed, "%s", once.Files[0].Data)
	assert.Equal(t, string(once.Files[0].Data), string(again.Files[0].Data))
}
