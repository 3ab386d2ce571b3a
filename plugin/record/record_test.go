package record

import (
	"strings"
	"testing"
	"time"

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

// What Kong's side sends costs a bounded time, whatever it is.
func TestHostileRecords(t *testing.T) {
	long := func(list string) string {
		return `{"response": {"status": 405}, ` + list + strings.Repeat(`{},`, MaxSize) + `{}]}`
	}
	for name, tt := range map[string]struct{ record, wrong string }{
		"long":          {long(`"tries": [`), "the log record is longer than 1048576 bytes"},
		"long, skipped": {long(`"other": [`), "the log record is longer than 1048576 bytes"},
		"deep":          {`{"x": ` + strings.Repeat("[", 20_000), "exceeded max depth"},
		"deep headers":  {`{"request": {"headers": {"a": ` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}}`, ""},
		"many tries":    {`{"tries": [` + strings.Repeat(`{},`, 300_000) + `{}]}`, ""},
		"of no type":    {`{"tries": [` + strings.Repeat(`1,`, 500_000) + `1]}`, ""},
		"and another":   {founding + strings.Repeat("x", 2*MaxSize), ""},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			r, err := Parse([]byte(tt.record))
			if tt.wrong == "" {
				require.NoError(t, err)
				r.Exchange("")
			} else {
				assert.ErrorContains(t, err, tt.wrong)
			}
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(founding), "POST / HTTP/1.1")
	f.Add([]byte(`{"tries": [1, {}], "request": {"headers": {"a": [[], {}]}}, "diag405": {"client": {"method": "X"}}}`), "")
	f.Fuzz(func(t *testing.T, data []byte, line string) {
		if r, err := Parse(data); err == nil {
			r.Exchange(line)
		}
	})
}
