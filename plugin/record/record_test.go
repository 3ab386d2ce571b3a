package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const founding = `{
	"request": {"id": "aa", "method": "POST", "uri": "/api/sendWeather?a=1", "headers": {"host": "localhost:8000", "accept": ["a", "b"]}},
	"upstream_uri": "/?a=1", "source": "upstream",
	"response": {"status": 405, "headers": {"allow": "GET", "server": "kong/3.9.1"}},
	"route": {"id": "r", "name": "post", "paths": ["/api/sendWeather"], "methods": ["POST"], "hosts": {}, "strip_path": true},
	"service": {"id": "s", "name": "weather", "protocol": "http", "host": "weather", "port": 8900},
	"tries": [{"ip": "127.0.0.1", "port": 1}, {"ip": "127.0.0.1", "port": 2}]
}
{"the next": "record"}`

func TestExchange(t *testing.T) {
	r, err := Parse([]byte(founding))
	require.NoError(t, err)
	x := r.Exchange("")
	assert.Equal(t, "POST /api/sendWeather", x.Client.Line().String())
	assert.Equal(t, "POST /", x.Upstream.Line().String())
	assert.Equal(t, "http://weather:8900", x.Upstream.Scheme+"://"+x.Upstream.Host)
	assert.Equal(t, "/api/sendWeather", x.Stripped)
	assert.Equal(t, "127.0.0.1:2", x.Target, "the last try answered")
	assert.Equal(t, "service", x.Source)
	assert.Equal(t, []string{"a", "b"}, x.Client.Header.Values("Accept"))
	assert.Empty(t, x.Response.Header.Get("Server"), "Kong's own says nothing of the upstream")

	x = r.Exchange("PUT /api/sendWeather HTTP/1.1")
	assert.Equal(t, "PUT", x.Client.Method, "the line is from before plugins")
	assert.Equal(t, "POST", x.Upstream.Method)
}

func TestSource(t *testing.T) {
	for text, want := range map[string]string{
		`{"source": "upstream"}`:                   "service",
		`{"source": "kong"}`:                       "error",
		`{"source": "kong", "route": {"id": "r"}}`: "exit",
		`{}`: "",
	} {
		r, err := Parse([]byte(text))
		require.NoError(t, err)
		assert.Equal(t, want, r.Exchange("").Source, text)
	}
}

func TestWhatDiag405SawCounts(t *testing.T) {
	r, err := Parse([]byte(`{"request": {"method": "PURGE", "uri": "/p/a"}, "upstream_uri": "/a", "response": {"status": 405},
		"diag405": {"client": {"method": "PURGE", "path": "/p/a"}, "upstream": {"method": "GET", "path": "/a?x", "host": "app"}, "stripped": "/p"}}`))
	require.NoError(t, err)
	x := r.Exchange("")
	assert.Equal(t, "GET /a", x.Upstream.Line().String())
	assert.Equal(t, "app", x.Upstream.Host)
	assert.Equal(t, "/p", x.Stripped)
	assert.True(t, x.Buffered)
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "{", "nothing"} {
		_, err := Parse([]byte(text))
		assert.ErrorContains(t, err, "decoding the log record: ", text)
	}
}
