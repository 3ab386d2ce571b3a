package bundled

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"diag405/kong/wire"
)

// CORS is the configuration of cors (kong/plugins/cors).
type CORS struct {
	Origins           []string `json:"origins"`
	Headers           []string `json:"headers"`
	ExposedHeaders    []string `json:"exposed_headers"`
	Methods           []string `json:"methods"`
	MaxAge            *float64 `json:"max_age"`
	Credentials       bool     `json:"credentials"`
	PrivateNetwork    bool     `json:"private_network"`
	PreflightContinue bool     `json:"preflight_continue"`
}

// Check refuses origins that do not compile. PCRE has more than Go's regexp;
// what only PCRE has is refused here too.
func (c *CORS) Check() error {
	for i, o := range c.Origins {
		if _, err := regexp.Compile(o); o != "*" && err != nil {
			return fmt.Errorf("in 'config': in 'origins': in entry %d: '%s' is not a valid regex", i+1, o)
		}
	}
	return nil
}

// IsPreflight tells a preflight request.
func (c *CORS) IsPreflight(r *Request) bool {
	return r.Method == "OPTIONS" && r.Header.Has("Origin") && r.Header.Has("Access-Control-Request-Method")
}

// Preflight sets the fields of the answer to a preflight request.
func (c *CORS) Preflight(r *Request, out *wire.Fields) {
	c.allowOrigin(r, out, func(name, value string) { out.Set(name, value) })
	switch asked := r.Header.Get("Access-Control-Request-Headers"); {
	case len(c.Headers) > 0:
		out.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
	case asked != "":
		out.Set("Access-Control-Allow-Headers", asked)
	default:
		out.Del("Access-Control-Allow-Headers")
	}
	out.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ","))
	if c.MaxAge != nil {
		out.Set("Access-Control-Max-Age", strconv.FormatFloat(*c.MaxAge, 'g', 14, 64))
	}
	if c.PrivateNetwork && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		out.Set("Access-Control-Allow-Private-Network", "true")
	}
}

// Filter sets the fields of any other answer.
func (c *CORS) Filter(r *Request, out *wire.Fields) {
	c.allowOrigin(r, out, out.Add)
	if len(c.ExposedHeaders) > 0 {
		out.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
}

// allowOrigin sets Access-Control-Allow-Origin and -Credentials, and Vary with
// vary: an answer that passes through may have one already.
func (c *CORS) allowOrigin(r *Request, out *wire.Fields, vary func(name, value string)) {
	all := c.setOrigin(r, out, vary)
	if !c.Credentials {
		return
	}
	if !all {
		out.Set("Access-Control-Allow-Credentials", "true")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" { // "*" and credentials exclude each other
		vary("vary", "Origin")
		out.Set("Access-Control-Allow-Origin", origin)
		out.Set("Access-Control-Allow-Credentials", "true")
	}
}

var plainOrigin = regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)

// setOrigin sets Access-Control-Allow-Origin and tells whether all are allowed.
func (c *CORS) setOrigin(r *Request, out *wire.Fields, vary func(name, value string)) (all bool) {
	const name = "Access-Control-Allow-Origin"
	if len(c.Origins) == 0 || len(c.Origins) == 1 && c.Origins[0] == "*" {
		out.Set(name, "*")
		return true
	}
	vary("vary", "Origin")
	if len(c.Origins) == 1 && plainOrigin.MatchString(c.Origins[0]) {
		out.Set(name, c.Origins[0]) // whoever asks
		return false
	}
	if r.Header.Has("Origin") {
		asked := parseOrigin(r.Header.Get("Origin"))
		for _, o := range c.Origins {
			if o == "*" {
				out.Set(name, "*")
				return true
			}
			if asked.matches(o) {
				out.Set(name, asked.domain)
				return false
			}
		}
	}
	out.Del(name)
	return false
}

// origin is an origin without its scheme's own port.
type origin struct{ domain, host string }

var originParts = regexp.MustCompile(`^(?:([A-Za-z][A-Za-z0-9+.-]*):)?//(?:[^/@?#]*@)?([^/:?#]*|\[[^\]]*\])(?::([0-9]*))?(?:[/?#].*)?$`)

func parseOrigin(s string) origin {
	m := originParts.FindStringSubmatch(s)
	if m == nil || m[2] == "" {
		return origin{s, s}
	}
	scheme, host, port := m[1], m[2], m[3]
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	domain := host
	if scheme != "" {
		domain = scheme + "://" + host
	}
	if port != "" {
		domain += ":" + port
	}
	return origin{domain, host}
}

// matches compares with an entry of origins: a plain one must be equal, one
// with other characters is a regular expression for the whole, of the host
// alone when it has no colon.
func (o origin) matches(entry string) bool {
	if plainOrigin.MatchString(entry) {
		return o.domain == parseOrigin(entry).domain
	}
	subject := o.domain
	if !strings.Contains(entry, ":") {
		subject = o.host
	}
	// Kong puts "$" behind the text and matches at its start, without grouping.
	re, err := regexp.Compile(strings.TrimPrefix(strings.TrimSuffix(entry, "$")+"$", "^"))
	if err != nil {
		return false
	}
	at := re.FindStringIndex(subject)
	return at != nil && at[0] == 0
}
