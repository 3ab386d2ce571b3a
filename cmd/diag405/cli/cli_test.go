package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func TestText(t *testing.T) {
	assert.Equal(t, "a\ufffd[2Jb\ufffdc\ufffd", Printable("a\x1b[2Jb\nc\u2028"))
}

func TestFail(t *testing.T) {
	var out bytes.Buffer
	code := Streams{Err: &out}.Fail("lint", errors.Join(errors.New("one\x1b"), errors.New("two")))
	assert.Equal(t, CannotRun, code)
	assert.Equal(t, "diag405: lint: one\ufffd\ndiag405: lint: two\n", out.String())
}

func TestScreen(t *testing.T) {
	coloured := &Screen{colour: true}
	assert.Equal(t, "\x1b[31mno\x1b[0m", coloured.Paint(Red, "no"))
	assert.Equal(t, "no", coloured.Paint(Plain, "no"))
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	for _, out := range []io.Writer{&strings.Builder{}, null} {
		assert.Equal(t, "no", NewScreen(out).Paint(Red, "no"))
		assert.False(t, CanRedraw(out))
	}
}
