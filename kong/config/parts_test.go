package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/measured"
)

// What is read in parts is what is read from the beginning to the end, in configurations
// that are in order and in such that are not.
func TestParts(t *testing.T) {
	names, err := filepath.Glob("../../cmd/diag405/testdata/wild/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(names), 40)
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		for _, f := range archive.Files {
			compareParts(t, f.Name, string(f.Data))
		}
	}
	compareParts(t, "mixed", string(measured.Mixed(200)))
	compareParts(t, "dumped", string(measured.Dumped(200)))
	compareParts(t, "mistakes", withMistakes)
	compareParts(t, "flat", flat(200))
	compareParts(t, "json", toJSON(t, withMistakes))
	compareParts(t, "two documents", withMistakes+"---\n"+flat(50))
}

// withMistakes has problems and notes that several parts come upon.
const withMistakes = `
_format_version: "3.0"
_info:
  defaults:
    route: {headers: {host: [x], x-ok: [y]}, regex_priority: many, https_redirect_status_code: 307}
    service: {retries: -1}
    upstream: {slots: 3}
_plugin_configs:
  shared: {a: 1}
services:
- &one
  name: a
  url: http://a
  future: 1
  routes:
  - {name: a1, paths: [/a, b], future: 1}
  - {name: a1, paths: [/b], plugins: [{name: cors}, {name: cors}, {name: p, _config: shared}]}
  - {paths: ["~/(", /c//d], strip_paths: true}
  - {paths: [/unnamed]}
  - text
- {name: b, url: http://b, future: 2, port: ${{ env "DECK_PORT" }}, routes: [{name: a1, paths: [/x]}, {name: b2, protocols: [ws], paths: [/w]}]}
- {name: a, host: "", name: c}
- {<<: *one, id: 7b3c9c3e-52a8-4a53-8f1e-7a6e0d0a5a01}
- {name: d, host: d, id: 7b3c9c3e-52a8-4a53-8f1e-7a6e0d0a5a01, plugins: [{name: q, instance_name: i}, {name: r, instance_name: i}]}
routes:
- {name: top, service: a, paths: [/top], headers: {host: [a]}}
- {name: top, service: nobody, paths: [$PREFIX/top], future: 3}
- {name: more, service: {name: b}, paths: [/more, /more], hosts: [a..b], snis: [x, x]}
- {name: kept, paths: ['~/x(?=y)']}
upstreams:
- {name: u, targets: [{target: a}, {target: a}, {target: "a:99999"}]}
- {name: u, algorithm: best}
- {name: v, targets: [{target: a, failover: true, fail: 1}]}
targets:
- {target: "b:1", upstream: u}
plugins:
- {name: cors, service: a}
- {name: cors, service: a}
- {name: cors, route: nobody, consumer: nobody}
- {name: x, config: 1, instance_name: i}
- {}
`

// flat has its entities side by side, as an export does.
func flat(n int) string {
	lists := map[string][]string{}
	for i := range n {
		lists["services"] = append(lists["services"], fmt.Sprintf("{name: s%d, url: 'http://s%d'}", i, i))
		lists["routes"] = append(lists["routes"], fmt.Sprintf("{name: r%d, paths: [/r%d], service: s%d, tags: [t]}", i, i, n-1-i))
		lists["plugins"] = append(lists["plugins"], fmt.Sprintf("{name: cors, route: r%d}", i))
		lists["upstreams"] = append(lists["upstreams"], fmt.Sprintf("{name: u%d, targets: [{target: 'h%d:1'}]}", i, i))
	}
	var out strings.Builder
	out.WriteString("_format_version: \"3.0\"\n")
	for kind, list := range lists {
		fmt.Fprintf(&out, "%s:\n- %s\n", kind, strings.Join(list, "\n- "))
	}
	return out.String()
}

// toJSON has everything on one line, where problems stay in the order in which they
// are found.
func toJSON(t testing.TB, text string) string {
	t.Helper()
	text = strings.NewReplacer("<<: *one, ", "", "&one", "", `${{ env "DECK_PORT" }}`, `'${{ env "DECK_PORT" }}'`).Replace(text)
	documents, _, err := parseDocuments(text, 1)
	require.NoError(t, err)
	out, err := formatJSON(documents[0], false)
	require.NoError(t, err)
	return string(out)
}

func compareParts(t *testing.T, name, text string) {
	t.Helper()
	defer func(n int) { minPart = n }(minPart)
	read := func(n int) (lenient, strict *document) {
		minPart = n
		lenient = loadDocument([]File{{Name: name, Data: []byte(text)}})
		strict, _ = parseText([]byte(text))
		return lenient, strict
	}
	whole, strictWhole := read(1 << 30)
	parts, strictParts := read(1)
	compareDocuments(t, name, whole, parts)
	if strictWhole != nil {
		compareDocuments(t, name, strictWhole, strictParts)
	}
}

func compareDocuments(t *testing.T, name string, whole, parts *document) {
	t.Helper()
	assert.Equal(t, fmt.Sprint(whole.problem()), fmt.Sprint(parts.problem()), name)
	require.Equal(t, whole.config.Notes, parts.config.Notes, name)
	require.Equal(t, whole.config, parts.config, name)
	require.Len(t, parts.homes.list, len(whole.homes.list), name)
	for i, h := range whole.homes.list {
		require.Equal(t, h.node.Line, parts.homes.list[i].node.Line, name)
	}
}

func FuzzParts(f *testing.F) {
	f.Add(withMistakes)
	f.Add(toJSON(f, withMistakes))
	f.Add(flat(3))
	f.Add("services:\n- &s {name: a, url: http://a, routes: [&r {name: r, paths: [/a]}, *r, {<<: *r, x: 1}]}\n- *s\n")
	f.Add("_info: {defaults: {route: {paths: [a]}}, default_lookup_tags: {services: [x]}}\nroutes: [{service: s}, {service: s}]\nplugins: [{route: q}, {route: q}]\n")
	f.Fuzz(func(t *testing.T, text string) { compareParts(t, "fuzzed", text) })
}
