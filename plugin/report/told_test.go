package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/plugin/diagnose"
)

// Of a query only names are told, and what may be a value as well is taken for one.
func TestQueryHasNamesAlone(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                  "",
		"key=s3cr3t":                        "?key",
		"a=1&b=2&a=3":                       "?a&b&a",
		"filter[name]=x&a.b=c":              "?filter[name]&a.b",
		"s3cr3t":                            "?*",
		"a=1&s3cr3t":                        "?a&*",
		"s3cr3t=":                           "?*",
		"czNjcjN0==":                        "?*",
		"a=1&&b=2":                          "?a&*&b",
		`{"k":"s3cr3t=1"}`:                  "?*",
		"%73%33cr3t=1":                      "?*",
		"=s3cr3t":                           "?*",
		"me:s3cr3t@h=1":                     "?*",
		strings.Repeat("s3cr3t", 11) + "=1": "?*",
	} {
		assert.Equal(t, want, query(raw, false), raw)
	}
	assert.Equal(t, "?s3cr3t&a=1", query("s3cr3t&a=1", true))
}

func TestUserInfoIsNotTold(t *testing.T) {
	for text, want := range map[string]string{
		"/fetch/http://me:s3cr3t@host/x":         "/fetch/http://host/x",
		"/fetch/http:/me:s3cr3t@host/x":          "/fetch/http:/host/x", // as Kong merges slashes
		"/fetch/http%3A%2F%2Fme:s3cr3t@host/x":   "/fetch/http%3A%2F%2Fhost/x",
		"/fetch/http%3a%2f%2Fme%3As3cr3t%40h%2F": "/fetch/http%3a%2f%2Fh%2F",
		"/fetch/ftp://s3cr3t@host":               "/fetch/ftp://host",
		"/http://a:s3cr3t@b:s3cr3t@host":         "/http://host",
		"GET http://me:s3cr3t@host/ and more":    "GET http://host/ and more",
		"?u=https://me:s3cr3t@host/&v=1":         "?u=https://host/&v=1",
		"/npm/@scope/package":                    "/npm/@scope/package",
		"/users/me@example.com":                  "/users/me@example.com",
		"http://host/me@example.com":             "http://host/me@example.com",
	} {
		assert.Equal(t, want, told(text), text)
	}
}

// Wherever a secret comes in, it is told in no header, line or record.
func TestSecretsInURLsAreNotTold(t *testing.T) {
	x := founding()
	for _, r := range []*diagnose.Request{&x.Client, &x.Upstream} {
		r.Query = "key=s3cr3t&s3cr3t&s3cr3t="
		r.Host = "me:s3cr3t@" + r.Host
		r.Path += "/proxy/http://me:s3cr3t@host/"
	}
	d := diagnose.Explain(x, diagnose.Offers{})
	for _, o := range []Options{{HeaderPrefix: "X-Diag", ShowAddress: true}, {HeaderPrefix: "X-Diag", JSON: true}} {
		for _, h := range Headers(x, d, o) {
			assert.NotContains(t, h.Value, "s3cr3t", h.Name)
		}
		assert.NotContains(t, AccessLine(x, o), "s3cr3t")
		assert.NotContains(t, DiagnosisLine(x, d, o), "s3cr3t")
		assert.NotContains(t, compactJSON(Record(x, d, o)), "s3cr3t")
	}
}

// A fix that was made of something in the request says so, as data.
func TestFromClient(t *testing.T) {
	x := founding()
	x.Client.Method, x.Upstream.Method, x.Route.Methods = "OPTIONS", "OPTIONS", nil
	x.Client.Header = map[string][]string{"Origin": {"https://ui.example"}, "Access-Control-Request-Method": {"PUT"}}
	d := diagnose.Explain(x, diagnose.Offers{})
	const want = `{"from_client":["plugin.cors.origins"],"set":{"plugin.cors":{"origins":["https://ui.example"],"preflight_continue":false}}}`
	assert.Equal(t, want, compactJSON(change(d.Fixes[0])))
	first := Record(x, d, options)["fixes"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{"plugin.cors.origins"}, first["from_client"])
	for _, h := range Headers(x, d, options) {
		assert.NotContains(t, h.Value, "ui.example", h.Name)
	}
}
