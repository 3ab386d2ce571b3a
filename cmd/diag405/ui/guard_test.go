package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testHost = "127.0.0.1:8405"

// guarded is a guard in front of something that answers 204.
func guarded() *guard {
	return newGuard(testHost, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
}

// ask sends a request with headers, name and value in turn.
func (g *guard) ask(method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = testHost
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w.Result()
}

func TestGuard(t *testing.T) {
	g := guarded()
	cookie := "diag405-8405=" + g.token
	for _, tt := range []struct {
		name, method, target string
		headers              []string
		want                 int
	}{
		{"the printed address", "GET", "/?token=" + g.token, nil, 204},
		{"later, with the cookie", "GET", "/", []string{"Cookie", cookie}, 204},
		{"a question of the page's", "POST", "/explain", []string{"Cookie", cookie, "Origin", "http://" + testHost, "Sec-Fetch-Site", "same-origin"}, 204},
		{"by the other name", "GET", "/", []string{"Cookie", cookie, "Host", "localhost:8405"}, 204},
		{"a link elsewhere", "GET", "/?token=" + g.token, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 204},

		{"no token", "GET", "/", nil, 403},
		{"no token, for a script", "GET", "/main.js", nil, 403},
		{"a wrong token", "GET", "/?token=" + strings.ToLower(g.token), nil, 403},
		{"a wrong cookie", "GET", "/", []string{"Cookie", "diag405-8405=" + g.token[1:]}, 403},
		{"the cookie of another port", "GET", "/", []string{"Cookie", "diag405-8406=" + g.token}, 403},
		{"a token where nobody arrives", "GET", "/explain?token=" + g.token, nil, 403},
		{"a token that is posted", "POST", "/?token=" + g.token, nil, 403},

		{"a name that was pointed here", "GET", "/?token=" + g.token, []string{"Host", "evil.example:8405"}, 421},
		{"another port", "GET", "/", []string{"Cookie", cookie, "Host", "127.0.0.1:80"}, 421},
		{"another page's question", "POST", "/explain", []string{"Cookie", cookie, "Origin", "http://evil.example"}, 403},
		{"a page on another port", "POST", "/explain", []string{"Cookie", cookie, "Origin", "http://127.0.0.1:3000"}, 403},
		{"a page with no origin", "POST", "/explain", []string{"Cookie", cookie, "Origin", "null"}, 403},
		{"the same over https", "POST", "/explain", []string{"Cookie", cookie, "Origin", "https://" + testHost}, 403},
		{"another page's picture", "GET", "/log", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a neighbour's frame", "GET", "/log", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate"}, 403},
	} {
		res := g.ask(tt.method, tt.target, tt.headers...)
		assert.Equal(t, tt.want, res.StatusCode, tt.name)
		assert.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'", tt.name)
		assert.NotContains(t, res.Header.Get("Content-Security-Policy"), "unsafe", tt.name)
		assert.Equal(t, "no-store", res.Header.Get("Cache-Control"), tt.name)
		assert.Equal(t, "no-referrer", res.Header.Get("Referrer-Policy"), tt.name)
	}
}

// The cookie goes to this page's own requests, and no script sees it.
func TestGuardCookie(t *testing.T) {
	g := guarded()
	cookies := g.ask("GET", "/?token="+g.token).Cookies()
	require.Len(t, cookies, 1)
	assert.True(t, cookies[0].HttpOnly)
	assert.Equal(t, http.SameSiteStrictMode, cookies[0].SameSite)
	assert.Equal(t, g.token, cookies[0].Value)
	assert.Empty(t, cookies[0].Domain)
	assert.Empty(t, g.ask("GET", "/").Cookies())
}

// What a browser is started with holds once: others can read it.
func TestGuardOnce(t *testing.T) {
	g := guarded()
	once, err := url.Parse(g.addressOnce())
	require.NoError(t, err)
	assert.NotEqual(t, g.token, once.Query().Get("token"))
	res := g.ask("GET", once.RequestURI())
	assert.Equal(t, 204, res.StatusCode)
	assert.Equal(t, g.token, res.Cookies()[0].Value)
	assert.Equal(t, 403, g.ask("GET", once.RequestURI()).StatusCode)
	assert.Equal(t, 204, g.ask("GET", "/?token="+g.token).StatusCode)
}

// Each start has another token, with enough of chance in it.
func TestGuardTokens(t *testing.T) {
	assert.NotEqual(t, guarded().token, guarded().token)
	assert.GreaterOrEqual(t, len(guarded().token), 26) // of 32 signs: 128 bits
}

func TestListen(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.0.0.1:8405", "127.1.2.3:1", "[::1]:0"} {
		assert.NoError(t, checkListen(address))
	}
	for _, address := range []string{"0.0.0.0:8405", "[::]:0", "10.0.0.1:80", ":8405", "localhost:8405", "127.0.0.1", "example.com:80", ""} {
		assert.ErrorContains(t, checkListen(address), "-listen", address)
	}
}
