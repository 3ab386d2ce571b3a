package wire

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadHead(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("\r\nGET /a HTTP/1.1\r\nhost: a\r\nX-Two:b\n\r\nbody"))
	h, err := ReadHead(r)
	require.NoError(t, err)
	assert.Equal(t, Head{Line: "GET /a HTTP/1.1", Fields: Fields{{"host", "a"}, {"X-Two", "b"}}}, h)
	rest, _ := io.ReadAll(r)
	assert.Equal(t, "body", string(rest))

	for _, text := range []string{"GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nbad name: x\r\n\r\n", "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", maxHead)} {
		_, err := ReadHead(bufio.NewReader(strings.NewReader(text)))
		assert.ErrorIs(t, err, ErrMalformed)
	}
	_, err = ReadHead(bufio.NewReader(strings.NewReader("")))
	assert.Equal(t, io.EOF, err)
	_, err = ReadHead(bufio.NewReader(strings.NewReader("GET / HT")))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestParseRequestLine(t *testing.T) {
	r, err := ParseRequestLine("PURGE /a%2Fb?c HTTP/1.1")
	require.NoError(t, err)
	assert.Equal(t, Request{"PURGE", "/a%2Fb?c", "HTTP/1.1"}, r)
	for _, line := range []string{"GET /", "GET  HTTP/1.1", "GET /a b HTTP/1.1", "G(T / HTTP/1.1", "GET / HTTP/2.0", ""} {
		_, err := ParseRequestLine(line)
		assert.ErrorIs(t, err, ErrMalformed, line)
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		fields     Fields
		text, want string
		err        error
	}{
		{Fields{{"Content-Length", "3"}}, "abcdef", "abc", nil},
		{Fields{{"Content-Length", "3"}}, "ab", "ab", io.ErrUnexpectedEOF},
		{Fields{{"Transfer-Encoding", "chunked"}}, "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\nnext", "abc", nil},
		{nil, "abc", "abc", nil},
	} {
		body, err := ResponseBody(bufio.NewReader(strings.NewReader(c.text)), "GET", 200, c.fields)
		require.NoError(t, err)
		got, err := io.ReadAll(body)
		assert.Equal(t, c.err, err)
		assert.Equal(t, c.want, string(got))
	}
	_, err := RequestBody(nil, Fields{{"Transfer-Encoding", "gzip, chunked"}})
	assert.ErrorIs(t, err, ErrMalformed)
	_, err = RequestBody(nil, Fields{{"Content-Length", "-1"}})
	assert.ErrorIs(t, err, ErrMalformed)
}

func TestFieldsKeepOrderAndSpelling(t *testing.T) {
	f := Fields{{"allow", "GET"}, {"X-A", "1"}, {"ALLOW", "PUT"}}
	f.Set("x-a", "2", "3")
	assert.Equal(t, Fields{{"allow", "GET"}, {"x-a", "2"}, {"x-a", "3"}, {"ALLOW", "PUT"}}, f)
	assert.Equal(t, []string{"allow", "x-a"}, f.Names())
	f.Del("Allow")
	assert.False(t, f.Has("allow"))
	assert.Equal(t, []string{"a", "b", "c"}, Fields{{"C", "A, b"}, {"c", "c"}}.Tokens("C"))
}
