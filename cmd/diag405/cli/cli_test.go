package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	tests := []struct {
		args, others, o string
		problem         string
	}{
		{args: "", others: "", o: "text"},
		{args: "a b", others: "a b", o: "text"},
		{args: "-o json a", others: "a", o: "json"},
		{args: "a -o json b", others: "a b", o: "json"},
		{args: "a -o=json", others: "a", o: "json"},
		{args: "a - -o json", others: "a -", o: "json"},
		{args: "a -x", problem: "flag provided but not defined: -x"},
		{args: "a -o", problem: "flag needs an argument: -o"},
		{args: "a -h", problem: "flag: help requested"},
	}
	for _, tt := range tests {
		flags := NewFlags("test")
		form := flags.String("o", "text", "")
		others, err := Parse(flags, strings.Fields(tt.args))
		if tt.problem != "" {
			assert.EqualError(t, err, tt.problem, tt.args)
			continue
		}
		require.NoError(t, err, tt.args)
		assert.Equal(t, tt.others, strings.Join(others, " "), tt.args)
		assert.Equal(t, tt.o, *form, tt.args)
	}
	assert.EqualError(t, ParseFlags(NewFlags("test"), []string{"a", "b"}), `unexpected argument "a"`)
}

func TestReadInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("from the file"), 0o644))
	data, err := ReadInput(file, strings.NewReader("from stdin"))
	require.NoError(t, err)
	assert.Equal(t, "from the file", string(data))
	data, err = ReadInput("-", strings.NewReader("from stdin"))
	require.NoError(t, err)
	assert.Equal(t, "from stdin", string(data))
	_, err = ReadInput("-", brokenReader{})
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = ReadInput(file+"-not", nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestJSON(t *testing.T) {
	v := map[string]any{"url": "http://a/?b&c=<d>"}
	assert.Equal(t, `{"url":"http://a/?b&c=<d>"}`, Compact(v))
	var out strings.Builder
	require.NoError(t, PrintJSON(&out, v))
	assert.Equal(t, "{\n  \"url\": \"http://a/?b&c=<d>\"\n}\n", out.String())
	assert.Equal(t, "+Inf", Compact(inf{}), "what JSON cannot say is said another way")
}

// inf cannot be written as JSON.
type inf struct{}

func (inf) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }
func (inf) String() string               { return "+Inf" }

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[2Jb\nc\u2028":                 "a\ufffd[2Jb\ufffdc\ufffd",
		"\x00\x7f\u0080\u009b31m\x9b":        "\ufffd\ufffd\ufffd\ufffd31m\ufffd",
		"\u202eevil\u2066\u200f\u061c\u200e": "\ufffdevil\ufffd\ufffd\ufffd\ufffd",
		"Größe → 日本語 שלום \u00a0\U0001f600":  "Größe → 日本語 שלום \u00a0\U0001f600",
	} {
		assert.Equal(t, want, Printable(text), "%q", text)
	}
}

// In JSON nothing is lost of what a terminal would not show.
func TestPrintableJSON(t *testing.T) {
	text := "\x1b\x7f\u009b\u202e\u2066\u2028 <é>"
	assert.Equal(t, `"\u001b\u007f\u009b\u202e\u2066\u2028 <é>"`, Compact(text))
	var out strings.Builder
	require.NoError(t, PrintJSON(&out, []string{text}))
	assert.Equal(t, "[\n  \"\\u001b\\u007f\\u009b\\u202e\\u2066\\u2028 <é>\"\n]\n", out.String())
}

func FuzzPrintable(f *testing.F) {
	for _, text := range []string{"a\x1b[2J", "\u009b\u202e", "\x9b\xff", "\x1b[31mred\x1b[0m", "\r\n\t", "\x1b[1\x1b[1mm"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		assert.Equal(t, -1, strings.IndexFunc(Printable(text), isUnprintable))
		encoded := Compact(map[string]string{text: text})
		assert.Equal(t, -1, strings.IndexFunc(encoded, isUnprintable))
		var decoded map[string]string
		require.NoError(t, json.Unmarshal([]byte(encoded), &decoded))
		if utf8.ValidString(text) {
			assert.Equal(t, map[string]string{text: text}, decoded)
		}
		for _, colour := range []bool{false, true} {
			var out strings.Builder
			s := &Screen{Out: &out, colour: colour}
			require.NoError(t, s.Print(s.Paint(Red, text)+text))
			shown := out.String()
			if colour {
				shown = styled.ReplaceAllString(shown, "")
			}
			assert.Equal(t, -1, strings.IndexFunc(shown, func(r rune) bool { return isUnprintable(r) && r != '\n' && r != '\t' }), "%q", shown)
		}
	})
}

func TestFail(t *testing.T) {
	var out bytes.Buffer
	code := Streams{Err: &out}.Fail("lint", errors.Join(errors.New("one\x1b"), errors.New("two")))
	assert.Equal(t, CannotRun, code)
	assert.Equal(t, "diag405: lint: one\ufffd\ndiag405: lint: two\n", out.String())
}

func TestCannot(t *testing.T) {
	var out bytes.Buffer
	assert.Equal(t, CannotRun, Streams{Err: &out}.Cannot("answered %s", "503 \x1b[2J\u202e"))
	assert.Equal(t, "diag405: answered 503 \ufffd[2J\ufffd\n", out.String())
}

func TestScreen(t *testing.T) {
	coloured := &Screen{colour: true}
	assert.Equal(t, "\x1b[31mno\x1b[0m", coloured.Paint(Red, "no"))
	assert.Equal(t, "\x1b[31m\ufffd[0mno\x1b[0m", coloured.Paint(Red, "\x1b[0mno"))
	assert.Equal(t, "no", coloured.Paint(Plain, "no"))
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	var out strings.Builder
	for _, s := range []*Screen{{Out: &out}, {Out: &out, colour: true}} {
		s.Println(s.Paint(Red, "no") + "\x1b[2J\u202e\x1b[5mx\n\ty\x9b")
	}
	assert.Equal(t, "no\ufffd[2J\ufffd\ufffd[5mx\n\ty\ufffd\n\x1b[31mno\x1b[0m\ufffd[2J\ufffd\ufffd[5mx\n\ty\ufffd\n", out.String())
	for _, out := range []io.Writer{&strings.Builder{}, null} {
		assert.Equal(t, "no", NewScreen(out).Paint(Red, "no"))
		assert.False(t, CanRedraw(out))
	}
}

func TestMeant(t *testing.T) {
	known := []string{"demo", "explain", "lint", "report", "dump"}
	for word, want := range map[string]string{
		"explian": " (did you mean explain?)", // two letters exchanged
		"explan":  " (did you mean explain?)",
		"lnt":     " (did you mean lint?)",
		"reports": " (did you mean report?)",
		"dimp":    " (did you mean dump?)",
		"explode": "",
		"x":       "",
		"":        "",
	} {
		assert.Equal(t, want, Meant(word, known), word)
	}
}

func TestDescribe(t *testing.T) {
	const usage = `Usage: diag405 test -key FILE [-f] [-o text|json] METHOD [PATH...]
       diag405 test -b

  -key FILE     the key;
                or not
  -o text|json  how to print it
  -H 'N: V'     a header
`
	d := Describe(func(args []string, std Streams) int {
		flags := NewFlags("test")
		flags.String("key", "", "")
		flags.String("o", "", "")
		flags.String("H", "", "")
		flags.String("unsaid", "", "")
		flags.Bool("f", false, "")
		_, err := Parse(flags, args)
		return std.BadArguments("test", usage, err)
	})
	assert.Equal(t, []string{"METHOD", "PATH..."}, d.Words)
	assert.Equal(t, []Flag{
		{"H", "'N: V'", "a header"}, {"f", "", ""}, {"key", "FILE", "the key"},
		{"o", "text|json", "how to print it"}, {"unsaid", "VALUE", ""},
	}, d.Flags)
}

func TestLinks(t *testing.T) {
	tests := []struct{ page, command, url string }{
		{"causes/strip-path.md", "diag405 cause strip-path", "https://docs.example/docs/causes/strip-path.md"},
		{"zh-CN/causes/unknown.md", "diag405 cause -lang zh-CN unknown", "https://docs.example/docs/zh-CN/causes/unknown.md"},
		{"lint.md#literal-star", "diag405 cause lint/literal-star", "https://docs.example/docs/lint.md#literal-star"},
		{"diagnosis.md", "", "https://docs.example/docs/diagnosis.md"},
		{"zh-CN/causes/README.md", "", "https://docs.example/docs/zh-CN/causes/README.md"},
		{"causes/README.md", "", "https://docs.example/docs/causes/README.md"},
		{"https://a.example/b", "https://a.example/b", "https://a.example/b"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.command, Link(tt.page))
	}
	docs = "https://docs.example/docs/"
	defer func() { docs = "" }()
	for _, tt := range tests {
		assert.Equal(t, tt.url, Link(tt.page))
	}
	assert.Equal(t, "https://docs.example/docs/causes/unknown.md", CauseLink("unknown"))
}

func TestOwn(t *testing.T) {
	isCurl := func(words []string) bool { return words[0] == "curl" }
	tests := []struct{ args, own, others string }{
		{"", "", ""},
		{"-o json -X POST http://a", "-o json", "-X POST http://a"},
		{"-X POST -o json http://a -f", "-o json -f", "-X POST http://a"},
		{"--o=json http://a -x=1", "--o=json", "http://a -x=1"},
		{"-f -- -o out", "-f", "-o out"},
		{"-f curl -o out -f", "-f", "curl -o out -f"},
		{"-o curl http://a", "-o curl", "http://a"},
		{"http://a -o", "-o", "http://a"},
		{"-h x", "-h", "x"},
		{"- a", "", "- a"},
	}
	for _, tt := range tests {
		flags := NewFlags("test")
		flags.String("o", "", "")
		flags.Bool("f", false, "")
		own, others := Own(flags, strings.Fields(tt.args), isCurl)
		assert.Equal(t, tt.own, strings.Join(own, " "), tt.args)
		assert.Equal(t, tt.others, strings.Join(others, " "), tt.args)
	}
}
