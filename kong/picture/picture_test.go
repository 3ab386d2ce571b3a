package picture

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

var update = flag.Bool("update", false, "draw the pictures in testdata and docs/images anew")

// The pictures, by the files that they stand in.
var drawn = map[string]Parts{
	"stripped": {Method: "POST", Client: "/api/sendWeather", Route: "post", Matched: "/api/sendWeather", StripPath: true,
		Stripped: "/api/sendWeather", ServiceName: "weather", Upstream: "/"},
	"kept": {Method: "GET", Client: "/api/items/7", Route: "items", Matched: "/api", ServiceName: "shop", Service: "/v1", Upstream: "/v1/api/items/7"},
	"plugin": {Method: "POST", Client: "//orders/./7", Normalised: "/orders/7", Route: "orders", Matched: "/orders", StripPath: true, Stripped: "/orders",
		ServiceName: "shop", Service: "/base/", Computed: "/base/7", Plugin: "plugin request-transformer", UpstreamMethod: "GET", Upstream: "/hello/world"},
	"answered": {Method: "TRACE", Client: "/", Answer: "nginx answers: it refuses every TRACE"},
	"long":     {Method: "DELETE", Client: "/a" + strings.Repeat("/segment", 100), Route: "long", Matched: "/a", StripPath: true, Stripped: "/a", ServiceName: "s", Upstream: strings.Repeat("/segment", 100)},
	"line":     {Method: "POST", Client: "/only/what/an/access/log/has"},
}

func TestPath(t *testing.T) {
	for name, parts := range drawn {
		file := filepath.Join("testdata", name+".svg")
		got := Path(parts) + "\n"
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, name)
	}
}

func TestOf(t *testing.T) {
	cfg, err := config.Load([]config.File{{Name: "kong.yml", Data: []byte(`
_format_version: "3.0"
services:
- name: weather
  url: http://weather:8900/base
  routes:
  - name: post
    paths: ["/api"]
`)}})
	require.NoError(t, err)
	of := func(target string) Parts {
		f, err := forecast.Of(cfg, forecast.Request{Method: "POST", Target: target, Host: "localhost", Scheme: "http"})
		require.NoError(t, err)
		return Of(f)
	}
	assert.Equal(t, Parts{
		Method: "POST", Client: "/api//x", Normalised: "/api/x", Route: "post", Matched: "/api", StripPath: true, Stripped: "/api",
		ServiceName: "weather", Service: "/base", Computed: "/base/x", UpstreamMethod: "POST", Upstream: "/base/x",
	}, of("/api//x?q=1"))
	assert.Equal(t, Parts{Method: "POST", Client: "/x", Answer: "Kong answers: no route matches"}, of("/x"))
}

// What is drawn of a path is the whole path, however it was cut and joined.
func TestPiecesAreThePath(t *testing.T) {
	for _, p := range []Parts{
		{Client: "/api/x", Matched: "/api", Stripped: "/api", Upstream: "/x"},
		{Client: "/apix", Matched: "/api", Stripped: "/api", Upstream: "/x"},
		{Client: "/api", Matched: "/api", Stripped: "/api", Service: "/base/", Upstream: "/base/"},
		{Client: "/api/x", Matched: "/api", Service: "/base", Upstream: "/baseapi/x"}, // path_handling v1
		{Client: "/", Matched: "/", Service: "/base", Upstream: "/base"},
		{Client: "/a b", Matched: "/a", Upstream: "/a%20b"},
		{Client: "/", Upstream: "/"},
		{Client: "", Upstream: "/x"},
		{Client: "/x", Upstream: "y"},
	} {
		assert.Equal(t, p.Client, textOf(p.cut()), "%+v", p)
		assert.Equal(t, p.Upstream, textOf(p.joined(p.Upstream)), "%+v", p)
	}
}

func textOf(all []piece) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.text)
	}
	return b.String()
}

// Whatever a client sent, the picture is well-formed and has no element of the client's.
func FuzzPath(f *testing.F) {
	f.Add(`/<script>alert(1)</script>`, `/"><img src=x>`, "\x00\xff\u202e", "/")
	f.Add("/api/x", "/api", "POST", "/base/x")
	f.Fuzz(func(t *testing.T, client, matched, name, upstream string) {
		p := Parts{Method: name, Client: client, Matched: matched, Stripped: matched, Route: name, ServiceName: name, Service: matched, Upstream: upstream, Answer: name}
		if textOf(p.cut()) != client || textOf(p.joined(upstream)) != upstream {
			t.Fatalf("%+v is cut into %q and joined to %q", p, p.cut(), p.joined(upstream))
		}
		in := xml.NewDecoder(strings.NewReader(Path(p)))
		for {
			token, err := in.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			require.NoError(t, err)
			if e, ok := token.(xml.StartElement); ok {
				require.Contains(t, []string{"svg", "rect", "path", "text"}, e.Name.Local)
			}
		}
	})
}

func ExamplePath() {
	svg := Path(Parts{Method: "POST", Client: "/api/x", Route: "r", Matched: "/api", StripPath: true, Stripped: "/api", ServiceName: "s", Upstream: "/x"})
	label, _, _ := strings.Cut(svg[strings.Index(svg, "aria-label=")+len(`aria-label="`):], `"`)
	os.Stdout.WriteString(label + "\n")
	// Output: the client asks POST /api/x; route r matches; strip_path takes /api away; service s puts nothing in front; the upstream gets POST /x
}
