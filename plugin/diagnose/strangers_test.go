package diagnose

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a client writes into its query and its headers comes into no reason and no fix,
// unless it is a method that is registered.
func TestClientsTextIsNotRepeated(t *testing.T) {
	const text = "S3CR3T"
	origins := []string{"https://" + text, "https://a.example/" + text, "https://a.example\n" + text, text, "null", "https://.*" + text, "https://[::1]:" + text, "https://me:" + text + "@a.example", "chrome-extension://" + text, "https://a.example:123456", ""}
	for _, origin := range append(origins, "https://a.example") {
		for _, method := range []string{text, "PUT", "PURGE", "put " + text} {
			for _, status := range []int{405, 404} {
				for _, sent := range []string{"POST", "GET", "OPTIONS", "HEAD"} {
					x := scene{client: sent + " /a/b", route: "/a", allow: "GET"}.exchange()
					x.Response.Status = status
					x.Client.Query = "_method=" + url.QueryEscape(method)
					for _, name := range append([]string{"Origin", "Access-Control-Request-Method", "Content-Type", "Accept", "Referer", "Upgrade", "Sec-WebSocket-Key"}, overrideHeaders...) {
						x.Client.Header.Set(name, method)
					}
					x.Client.Header.Set("Origin", origin)
					x.Client.Host = text + ".example"
					d := Explain(x, Offers{})
					for _, f := range d.Fixes {
						assert.NotContains(t, f.Words, text)
						assert.NotContains(t, f.App, text)
						assert.NotContains(t, f.Words, "PURGE")
						assert.NotContains(t, f.Words, "a.example")
						if f.Upstream != nil {
							assert.NotContains(t, f.Upstream.Method, text)
						}
						assert.NotEqual(t, text, f.Client["method"])
						if cors, ok := f.Set["plugin.cors"].(map[string]any); ok {
							assert.Equal(t, []any{"https://a.example"}, cors["origins"])
							assert.Equal(t, []string{"plugin.cors.origins"}, f.FromClient)
						}
					}
					assert.NotContains(t, d.Reason, text)
					assert.NotContains(t, d.Reason, "PURGE")
					for _, fact := range d.Facts {
						assert.NotContains(t, fact, text)
					}
				}
			}
		}
	}
}

// An origin is suggested only where it is nothing but one.
func TestPlainOrigin(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://ui.example": true, "http://localhost:3000": true, "http://127.0.0.1:8000": true, "https://xn--bcher-kva.example": true, "http://h": true,
		"null": false, "*": false, "": false, "https://": false, "https://ui.example/": false, "https://ui.example:": false, "https://ui.example:abc": false,
		"https://me@ui.example": false, "https://.*": false, "https://a|b": false, "https://[::1]": false, "https://ui.example\n": false,
		"https://UI.example": false, "https://-a": false, "file://x": false, "https://a b": false, "https://ui.example,https://b": false,
	} {
		assert.Equal(t, want, plainOrigin.MatchString(origin), "%q", origin)
	}
}

// A host that only a Host header names is not repeated either.
func TestHostIsNotRepeated(t *testing.T) {
	x := scene{client: "PUT /", route: "/", allow: "GET", host: "bucket.app.test > app.test", answer: "Server: MinIO"}.exchange()
	d := Explain(x, Offers{})
	assert.Equal(t, HostHeader, d.Cause)
	assert.NotContains(t, d.Reason, "bucket")
}

func TestRegisteredMethodsAreNamed(t *testing.T) {
	x := scene{client: "POST /a/b", route: "/a", header: "X-HTTP-Method-Override: patch", allow: "GET, PATCH"}.exchange()
	d := Explain(x, Offers{})
	assert.Equal(t, MethodOverride, d.Cause)
	assert.Contains(t, d.Reason, "the client means PATCH (its X-HTTP-Method-Override header says so)")
	assert.Equal(t, map[string]any{"method": http.MethodPatch}, d.Fixes[0].Client)
}
