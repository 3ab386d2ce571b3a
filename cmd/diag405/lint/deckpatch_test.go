package lint

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/cli"
	"diag405/kong"
	"diag405/kong/config"
)

// What the patch file says, done as decK does it, is what -fix writes.
func TestDeckPatchDoesWhatFixDoes(t *testing.T) {
	const url = `_format_version: "3.0"
services:
  - {name: shop, url: 'https://shop:8443/api', routes: [{name: items, paths: [/api/items], strip_path: false}]}
`
	for _, doc := range []string{string(kong.Founding), url} {
		var std bytes.Buffer
		r := mended(t, doc)
		require.NoError(t, printDeckPatch(r, cli.NewScreen(&std)))
		var patches struct {
			Version string `yaml:"_format_version"`
			Patches []deckPatch
		}
		require.NoError(t, yaml.Unmarshal(std.Bytes(), &patches))
		assert.Equal(t, "1.0", patches.Version)
		require.NotEmpty(t, patches.Patches)
		var patched map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(doc), &patched))
		for _, p := range patches.Patches {
			apply(t, patched, p)
		}
		data, err := yaml.Marshal(patched)
		require.NoError(t, err)
		got, err := config.Parse(data)
		require.NoError(t, err)
		want, err := config.Parse(r.mended.Files[0].Data)
		require.NoError(t, err)
		assert.Equal(t, want.Routes, got.Routes)
		assert.Equal(t, want.Services, got.Services)
	}
}

func mended(t *testing.T, doc string) *result {
	t.Helper()
	o, err := parse([]string{"-o", "deck-patch", "-"})
	require.NoError(t, err)
	r, err := o.run(t.Context(), bytes.NewBufferString(doc))
	require.NoError(t, err)
	return r
}

var byName = regexp.MustCompile(`^\$((?:\.\w+\[\*\])*)\.(\w+)\[\?\(@\.name=='(.*)'\)\]$`)

// apply applies a patch, for the selectors that are made here.
func apply(t *testing.T, doc map[string]any, p deckPatch) {
	for _, s := range p.Selectors {
		m := byName.FindStringSubmatch(s)
		require.NotNil(t, m, s)
		holders := []map[string]any{doc}
		for _, list := range regexp.MustCompile(`\w+`).FindAllString(m[1], -1) {
			var inner []map[string]any
			for _, h := range holders {
				inner = append(inner, objects(h[list])...)
			}
			holders = inner
		}
		for _, h := range holders {
			for _, o := range objects(h[m[2]]) {
				if o["name"] != m[3] {
					continue
				}
				for field, value := range p.Values {
					o[field] = value
				}
				for field := range o {
					if slices.Contains(p.Remove, field) {
						delete(o, field)
					}
				}
			}
		}
	}
}

func objects(v any) []map[string]any {
	var out []map[string]any
	list, _ := v.([]any)
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}
