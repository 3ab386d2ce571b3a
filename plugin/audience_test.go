package plugin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/token"
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
				for _, name := range []string{"X-Diag-Token", "X_Diag_Token", "X-Diag_Token", "X_Diag-Token"} {
					assert.Contains(t, f.calls, "clear request's "+name, "right or wrong, it goes no further")
				}
			}
			g := founding()
			g.shared = f.shared
			c.response(g)
			assert.Len(t, g.headers, tt.headers)
			for _, said := range append(f.lines, g.lines...) {
				assert.NotContains(t, said, "sesame")
			}
			refused := len(f.lines) == 2 && f.lines[0] == "warn: [diag405] X-Diag-Token refused: it is not the one that is set"
			assert.Equal(t, tt.sent != "" && tt.headers == 1, refused, f.lines)
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

// What is for the holder of a token is kept by no cache, whatever the upstream said to
// whichever.
func TestNoCacheKeepsWhatIsForOne(t *testing.T) {
	tests := []struct {
		config, admitted string
		sent             map[string][]string // by the upstream
		want             bool
		gone             []string
	}{
		{`{"token": "t"}`, "yes", nil, true, nil},
		{`{"token": "t"}`, "yes", map[string][]string{"cache-control": {"public, max-age=60"}}, true, nil},
		{`{"token": "t"}`, "yes", map[string][]string{"expires": {"Fri, 01 Jan 2100 00:00:00 GMT"}}, true, nil},
		{`{"token": "t"}`, "yes", map[string][]string{"cdn-cache-control": {"max-age=60"}}, true, []string{"Cdn-Cache-Control"}},
		{`{"token": "t"}`, "yes", map[string][]string{"surrogate-control": {"max-age=60"}}, true, []string{"Surrogate-Control"}},
		{`{"token": "t"}`, "yes", map[string][]string{"cloudflare-cdn-cache-control": {"max-age=60"}}, true, []string{"Cloudflare-Cdn-Cache-Control"}},
		{`{"token": "t"}`, "yes", map[string][]string{"x-accel-expires": {"60"}}, true, []string{"X-Accel-Expires"}},
		{`{"token_key": "0123456789abcdef0123456789abcdef"}`, "yes", nil, true, nil},
		{`{"token": "t"}`, "", map[string][]string{"cdn-cache-control": {"max-age=60"}}, false, nil},
		{`{"token": "t", "expose": "code"}`, "yes", nil, false, nil},
		{`{}`, "yes", map[string][]string{"cache-control": {"max-age=60"}}, false, nil},
	}
	for _, tt := range tests {
		f := founding()
		f.shared = map[string]string{admittedKey: tt.admitted}
		maps.Copy(f.response, tt.sent)
		configured(t, tt.config).response(f)
		assert.Equal(t, tt.want, slices.Contains(f.headers, "Cache-Control: no-store"), tt)
		for _, name := range tt.gone {
			assert.Contains(t, f.calls, "clear "+name)
		}
	}
}

// A token that diag405 token makes, one that is too old, and others.
func TestTokensThatEnd(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	now := time.Unix(1763885563, 0)
	made := func(s token.Scope) string {
		text, err := token.Make(key, token.Token{Expires: now.Add(time.Hour), Scope: s}, now)
		require.NoError(t, err)
		return text
	}
	tests := []struct {
		name, config, sent string
		after              time.Duration
		refused            string // "" is admitted
	}{
		{"any route", `{"token_key": "` + key + `"}`, made(token.Scope{}), 0, ""},
		{"this route", `{"token_key": "` + key + `"}`, made(token.Scope{Route: "post"}), 0, ""},
		{"this service", `{"token_key": "` + key + `"}`, made(token.Scope{Service: "weather"}), 0, ""},
		{"another route", `{"token_key": "` + key + `"}`, made(token.Scope{Route: "get"}), 0, "it is for route get alone"},
		{"another service", `{"token_key": "` + key + `"}`, made(token.Scope{Service: "shop"}), 0, "it is for service shop alone"},
		{"too late", `{"token_key": "` + key + `"}`, made(token.Scope{}), 2 * time.Hour, "it expired 1h0m0s ago"},
		{"another key", `{"token_key": "x` + key + `"}`, made(token.Scope{}), 0, "it was made with another key, or changed"},
		{"a password", `{"token_key": "` + key + `"}`, "open sesame", 0, "it is none that diag405 token makes"},
		{"the key itself", `{"token_key": "` + key + `"}`, key, 0, "it is none that diag405 token makes"},
		{"either: one that ends", `{"token": "open sesame", "token_key": "` + key + `"}`, made(token.Scope{}), 0, ""},
		{"either: the other", `{"token": "open sesame", "token_key": "` + key + `"}`, "open sesame", 0, ""},
		{"only the other", `{"token": "open sesame"}`, made(token.Scope{}), 0, "it is not the one that is set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := configured(t, tt.config)
			c.now = func() time.Time { return now.Add(tt.after) }
			f := founding().inAccess()
			f.vars[tokenVariable] = tt.sent
			c.access(f)
			assert.Equal(t, tt.refused == "", f.shared[admittedKey] == "yes")
			var told []string
			for _, line := range f.lines[:len(f.lines)-1] {
				told = append(told, strings.TrimPrefix(line, "warn: [diag405] X-Diag-Token refused: "))
				assert.NotContains(t, line, tt.sent)
				assert.NotContains(t, line, key)
			}
			if tt.refused != "" {
				assert.Equal(t, []string{tt.refused}, told)
			} else {
				assert.Empty(t, told)
			}
		})
	}
}

// Who tries tokens fills no log with it.
func TestRefusedTokensAreToldSparingly(t *testing.T) {
	c := configured(t, `{"token": "t", "log_requests": "none"}`)
	now := time.Unix(1763885563, 0)
	c.lines.now = func() time.Time { return now }
	var told []string
	for i := range 1001 {
		f := founding().inAccess()
		f.vars[tokenVariable] = fmt.Sprint("guess ", i)
		if i == 1000 {
			now = now.Add(time.Second)
		}
		c.access(f)
		told = append(told, f.lines...)
	}
	assert.Equal(t, []string{
		"warn: [diag405] X-Diag-Token refused: it is not the one that is set",
		"warn: [diag405] X-Diag-Token refused 1000 times: it is not the one that is set",
	}, told)
}

// A secret that cannot be used is nobody's. It does not open to everybody what it was to
// close: Kong gives an empty text where a reference leads nowhere.
func TestUnusableSecretsCloseWhatTheyWereFor(t *testing.T) {
	for _, config := range []string{
		`{"token": ""}`, `{"token": ["t"]}`, `{"token": "{vault://env/token}"}`, `{"token_key": ""}`, `{"token_key": "short"}`, `{"token_key": 7}`,
	} {
		for _, sent := range []string{"", "t", "short", "{vault://env/token}"} {
			c := configured(t, config)
			f := founding().inAccess()
			f.vars[tokenVariable] = sent
			c.access(f)
			require.NotEmpty(t, f.lines)
			assert.Contains(t, f.lines[0], "; nobody has it, and only who has another gets all headers", config)
			g := founding()
			g.shared = f.shared
			c.response(g)
			assert.Equal(t, []string{"X-Diag: strip-path;certainty=likely"}, g.headers, config)
		}
	}
	c := configured(t, `{"token": "t", "token_key": ""}`)
	f := founding().inAccess()
	f.vars[tokenVariable] = "t"
	c.access(f)
	assert.Equal(t, "yes", f.shared[admittedKey], "the one that can be used still is")
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
		{"it panics", `{"token": "t"}`, panics + "shared", append(all, "X-Diag-Extra")},
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
			f.vars["request"] = "POST http://me:" + secret + "@localhost/api/sendWeather?key=" + secret + "&a=" + secret + "&" + secret + " HTTP/1.1"
			f.vars["upstream_uri"] = "/http:/me:" + secret + "@host/?key=" + secret + "&a=" + secret + "&" + secret + "="
			f.vars["http_host"] = "me:" + secret + "@localhost"
			f.vars[tokenVariable] = secret
			f.request = map[string][]string{
				"authorization": {"Bearer " + secret}, "cookie": {"id=" + secret}, "apikey": {secret},
				"x-api-key": {secret}, "proxy-authorization": {secret}, "x-diag-token": {secret},
				"x-http-method-override": {secret}, "origin": {"https://" + secret + "@h"}, "access-control-request-method": {secret},
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
		f.vars["request"], f.request["host"] = "POST / HTTP/1.1", []string{"shop." + upstream}
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
