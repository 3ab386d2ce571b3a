package adminapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"http://localhost:8001/":      "http://localhost:8001",
		"localhost:8001":              "http://localhost:8001",
		"kong":                        "http://kong:8001",
		"[::1]":                       "http://[::1]:8001",
		"kong/admin-api/":             "http://kong:8001/admin-api",
		"https://kong/admin?x=1":      "https://kong/admin",
		"http://user:secret@kong:801": "http://kong:801",
		"ftp://kong":                  "",
		"":                            "",
		"http://":                     "",
	} {
		c, err := New(address, nil)
		if want == "" {
			assert.ErrorContains(t, err, "is not an address", address)
			continue
		}
		require.NoError(t, err, address)
		assert.Equal(t, want, c.Address(), address)
	}
}

// kongs are Admin APIs by path, each a status and a body.
type kongs map[string]string

func (k kongs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, ok := k[r.URL.Path]
	if !ok {
		answer = `200 {"data": [], "next": null}`
	}
	status, body, _ := strings.Cut(answer, " ")
	w.Header().Set("Server", "kong/3.9.1")
	n := 0
	fmt.Sscan(status, &n)
	w.WriteHeader(n)
	fmt.Fprint(w, body)
}

func TestAbout(t *testing.T) {
	for _, row := range []struct {
		name, root, status, want, notes string
	}{
		{"all", `200 {"version": "3.9.1", "configuration": {"router_flavor": "expressions", "database": "postgres", "role": "control_plane"}}`, "404",
			"3.9.1 at URL, router expressions, database postgres", ""},
		{"a data plane", `200 {"version": "3.8.0", "configuration": {"router_flavor": "traditional", "database": "off", "role": "data_plane"}}`, "404",
			"3.8.0 at URL, router traditional, a data plane", ""},
		{"GET / fails, no database", "500", `200 {"configuration_hash": "x", "database": {"reachable": true}}`,
			"3.9.1 at URL, without a database", "GET / of the Admin API answered 500, so the router flavour is not known"},
		{"GET / fails, a database", "500", `200 {"database": {"reachable": true}}`,
			"3.9.1 at URL", "GET / of the Admin API answered 500, so the router flavour is not known"},
		{"both fail", "403", "403", "3.9.1 at URL", "GET / of the Admin API answered 403, so the router flavour is not known"},
		{"another page at GET /", `200 <html>`, "404", "3.9.1 at URL", "GET / of the Admin API answered with something else than Kong does, so the router flavour is not known"},
		{"an old one", `200 {"version": "2.8.1", "configuration": {"database": "postgres"}}`, "404",
			"2.8.1 at URL, database postgres", "the Admin API does not tell the router flavour\nthis is Kong 2.8.1; what is said here is true of Kong 3"},
		{"a flavour of the future", `200 {"version": "3.9.1", "configuration": {"router_flavor": "new", "database": "off"}}`, "404",
			"3.9.1 at URL, without a database", "the Admin API does not tell the router flavour"},
	} {
		server := httptest.NewServer(kongs{"/": row.root, "/status": row.status})
		c, err := New(server.URL, nil)
		require.NoError(t, err)
		kong, _, err := c.Read(t.Context(), "")
		require.NoError(t, err, row.name)
		assert.Equal(t, strings.Replace(row.want, "URL", server.URL, 1), kong.String(), row.name)
		assert.Equal(t, row.notes, strings.Join(kong.Notes, "\n"), row.name)
		server.Close()
	}
}

// Names stand in paths escaped once, whatever is in them.
func TestNamesInPaths(t *testing.T) {
	const id = "5a7d2c3e-0000-4000-8000-00000000000"
	server := httptest.NewServer(kongs{
		"/":                              `200 {"version": "3.9.1", "configuration": {"router_flavor": "traditional_compatible", "database": "postgres"}}`,
		"/workspaces":                    `200 {"data": [{"name": "default"}, {"name": "Über uns/2"}]}`,
		"/Über uns/2/services":           `200 {"data": [{"id": "` + id + `1", "name": "s", "host": "h"}]}`,
		"/Über uns/2/consumers/ann 100%": `200 {"id": "` + id + `2", "username": "ann 100%"}`,
		"/default/consumers/ann 100%":    "404",
		"/Über uns/2/consumers/ann 100%/consumer_groups": `200 {"consumer_groups": [{"id": "` + id + `3", "name": "gold"}]}`,
	})
	defer server.Close()
	c, err := New(server.URL, nil)
	require.NoError(t, err)
	kong, all, err := c.Read(t.Context(), "ann 100%")
	require.NoError(t, err)
	assert.Equal(t, []string{"default", "Über uns/2"}, kong.Workspaces)
	assert.Len(t, all.Services, 1)
	assert.Len(t, all.Consumers, 1)
	assert.Len(t, all.Groups, 1)
}

// Workspaces that a token does not show are said to be left out.
func TestHiddenWorkspaces(t *testing.T) {
	server := httptest.NewServer(kongs{"/workspaces": `403 {"message": "you do not have permissions"}`, "/routes": `200 {"data": {}, "next": null}`,
		"/": `200 {"version": "3.9.0.1", "configuration": {"router_flavor": "traditional", "database": "postgres"}}`})
	defer server.Close()
	c, err := New(server.URL, nil)
	require.NoError(t, err)
	kong, all, err := c.Read(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"the Admin API does not show its workspaces without another token, so this is the default one alone"}, kong.Notes)
	assert.Empty(t, all.Routes, "what Lua writes for an empty list")
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"kong":                         "http://kong:8001",
		"kong:8001":                    "http://kong:8001",
		":8001":                        "http://localhost:8001",
		"[::1]":                        "http://[::1]:8001",
		"HTTPS://kong/admin/":          "https://kong/admin",
		"http://ann:secret@kong:8444/": "http://kong:8444",
		"kong/my%20admin?x#y":          "http://kong:8001/my%20admin",
	} {
		c, err := New(in, nil)
		require.NoError(t, err, in)
		assert.Equal(t, want, c.Address(), in)
	}
	for _, in := range []string{"", " kong", "ftp://kong", "http://", "//kong"} {
		_, err := New(in, nil)
		assert.Error(t, err, in)
	}
}

// The Admin API's other port is for TLS.
func TestWantsTLS(t *testing.T) {
	server := httptest.NewServer(kongs{"/": "400 <center>The plain HTTP request was sent to HTTPS port</center>"})
	defer server.Close()
	c, err := New(server.URL, nil)
	require.NoError(t, err)
	_, _, err = c.Read(t.Context(), "")
	assert.EqualError(t, err, `"`+server.URL+`": GET / was answered that this port wants https://`)
}

// What is read is bounded in all, not only each answer.
func TestBudget(t *testing.T) {
	page := `200 {"data": ["` + strings.Repeat("x", 1000) + `"]}`
	server := httptest.NewServer(kongs{"/services": page, "/routes": page})
	defer server.Close()
	c, err := New(server.URL, nil)
	require.NoError(t, err)
	c.left = 1500
	_, _, err = c.Read(t.Context(), "")
	assert.ErrorContains(t, err, "/routes gives more than the 64 MB that are read in all")
}

// An Admin API that answers a little now and then, and never all, is read for two
// minutes.
func TestTime(t *testing.T) {
	for name, every := range map[string]time.Duration{"slow pages": 20 * time.Second, "no page": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New("http://127.0.0.1:1", nil)
			require.NoError(t, err)
			page := 0
			c.client.Transport = roundTrip(func(req *http.Request) *http.Response {
				page++
				text := fmt.Sprintf(`{"data": [], "version": "3.9.1", "next": "/routes?offset=%d"}`, page)
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&slow{req.Context(), every, strings.NewReader(text)})}
			})
			begun := time.Now()
			_, _, err = c.Read(t.Context(), "")
			assert.ErrorContains(t, err, "took longer than 2m0s in all", name)
			assert.Equal(t, 2*time.Minute, time.Since(begun), name)
		})
	}
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return f(r), nil
}

// slow is a body of which something comes now and then, until ctx ends.
type slow struct {
	ctx   context.Context
	every time.Duration
	text  io.Reader
}

func (s *slow) Read(p []byte) (int, error) {
	select {
	case <-time.After(s.every):
		return s.text.Read(p)
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

// What Kong can run is in GET /, with versions, and else to be asked one by one.
func TestPlugins(t *testing.T) {
	server := httptest.NewServer(kongs{
		"/":                          `200 {"version": "3.9.1", "plugins": {"available_on_server": {"cors": {"version": "3.9.1", "priority": 2000}, "old": true}}}`,
		"/schemas/plugins/cors":      `200 {"fields": []}`,
		"/schemas/plugins/none":      `404 {"message": "No plugin named 'none'"}`,
		"/schemas/plugins/forbidden": `403 {}`,
	})
	defer server.Close()
	c, err := New(server.URL, nil)
	require.NoError(t, err)
	kong, _, err := c.Read(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, 200, kong.Root)
	assert.Equal(t, map[string]string{"cors": "3.9.1", "old": ""}, kong.Plugins)
	can, err := c.CanRun(t.Context(), "cors")
	assert.True(t, can)
	assert.NoError(t, err)
	can, err = c.CanRun(t.Context(), "none")
	assert.False(t, can)
	assert.NoError(t, err)
	_, err = c.CanRun(t.Context(), "forbidden")
	assert.ErrorIs(t, err, ErrRefused)

	failing := httptest.NewServer(kongs{"/": `500 {"message": "An unexpected error occurred"}`})
	defer failing.Close()
	c, err = New(failing.URL, nil)
	require.NoError(t, err)
	kong, _, err = c.Read(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, 500, kong.Root)
	assert.Nil(t, kong.Plugins)
}
