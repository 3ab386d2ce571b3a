package diagnose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every header that a cause asks for by its name is among the traits.
func TestTraitsHaveEveryHeader(t *testing.T) {
	asks := regexp.MustCompile(`(Client|Response)\.Header\.(?:Get|Values)\("([^"]+)"\)`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range asks.FindAllStringSubmatch(string(source), -1) {
			found++
			if m[1] == "Client" {
				assert.Contains(t, slices.Concat(askedHeaders, overrideHeaders), m[2], file)
			} else {
				assert.Contains(t, answerHeaders, m[2], file)
			}
		}
	}
	assert.Greater(t, found, 8)
}

func TestTraits(t *testing.T) {
	traits := func(change func(*Exchange)) string {
		x := Exchange{
			Client:   Request{Method: "POST", Path: "/a", Header: map[string][]string{}},
			Upstream: Request{Method: "POST", Path: "/a"},
			Response: Response{Status: 405, Header: map[string][]string{"Allow": {"GET"}}},
		}
		change(&x)
		return string(AppendTraits(nil, x))
	}
	base := traits(func(*Exchange) {})
	for name, change := range map[string]func(*Exchange){
		"a header that nobody looks at": func(x *Exchange) { x.Client.Header.Set("User-Agent", "curl") },
		"a date":                        func(x *Exchange) { x.Response.Header.Set("Date", "now") },
		"a query":                       func(x *Exchange) { x.Client.Query = "page=7" },
		"a path":                        func(x *Exchange) { x.Client.Path = "/b" },
	} {
		assert.Equal(t, base, traits(change), name)
	}
	for name, change := range map[string]func(*Exchange){
		"the method":     func(x *Exchange) { x.Client.Method = "PUT" },
		"Allow":          func(x *Exchange) { x.Response.Header.Set("Allow", "GET, HEAD") },
		"no Allow":       func(x *Exchange) { x.Response.Header.Del("Allow") },
		"an empty Allow": func(x *Exchange) { x.Response.Header.Set("Allow", "") },
		"the server":     func(x *Exchange) { x.Response.Header.Set("Server", "nginx") },
		"an override":    func(x *Exchange) { x.Client.Header.Set(overrideHeaders[0], "PUT") },
		"one in a query": func(x *Exchange) { x.Client.Query = "_method=PUT" },
		"a lost handshake": func(x *Exchange) {
			x.Client.Method = "GET"
			x.Client.Header.Set("Sec-Websocket-Key", "k")
		},
		"the status": func(x *Exchange) { x.Response.Status = 404 },
	} {
		assert.NotEqual(t, base, traits(change), name)
	}
	// That a store gave the answer an id counts, and not which.
	id := func(value string) string {
		return traits(func(x *Exchange) { x.Response.Header.Set("X-Amz-Request-Id", value) })
	}
	assert.Equal(t, id("1"), id("2"))
	assert.NotEqual(t, base, id("1"))
}
