package plugin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"diag405/plugin/diagnose"
	"diag405/plugin/report"
	"diag405/plugin/token"
)

// tokenVariable is the header with the token of somebody who may see everything, as
// nginx names it. It has that of each of tokenHeaders, since a header keeps its
// underscores (underscores_in_headers) and a variable makes them of dashes
// (ngx_http_variable_unknown_header); of several it has all, with commas.
const tokenVariable = "http_x_diag_token"

var tokenHeaders = []string{"X-Diag-Token", "X_Diag_Token", "X-Diag_Token", "X_Diag-Token"}

// admittedKey is where kong.ctx.shared keeps that a request came with the token,
// since the header is gone when the upstream has answered.
const admittedKey = "diag405_admitted"

// needsToken reports whether only some clients may see all headers.
func (c *Config) needsToken() bool { return c.Token != "" || c.TokenKey != "" || c.closed }

// pass is what a request brought in the header of the token.
type pass struct {
	sent    bool
	refused error // why; nil for one that is right
}

// pass looks at the token that the request carries. It asks Kong for nothing when nobody
// needs one, and for route and service where one is for those alone.
func (c *Config) pass(gw gateway) pass {
	if !c.needsToken() {
		return pass{}
	}
	text, _ := gw.Var(tokenVariable) // without an answer nobody is admitted
	if text == "" {
		return pass{}
	}
	return pass{sent: true, refused: c.check(gw, text)}
}

// check says what is wrong with a token.
func (c *Config) check(gw gateway, text string) error {
	if c.Token != "" && sameSecret(text, c.Token) {
		return nil
	}
	if c.TokenKey == "" {
		return errors.New("it is not the one that is set")
	}
	t, err := token.Read(c.TokenKey, text)
	if err != nil {
		return err
	}
	if t.Scope == (token.Scope{}) {
		return t.Admits(clock(c.now), nil, nil)
	}
	r := reader{gw: gw}
	service := r.service()
	route := r.route(service)
	if r.err != nil {
		return r.err
	}
	return t.Admits(clock(c.now), route, service)
}

// admit takes a token out of the request in every spelling, so that it never reaches
// the upstream or a log plugin, remembers that it was right, and says why it was not.
func (c *Config) admit(gw gateway, p pass) {
	if !p.sent {
		return
	}
	for _, name := range tokenHeaders {
		if gw.ClearRequestHeader(name) != nil {
			return
		}
	}
	if p.refused == nil {
		_ = gw.Share(admittedKey, "yes")
		return
	}
	why := p.refused.Error()
	switch times := c.lines.line(hashed("token", why), hashed("token")); times {
	case 0:
	case 1:
		note(gw, "warn", "X-Diag-Token refused: "+why)
	default:
		note(gw, "warn", fmt.Sprintf("X-Diag-Token refused %d times: %s", times, why))
	}
}

// sameSecret compares in a time that tells neither a common beginning nor the
// length.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// exposure is what this request's client gets: full, code or none.
func (c *Config) exposure(gw gateway) string {
	if c.Expose != "full" || !c.needsToken() {
		return c.Expose
	}
	if admitted, err := gw.Shared(admittedKey); err != nil || admitted != "yes" {
		return "code"
	}
	return "full"
}

// annotate puts the diagnosis on the answer, and adds to ours the headers that it sets.
func (c *Config) annotate(gw gateway, x diagnose.Exchange, d diagnose.Diagnosis, ours *[]report.Header) error {
	exposure := c.exposure(gw)
	if exposure != "none" {
		o := c.options()
		o.CodeOnly = exposure == "code"
		*ours = report.Headers(x, d, o)
	}
	if len(*ours) > 0 {
		if err := gw.SetHeaders(*ours); err != nil {
			return err
		}
	}
	if c.ProxyStatus {
		// RFC 9209 section 2: a list, to which each intermediary adds itself at the end.
		if err := gw.AddHeader("Proxy-Status", report.ProxyStatus(x)); err != nil {
			return err
		}
	}
	if exposure == "full" && c.needsToken() {
		return keepPrivate(gw, x)
	}
	return nil
}

// keepPrivate has no cache keep an answer that is for one client, whatever its upstream
// said. What tells caches of one kind something else goes: it would count for those
// (RFC 9213 section 2.2).
func keepPrivate(gw gateway, x diagnose.Exchange) error {
	for name := range x.Response.Header {
		if !isTargetedCacheControl(name) {
			continue
		}
		if err := gw.ClearHeader(name); err != nil {
			return err
		}
	}
	return gw.SetHeader("Cache-Control", "no-store")
}

// isTargetedCacheControl reports the headers that some caches heed instead of
// Cache-Control: CDN-Cache-Control with a vendor's name before it or without, and two
// that are older.
func isTargetedCacheControl(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "cdn-cache-control") || name == "surrogate-control" || name == "x-accel-expires"
}
