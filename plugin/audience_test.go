package plugin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenDecidesWhoSeesAll(t *testing.T) {
	tests := []struct {
		name, sent string
		headers    int
	}{
		{"right", "open sesame", 6}, // with Cache-Control
		{"wrong", "open", 1},
		{"longer", "open sesame!", 1},
		{"none", "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := configured(t, `{"token": "open sesame"}`)
			f := founding().inAccess()
			f.vars[tokenVariable] = tt.sent
			c.access(f)
			if tt.sent != "" {
				assert.Contains(t, f.calls, "clear request's X-Diag-Token", "right or wrong, it goes no further")
			}
			g := founding()
			g.shared = f.shared
			c.response(g)
			assert.Len(t, g.headers, tt.headers)
			for _, said := range append(f.lines, g.lines...) {
				assert.NotContains(t, said, "sesame")
			}
		})
	}
}

// Without a token nothing is asked for one.
func TestNoTokenNoCalls(t *testing.T) {
	f := founding().inAccess()
	configured(t, `{}`).access(f)
	assert.NotContains(t, f.calls, "var "+tokenVariable)
	g := founding()
	configured(t, `{}`).response(g)
	assert.NotContains(t, g.calls, "shared")
}

func TestCacheControlForTokenHolders(t *testing.T) {
	for cacheControl, want := range map[string]bool{"": true, "max-age=60": false} {
		f := founding()
		f.shared = map[string]string{admittedKey: "yes"}
		if cacheControl != "" {
			f.response["cache-control"] = []string{cacheControl}
		}
		configured(t, `{"token": "t"}`).response(f)
		if want {
			assert.Contains(t, f.headers, "Cache-Control: no-store")
		} else {
			assert.NotContains(t, f.headers, "Cache-Control: no-store")
		}
	}
}

// What the upstream sends under our names is not left to be taken for ours, whatever
// is exposed, explained or not, and however many headers stand before it: Kong shows a
// hundred.
func TestForgedHeadersGo(t *testing.T) {
	all := []string{"X-Diag", "X-Diag-Reason", "X-Diag-Fix", "X-Diag-Request", "X-Diag-Upstream"}
	why := []string{"X-Why", "X-Why-Reason", "X-Why-Fix", "X-Why-Request", "X-Why-Upstream"}
	tests := []struct {
		name, config, failing string
		gone                  []string
	}{
		{"none", `{"expose": "none"}`, "", append(all, "X-Diag-Extra")},
		{"code", `{"expose": "code"}`, "", append(all[1:], "X-Diag-Extra")},
		{"full", `{}`, "", []string{"X-Diag-Extra"}}, // the others are set anew
		{"another prefix", `{"header_prefix": "X-Why", "expose": "none"}`, "", append(why, "X-Diag", "X-Diag-Extra", "X-Diag-Fix")},
		{"not explained", `{}`, "service", all},
		{"not explained, another prefix", `{"header_prefix": "X-Why"}`, "response headers", why},
		{"it panics", `{}`, panics + "var remote_addr", append(all, "X-Diag-Extra")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := founding()
			f.failing = tt.failing
			for _, name := range []string{"x-diag", "x-diag-fix", "x-diag-extra", "x-diagonal"} {
				f.response[name] = []string{"forged"}
			}
			c := configured(t, tt.config)
			if strings.HasPrefix(tt.failing, panics) {
				assert.Panics(t, func() { c.response(f) })
			} else {
				c.response(f)
			}
			var cleared []string
			for _, call := range f.calls {
				if name, ok := strings.CutPrefix(call, "clear "); ok {
					cleared = append(cleared, name)
				}
			}
			assert.ElementsMatch(t, tt.gone, cleared)
		})
	}
}

func TestProxyStatus(t *testing.T) {
	f := founding()
	configured(t, `{"proxy_status": true}`).response(f)
	assert.Contains(t, f.headers, "Proxy-Status: kong;received-status=405")
}

// Secrets of every kind come in by every way, and are found in no output.
func TestSecretsAreNotTold(t *testing.T) {
	const secret = "s3cr3t"
	configs := []string{`{}`, `{"log_format": "json"}`, `{"show_upstream_address": true, "proxy_status": true}`, `{"token": "` + secret + `"}`, `{"expose": "code"}`, `{"token": {"` + secret + `": "` + secret + `"}}`}
	for _, config := range configs {
		for _, admitted := range []bool{false, true} {
			f := founding()
			f.vars["request"] = "POST http://me:" + secret + "@localhost/api/sendWeather?key=" + secret + "&" + "a=" + secret + " HTTP/1.1"
			f.vars["upstream_uri"] = "/?key=" + secret + "&a=" + secret
			f.vars[tokenVariable] = secret
			f.request = map[string][]string{
				"authorization": {"Bearer " + secret}, "cookie": {"id=" + secret}, "apikey": {secret},
				"x-api-key": {secret}, "proxy-authorization": {secret}, "x-diag-token": {secret},
				"referer": {"http://h/?k=" + secret}, "content-type": {"application/json; x=" + secret},
			}
			f.response["set-cookie"] = []string{"id=" + secret}
			f.response["www-authenticate"] = []string{secret}
			f.service.Path = ""
			c := configured(t, config)
			a := founding().inAccess()
			a.vars = f.vars
			c.access(a)
			if admitted {
				f.shared = map[string]string{admittedKey: "yes"}
			}
			c.response(f)
			require.NotEmpty(t, f.lines)
			told := append(append(append([]string{}, f.headers...), f.lines...), a.lines...)
			for _, said := range append(told, strings.Join(flatten(f.record), "\n")) {
				assert.NotContains(t, said, secret, config)
			}
		}
	}
}

// flatten gives all strings in a record, keys included.
func flatten(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, flatten(e)...)
		}
		return out
	case map[string]any:
		var out []string
		for k, e := range v {
			out = append(append(out, k), flatten(e)...)
		}
		return out
	}
	return nil
}

// Without show_upstream_address no header has the upstream's host, port or scheme,
// whatever the cause.
func TestUpstreamAddressIsNotTold(t *testing.T) {
	for _, upstream := range []string{"inner.test:8900", "inner.test"} {
		f := founding()
		f.vars["request"], f.vars["http_host"] = "POST / HTTP/1.1", "shop."+upstream
		f.vars["upstream_host"], f.vars["upstream_x_forwarded_prefix"] = upstream, ""
		f.route.Paths, f.route.Hosts = []string{"/"}, []string{"shop." + upstream}
		f.service.Host = "inner.test"
		f.response = map[string][]string{"server": {"MinIO"}, "allow": {"GET"}}
		configured(t, `{}`).response(f)
		require.NotEmpty(t, f.headers)
		assert.Equal(t, "X-Diag: host-header;certainty=likely", f.headers[0])
		for _, h := range f.headers {
			told := strings.ReplaceAll(h, "shop.inner.test", "") // what the client asked for
			assert.NotContains(t, told, "inner.test")
			assert.NotContains(t, told, "http:")
		}
	}
}
