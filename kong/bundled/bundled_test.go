package bundled

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/router"
	"diag405/kong/wire"
)

func TestArgs(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"b=2&a=1", "a=1&b=2"},
		{"a&b=", "a&b="},
		{"a=1&b&a=2", "a=1&a=2&b"},
		{"=x&a=%2f+%zz", "a=%2F%20%25zz"},
		{"a=!'()*~", "a=%21%27%28%29%2A~"},
		{"", ""},
	} {
		assert.Equal(t, c.out, EncodeArgs(DecodeArgs(c.in)), c.in)
	}
}

func TestTemplates(t *testing.T) {
	r := &Request{
		Header:   wire.Fields{{Name: "X-A", Value: "one"}, {Name: "X-Two", Value: "a"}, {Name: "X-Two", Value: "b"}},
		Query:    "q=1&flag",
		Captures: router.Captures{Numbered: []string{"/v/7", "7"}, Named: map[string]string{"id": "7"}},
		Shared:   map[string]any{"k": "v"},
	}
	for _, c := range []struct{ source, want string }{
		{"plain", "plain"},
		{"/$(headers['x-a'])/", "/one/"},
		{"$(headers.x_a)", "one"},
		{`$(headers["X-Two"][2])`, "b"},
		{"$(headers.none)", ""},
		{"$(headers.none or 'default')", "default"},
		{"$(headers.none and 'x' or 'y')", "y"},
		{"$(uri_captures.id)-$(uri_captures[1])-$(uri_captures[0])", "7-7-/v/7"},
		{"$(query_params.q .. '/' .. query_params.q)", "1/1"},
		{"$(query_params.flag)", "true"},
		{"$(shared.k)", "v"},
		{"$((headers.x_a == 'one') and 'same')", "same"},
		{"$(not headers.x_a)", ""},
		{"$ ( and $(", "$ ( and $("},
	} {
		got, err := render(c.source, newEnv(r))
		require.NoError(t, err, c.source)
		assert.Equal(t, c.want, got, c.source)
	}
	for _, source := range []string{"$(os.exit())", "$(headers.x_a:upper())", "$(1 +)", "$()", "$('open)"} {
		_, err := compile(source)
		assert.Error(t, err, source)
	}
	_, err := render("$(headers.none.deep)", newEnv(r))
	assert.Error(t, err)
}

// transform runs a configuration over a request with a body.
func transform(t *testing.T, config, contentType, body string) *Request {
	t.Helper()
	var c Transformer
	require.NoError(t, json.Unmarshal([]byte(config), &c))
	require.NoError(t, c.Check())
	r := &Request{Method: "POST", UpstreamURI: "/", Header: wire.Fields{{Name: "Content-Type", Value: contentType}}, Body: []byte(body), HasBody: body != ""}
	require.NoError(t, c.Access(r))
	return r
}

func TestBodies(t *testing.T) {
	all := `{"remove":{"body":["gone"]},"rename":{"body":["old:new"]},"replace":{"body":["a:9","none:1"]},"add":{"body":["a:0","more:u/v"]},"append":{"body":["list:z"]}}`
	for _, c := range []struct{ name, config, contentType, body, want string }{
		{"json", all, "application/json", `{"gone":1,"old":1e2,"a":"1","list":["y"],"n":null}`, `{"a":"9","list":["y","z"],"more":"u\/v","n":null,"new":100}`},
		{"json, empty", all, "application/json", "", `{"a":"0","list":["z"],"more":"u\/v"}`},
		{"json, broken", all, "application/json", `{`, `{`},
		{"form", all, "application/x-www-form-urlencoded", "gone=1&old=2&a=1&list=y", "a=9&list=y&list=z&more=u%2Fv&new=2"},
		{"other", all, "text/plain", "gone=1", "gone=1"},
	} {
		r := transform(t, c.config, c.contentType, c.body)
		assert.Equal(t, c.want, string(r.Body), c.name)
	}
	multi := "--b\r\nContent-Disposition: form-data; name=\"old\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"gone\"\r\n\r\n2\r\n--b--\r\n"
	r := transform(t, all, "multipart/form-data; boundary=b", multi)
	parts, err := readParts(r.Body, "b")
	require.NoError(t, err)
	var names []string
	for _, p := range parts {
		names = append(names, p.name+"="+string(p.body))
	}
	assert.Equal(t, []string{"new=1", "a=0", "more=u/v"}, names)
}

func TestFormBecomesQuery(t *testing.T) {
	r := transform(t, `{"http_method":"GET"}`, "application/x-www-form-urlencoded", "a=1&b=2")
	assert.Equal(t, "GET", r.Method)
	assert.Equal(t, "a=1&b=2", r.Query)
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		origins        []string
		credentials    bool
		asked, allowed string
		vary           int
	}{
		{nil, false, "http://a.com", "*", 0},
		{nil, true, "http://a.com", "http://a.com", 1},
		{[]string{"http://a.com", "http://b.com"}, false, "http://b.com", "http://b.com", 1},
		{[]string{"http://a.com", "http://b.com"}, false, "http://b.com:80", "http://b.com", 1},
		{[]string{"http://a.com", "http://b.com"}, false, "http://c.com", "", 1},
		{[]string{`(.*\.)?a\.com`}, false, "https://x.a.com", "https://x.a.com", 1},
		{[]string{`https://(.*\.)?a\.com`}, false, "http://x.a.com", "", 1},
		{[]string{"http://a.com", "*"}, false, "http://c.com", "*", 1},
	} {
		cors := &CORS{Origins: c.origins, Credentials: c.credentials}
		require.NoError(t, cors.Check())
		var out wire.Fields
		cors.Filter(&Request{Header: wire.Fields{{Name: "Origin", Value: c.asked}}}, &out)
		assert.Equal(t, c.allowed, out.Get("Access-Control-Allow-Origin"), "%v asked by %s", c.origins, c.asked)
		assert.Len(t, out.Values("Vary"), c.vary)
	}
}
