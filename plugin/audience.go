package plugin

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"diag405/plugin/diagnose"
	"diag405/plugin/report"
)

// tokenHeader carries the token of somebody who may see everything, and
// tokenVariable is the same as nginx names it.
const (
	tokenHeader   = "X-Diag-Token"
	tokenVariable = "http_x_diag_token"
)

// admittedKey is where kong.ctx.shared keeps that a request came with the token,
// since the header is gone when the upstream has answered.
const admittedKey = "diag405_admitted"

// sentToken is the token that the request carries. It asks Kong for nothing when no
// token is set.
func (c *Config) sentToken(gw gateway) string {
	if c.Token == "" {
		return ""
	}
	token, _ := gw.Var(tokenVariable) // without an answer nobody is admitted
	return token
}

// admit takes a token out of the request, so that it never reaches the upstream or
// a log plugin, and remembers that it was the right one.
func (c *Config) admit(gw gateway, token string) {
	if token == "" {
		return
	}
	if gw.ClearRequestHeader(tokenHeader) == nil && sameSecret(token, c.Token) {
		_ = gw.Share(admittedKey, "yes")
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
	if c.Expose != "full" || c.Token == "" {
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
	for _, h := range *ours {
		if err := gw.SetHeader(h.Name, h.Value); err != nil {
			return err
		}
	}
	if c.ProxyStatus {
		// RFC 9209 section 2: a list, to which each intermediary adds itself at the end.
		if err := gw.AddHeader("Proxy-Status", report.ProxyStatus(x)); err != nil {
			return err
		}
	}
	if exposure == "full" && c.Token != "" && !saysHowToCache(x) {
		return gw.SetHeader("Cache-Control", "no-store")
	}
	return nil
}

// saysHowToCache reports whether the upstream said anything about caching.
func saysHowToCache(x diagnose.Exchange) bool {
	for _, name := range []string{"Cache-Control", "Expires", "Pragma"} {
		if strings.Join(x.Response.Header.Values(name), "") != "" {
			return true
		}
	}
	return false
}
