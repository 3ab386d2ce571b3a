package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/kong/measured"
)

func TestPieces(t *testing.T) {
	for _, tt := range []struct {
		text   string
		pieces string // what each begins with
	}{
		{"a:\n- 1\n- 2\n- 3\n", "a: - 2 - 3"},
		{"a:\n  - 1\n\n  # x\n  - 2\nb: 1\nc:\n- 3\n- 4\n", "a:   - 2 - 4"},
		{"a:\n- x: |\n   - 2\n  y: 1\n- 3\n", "a: - 3"},
		{"a:\n- - 1\n  - 2\n- 3\n", "a: - 3"},
		{"a: [1,\n- 2]\n", "a: [1,"},
		{"a: # remark\n- 1\n- 2\n", "a: # remark"},
		{"a:\n  b:\n  - 1\n  - 2\n", "a:"},
		{"a:\n- 1\n- 2\n---\nb: 1\n", "a:"},
		{"---\na:\n- 1\n- 2\n", "--- - 2"},
		{"", ""},
	} {
		var begins []string
		text := ""
		for _, p := range piecesOf(tt.text, 1000) {
			first, _, _ := strings.Cut(string(p.text), "\n")
			begins = append(begins, first)
			text += string(p.text)
		}
		assert.Equal(t, tt.pieces, strings.Join(begins, " "), tt.text)
		assert.Equal(t, tt.text, text)
	}
}

// What is joined from pieces is what the whole gives, or nothing.
func TestPiecesOfFiles(t *testing.T) {
	names, err := filepath.Glob("../../cmd/diag405/testdata/*/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(names), 40)
	texts := []string{string(measured.Mixed(200)), string(measured.Dumped(200))}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		for _, f := range archive.Files {
			texts = append(texts, string(f.Data))
		}
	}
	joined := 0
	for _, text := range texts {
		for _, n := range []int{2, 3, 1000} {
			if comparePieces(t, text, n) {
				joined++
			}
		}
	}
	assert.Greater(t, joined, 30)
}

func comparePieces(t *testing.T, text string, n int) bool {
	t.Helper()
	got, ok := parsePieces(text, n)
	if !ok {
		return false
	}
	want, _, err := parseDocuments(text, 1)
	require.NoError(t, err, text)
	require.Len(t, want, 1, text)
	require.Equal(t, outline(want[0]), outline(got), text)
	return true
}

// outline is a document without its comments, and without the places of aliases, which
// would be compared again and again.
func outline(n *yaml.Node) any {
	children := []any{n.Kind, n.Style, n.Tag, n.Value, n.Anchor, n.Line, n.Column}
	if n.Alias != nil {
		children = append(children, n.Alias.Line)
	}
	for _, child := range n.Content {
		children = append(children, outline(child))
	}
	return children
}

func FuzzPieces(f *testing.F) {
	f.Add("a:\n- 1\n- \"2\n- 3\"\n- [4,\n- 5]\n", 9)
	f.Add("a:\n- &x {b: 1}\n- *x\n", 9)
	f.Add("a:\n- x: |\n   t\n - 2\n- >-\n  t\n\n- 3\n? b\n: c\nd:\n  - 1\n  - 2\n", 9)
	f.Add("a:\r\n- 1\r\n- 2\n# c\n- 3\n...\n", 9)
	f.Add("%YAML 1.1\n---\na:\n- 1\n- 2", 9)
	f.Fuzz(func(t *testing.T, text string, n int) { comparePieces(t, text, n) })
}

func TestPiecesOfJSON(t *testing.T) {
	for _, tt := range []struct {
		text   string
		pieces string
	}{
		{`{"a":[1,2],"b":[3]}`, `{"a":[1]} {"a":[2],"b":[3]}`},
		{"{\"a\": [ {\"x\": [1, 2]},\n [3, 4] ]}", "{\"a\": [ {\"x\": [1, 2]}]} {\"a\":[\n [3, 4] ]}"},
		{`{"a":["],",2]}`, `{"a":["],"]} {"a":[2]}`},
		{`{"a":{"b":[1,2]}, "c":"d"}`, `{"a":{"b":[1,2]}, "c":"d"}`},
		{`{"a\u0062":[1,2]}`, `{"a\u0062":[1,2]}`},
		{`{"a":[1, ]}`, `{"a":[1, ]}`},
		{`{"a":[ ,1]}`, `{"a":[ ,1]}`},
		{`{"a":[1,,2]}`, `{"a":[1,,2]}`},
		{`{"a":[1,"`, `{"a":[1]} {"a":["`},
		{`[1,2]`, ``},
		{"a: [1,2]", ``},
	} {
		var texts []string
		for _, p := range piecesOfJSON(tt.text, 1000) {
			texts = append(texts, p.text)
		}
		assert.Equal(t, tt.pieces, strings.Join(texts, " "), tt.text)
	}
}

// compareJSONPieces wants what is joined from pieces to be what the whole gives.
func compareJSONPieces(t *testing.T, text string, n int) bool {
	t.Helper()
	got, ok := parseJSONPieces(text, n)
	if !ok {
		return false
	}
	require.True(t, isJSON(text), "%q", text)
	require.Equal(t, outline(parseJSON(text)), outline(got), "%q", text)
	return true
}

func TestPiecesOfJSONFiles(t *testing.T) {
	for _, text := range []string{toJSON(t, withMistakes), toJSON(t, flat(20)), toJSON(t, string(measured.Mixed(200)))} {
		indented, err := formatJSON(parseJSON(text), true)
		require.NoError(t, err)
		for _, n := range []int{2, 3, 1000} {
			assert.True(t, compareJSONPieces(t, text, n), text)
			assert.True(t, compareJSONPieces(t, string(indented), n), text)
		}
	}
}

func FuzzPiecesOfJSON(f *testing.F) {
	f.Add(`{"a":[1,{"b":[2,3]},"x\"],"],"c":[4 , 5],"a":[6,7]}`, 9)
	f.Add("{\"a\":[1,\n[2],\n3],\"b\":{},\"c\":[]}\n", 2)
	f.Add(`{"a":[,1],"b":[1,],"c":[1]]}`, 9)
	f.Add(`{"a":[1,2}}`, 9)
	f.Add(`{"a":[1,,2]}`, 9)
	f.Fuzz(func(t *testing.T, text string, n int) { compareJSONPieces(t, text, n) })
}
