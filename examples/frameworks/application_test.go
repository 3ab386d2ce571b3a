package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/examples/trial"
)

// measuredAs makes an application of answers in short: "METHOD PATH [VARIANT]", each
// with a body that says so.
func measuredAs(t *testing.T, slash string, requests ...string) *application {
	t.Helper()
	var answers []string
	for _, r := range requests {
		answers = append(answers, `{"requests":[["`+strings.Join(strings.Fields(r), `","`)+`"]],"status":200,"body":"`+r+`"}`)
	}
	a := new(application)
	require.NoError(t, a.UnmarshalJSON([]byte(`{"app":"a","slash":"`+slash+`","answers":[`+strings.Join(answers, ",")+`]}`)))
	return a
}

// The rules by which one measured answer stands for another.
func TestReplay(t *testing.T) {
	plain := measuredAs(t, "",
		"GET /", "GET /health", "GET /login?x=1", "GET /login", "GET /nope", "GET /nope/", "GET /api/v1/nope", "POST /nope",
		"GET /api/v1/orders/42", "GET /api/v1/orders/42/", "GET /api/v1/orders/42/cancel", "GET //api/v1/orders",
		"OPTIONS /health", "OPTIONS /health preflight", "OPTIONS /nope",
		"GET /health accept:text/html", "POST /api/v1/orders/42 override:X-HTTP-Method-Override", "POST /api/v1/orders/42",
	)
	for _, test := range []struct{ method, target, header, want string }{
		{"GET", "/health", "", "GET /health"},
		{"GET", "/health?x=1", "", "GET /health"},
		{"GET", "/login?x=1", "", "GET /login?x=1"},
		{"GET", "//api/v1/orders", "", "GET //api/v1/orders"},
		{"GET", "/api/v1/orders/7", "", "GET /api/v1/orders/42"},
		{"GET", "/api/v1/orders/7/", "", "GET /api/v1/orders/42/"},
		{"GET", "/api/v1/orders/7/cancel", "", "GET /api/v1/orders/42/cancel"},
		{"GET", "/api/v1/orders/7/refund", "", "GET /api/v1/nope"},
		{"GET", "/api/v1/anything", "", "GET /api/v1/nope"},
		{"GET", "/api/v1/anything/", "", "GET /api/v1/nope"},
		{"GET", "/api/v2/orders/7", "", "GET /nope"},
		{"GET", "/anything/", "", "GET /nope/"},
		{"POST", "/anything/", "", "POST /nope"},
		{"POST", "/health", "", "POST /nope"},
		{"DELETE", "/health", "", ""},

		{"OPTIONS", "/health", "", "OPTIONS /health"},
		{"OPTIONS", "/health", "Origin: https://ui.example", "OPTIONS /health"},
		{"OPTIONS", "/health", "Origin: https://ui.example\nAccess-Control-Request-Method: POST", "OPTIONS /health preflight"},
		{"OPTIONS", "/anything", "Origin: https://ui.example\nAccess-Control-Request-Method: POST", "OPTIONS /nope"},
		{"GET", "/health", "Accept: text/html", "GET /health accept:text/html"},
		{"GET", "/health", "Accept: image/png", "GET /health"},
		{"POST", "/api/v1/orders/7", "X-HTTP-Method-Override: PATCH", "POST /api/v1/orders/42 override:X-HTTP-Method-Override"},
		{"POST", "/api/v1/orders/7", "X-Method-Override: PATCH", "POST /api/v1/orders/42"},
	} {
		header := http.Header{}
		for line := range strings.Lines(test.header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			header.Set(name, value)
		}
		got := ""
		if a := plain.answer(test.method, test.target, header); a != nil {
			got = a.Body
		}
		assert.Equal(t, test.want, got, "%s %s %q", test.method, test.target, test.header)
	}
	assert.False(t, plain.hasAPI(), "POST /api/v1/orders was not measured")
	assert.True(t, measuredAs(t, "/", "POST /api/v1/orders/").hasAPI())
}

// On a socket an application answers as it was measured, and adds nothing.
func TestApplicationOnASocket(t *testing.T) {
	a := new(application)
	require.NoError(t, a.UnmarshalJSON([]byte(`{"app":"a","answers":[
		{"requests":[["POST","/login"]],"status":301,"headers":{"location":["http://127.0.0.1:18225/login/?x=1"],"Allow":["GET","HEAD"]},"body":"gone"},
		{"requests":[["HEAD","/login"]],"status":200,"headers":{},"body":"of GET"}]}`)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer a.serve(l).Close()
	address := l.Addr().String()

	got, err := trial.Send(t.Context(), address, trial.Request{Method: "POST", Path: "/login", Host: "shop.test"})
	require.NoError(t, err)
	assert.Equal(t, 301, got.Status)
	assert.Equal(t, http.Header{"Location": {"http://shop.test/login/?x=1"}, "Allow": {"GET", "HEAD"}, "Content-Length": {"4"}}, got.Header)

	got, err = trial.Send(t.Context(), address, trial.Request{Method: "HEAD", Path: "/login"})
	require.NoError(t, err)
	assert.Equal(t, 200, got.Status)
	assert.Empty(t, got.Header)

	response, err := http.Get("http://" + address + "/login")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "501 not measured\n", response.Status[:4]+string(body))
}

func TestReading(t *testing.T) {
	const world = `{"world":"w","mistake":"none","truth": ["strip-path"],"request":{"method":"GET","path":"/"}}`
	list, err := parseLines[struct{ World string }]([]byte("\n" + world + "\n" + world))
	require.NoError(t, err)
	assert.Len(t, list, 2)
	for _, test := range []struct{ text, message string }{
		{"", "nothing in it"},
		{"\n{", "line 2: "},
		{"\x1f\x8bx", "EOF"},
		{strings.Replace(world, `"w"`, `""`, 1), "world, request.method and request.path are required"},
		{strings.Replace(world, `"none"`, `"nobody"`, 1), `mistake "nobody" is none of`},
		{strings.Replace(world, `["strip-path"]`, `[]`, 1), "no cause is right"},
		{strings.Replace(world, "strip-path", "bad-luck", 1), `truth "bad-luck" is no cause`},
	} {
		_, err := parseWorlds(test.text)
		assert.ErrorContains(t, err, test.message, test.text)
	}
	for _, test := range []struct{ text, message string }{
		{`{}`, "without a name"},
		{`{"app":"a","answers":[{"status":200,"requests":[["GET"]]}]}`, "is not method, path and perhaps a variant"},
		{`{"app":"a","answers":[{"requests":[["GET","/"]]}]}`, "0 is no status"},
	} {
		assert.ErrorContains(t, new(application).UnmarshalJSON([]byte(test.text)), test.message)
	}
}

func parseWorlds(text string) ([]*world, error) { return parseLines[world]([]byte(text)) }
