package trial

import (
	"bufio"
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestOnTheWire(t *testing.T) {
	for _, test := range []struct {
		request Request
		want    string
	}{
		{Request{Method: "GET", Path: "/a%2fb//../?x=%20y"}, "GET /a%2fb//../?x=%20y HTTP/1.1|Host: gw:1||"},
		{Request{Method: "POST", Path: "/"}, "POST / HTTP/1.1|Host: gw:1|Content-Length: 0||"},
		{Request{Method: "DELETE", Path: "/", Body: "abc"}, "DELETE / HTTP/1.1|Host: gw:1|Content-Length: 3||abc"},
		{Request{Method: "GET", Path: "/", Host: "h", Headers: map[string]string{"B": "2", "a": "1", "host": "x", "Content-Length": "9"}}, "GET / HTTP/1.1|Host: h|B: 2|a: 1||"},
		{Request{Method: "GET", Path: "/", Headers: map[string]string{"host": "x"}}, "GET / HTTP/1.1|Host: x||"},
		{Request{Method: "GET", Path: "/", Scheme: "https", HTTPVersion: "1.0"}, "GET / HTTP/1.0|Host: gw:1|X-Forwarded-Proto: https||"},
		{Request{Method: "GET", Path: "/", Scheme: "https", Headers: map[string]string{"X-Forwarded-Proto": "http"}}, "GET / HTTP/1.1|Host: gw:1|X-Forwarded-Proto: http||"},
	} {
		assert.Equal(t, test.want, strings.ReplaceAll(string(test.request.wire("gw:1")), "\r\n", "|"))
	}
}

func TestVersion(t *testing.T) {
	for _, text := range []string{`{"http_version":1.0}`, `{"http_version":"1.0"}`, `{"http_version":"HTTP/1.0"}`} {
		var r Request
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		assert.Equal(t, "HTTP/1.0", r.protocol(), text)
	}
}

// An answer is read to its end, and what comes before it is none.
func TestReceive(t *testing.T) {
	for _, test := range []struct {
		method, text string
		status       int
	}{
		{"GET", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200},
		{"GET", "HTTP/1.1 101 Switching Protocols\r\n\r\nwhatever", 101},
		{"HEAD", "HTTP/1.1 405 Not Allowed\r\nContent-Length: 20\r\n\r\n", 405},
	} {
		got, err := receive(bufio.NewReader(strings.NewReader(test.text)), test.method)
		require.NoError(t, err)
		assert.Equal(t, test.status, got.Status)
	}
	_, err := receive(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")), "GET")
	assert.ErrorContains(t, err, "unexpected EOF")
}

func TestSendFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = Send(t.Context(), l.Addr().String(), Request{Method: "GET", Path: "/"})
	assert.ErrorContains(t, err, "refused")
}
