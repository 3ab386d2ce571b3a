package compare

import (
	"fmt"
	"net/http"
	"strings"

	"diag405/plugin/diagnose"
)

// compare says what is not the same, the requests first: each a clause.
func (c *comparison) compare() []string {
	var out []string
	for _, rule := range []func(*comparison) string{pathDiffers, hostDiffers, kongPassesOn, clientIsTaken, namedAnswers, allowDiffers, serverDiffers} {
		if words := rule(c); words != "" {
			out = append(out, words)
		}
	}
	return out
}

// upstream is the request line that reaches the application through Kong, and how that is
// known; ok is false where it is not.
func (c *comparison) upstream() (line diagnose.Line, how string, ok bool) {
	if u := c.told().Upstream; u != nil {
		return u.Line(), "diag405 saw it", true
	}
	if c.inquiry == nil || c.inquiry.Forecast().Upstream == nil {
		return line, "", false
	}
	u := c.inquiry.Forecast().Upstream
	return diagnose.Line{Method: u.Method, Path: u.Path()}, "by the configuration", true
}

func pathDiffers(c *comparison) string {
	line, _, ok := c.upstream()
	if asked := c.kong().line(); ok && line != asked {
		return fmt.Sprintf("Kong sends %s where the client asks for %s", line, asked)
	}
	return ""
}

func hostDiffers(c *comparison) string {
	if c.inquiry == nil || c.inquiry.Forecast().Upstream == nil {
		return ""
	}
	if host, asked := c.inquiry.Forecast().Upstream.Host, c.kong().request.Host; host != asked {
		return fmt.Sprintf("Kong sends Host: %s where the client sends %s", host, asked)
	}
	return ""
}

// kongPassesOn compares the answer through Kong with that to what Kong sends.
func kongPassesOn(c *comparison) string {
	k, g := c.directly(asKong), c.kong()
	if k == nil || g.problem != nil {
		return ""
	}
	direct, through := k.answer.Status, g.answer.Status
	switch {
	case direct == through && through >= http.StatusBadRequest:
		return fmt.Sprintf("the application itself answers %d to %s: with Kong and without it is the same", direct, k.line())
	case direct == through:
		return ""
	case direct < http.StatusBadRequest && through >= http.StatusBadRequest:
		return fmt.Sprintf("the application answers %d to the %s that Kong should send, and the client gets %d: another configuration is in force, a plugin did it, or something between Kong and the application", direct, k.line(), through)
	}
	return fmt.Sprintf("the application answers %d to %s, and through Kong it is %d", direct, k.line(), through)
}

// clientIsTaken compares with what the client's own request gets without Kong.
func clientIsTaken(c *comparison) string {
	x, g := c.directly(asClient), c.kong()
	if x == nil || x.way == asBoth || g.problem != nil {
		return ""
	}
	direct, through := x.answer.Status, g.answer.Status
	switch {
	case direct < http.StatusBadRequest && through >= http.StatusBadRequest:
		return fmt.Sprintf("the application answers %d to %s, as the client asks, and through Kong it is %d", direct, x.line(), through)
	case direct >= http.StatusBadRequest && through < http.StatusBadRequest:
		return fmt.Sprintf("the application answers %d to %s, as the client asks: it needs what Kong makes of the request", direct, x.line())
	case direct != through:
		return fmt.Sprintf("the application answers %d to %s, as the client asks", direct, x.line())
	}
	return ""
}

// namedAnswers compares with the one URL that was named.
func namedAnswers(c *comparison) string {
	x, g := c.directly(asNamed), c.kong()
	if x == nil || g.problem != nil || x.answer.Status == g.answer.Status {
		return ""
	}
	return fmt.Sprintf("the application answers %d to %s, and through Kong it is %d", x.answer.Status, x.line(), g.answer.Status)
}

// allowDiffers compares Allow where both say no.
func allowDiffers(c *comparison) string {
	k, g := c.directly(asKong), c.kong()
	if k == nil || k.answer.Status != g.answer.Status {
		return ""
	}
	return headerDiffers(k, g, "Allow")
}

// serverDiffers compares who answered. Kong names itself where the upstream has no name.
func serverDiffers(c *comparison) string {
	k, g := c.directly(asKong), c.kong()
	if k == nil || g.problem != nil || strings.HasPrefix(g.answer.Header.Get("Server"), "kong/") && k.answer.Header.Get("Server") == "" {
		return ""
	}
	return headerDiffers(k, g, "Server")
}

func headerDiffers(direct, through *exchange, name string) string {
	a, b := headerOf(direct, name), headerOf(through, name)
	if a == b {
		return ""
	}
	return fmt.Sprintf("%s is %s directly, and %s through Kong", name, orNone(a), orNone(b))
}

func headerOf(x *exchange, name string) string {
	return strings.Join(x.answer.Header.Values(name), ", ")
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}
