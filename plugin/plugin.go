// Package plugin is what Kong loads: the phases of diag405 and of diag405-log.
//
// In the access phase both log what the client asked against what the upstream is
// about to get. In the response phase diag405 leaves every answer alone except a
// 405 (or a 404, where it is told to), to which it adds headers that explain it, with
// a line in Kong's error log and a record for log plugins. In the log phase
// diag405-log explains it in a line alone.
//
// Of a request two things are carried from one phase to the next: that it came with
// the token, which is taken out of it, and for the log phase the client's method. All
// else is read again for an answer to explain: to find it again would cost every
// request an ask. Of a few other answers in a second what may explain one to come is
// remembered: where they redirected, and what was taken. No call is made that can raise
// in its phase, since Kong answers such a request with a 500, and whatever goes wrong in
// here is logged and the upstream's answer stands.
package plugin

import (
	"cmp"
	"slices"

	"github.com/Kong/go-pdk"

	"diag405/kong/forecast"
	"diag405/plugin/diagnose"
	"diag405/plugin/report"
)

const (
	// Version is announced to Kong.
	Version = "0.1.0"
	// Priority makes the plugin run last in the access phase, behind
	// post-function's -1000: what it reads then is what the upstream gets.
	Priority = -1100
)

// go-pdk finds handlers by name and binds them by signature; without this line a
// wrong signature builds, is announced, and is never called.
var _ interface {
	Access(*pdk.PDK)
	Response(*pdk.PDK)
} = (*Config)(nil)

// Access runs when the request is about to leave for the upstream.
func (c *Config) Access(kong *pdk.PDK) { c.access(pdkGateway{kong}) }

// Response runs when the upstream's whole answer has been read and nothing of it
// has gone to the client.
func (c *Config) Response(kong *pdk.PDK) { c.response(pdkGateway{kong}) }

func (c *Config) access(gw gateway) {
	c.tellProblems(gw)
	// Everything is read before anything is written: what was read ahead is stale
	// after a change, and would be asked again.
	pass := c.pass(gw)
	breaks, line := false, ""
	if c.Buffering == "auto" || c.logsInAccess() {
		k := c.scope.find(gw)
		breaks = c.Buffering == "auto" && breaksWhenBuffered(gw, k)
		line = c.accessLine(gw, k)
	}
	c.admit(gw, pass)
	if breaks {
		_ = gw.Unbuffer()
	}
	if line != "" {
		_ = gw.Log(c.LogLevel, line)
	}
}

// logsInAccess reports whether there may be a line about a request before its answer
// is known.
func (c *Common) logsInAccess() bool { return c.LogRequests == "all" || c.LogRequests == "changed" }

// accessLine is the line about this request, "" when there is to be none.
func (c *Common) accessLine(gw gateway, k known) string {
	if !c.logsInAccess() {
		return ""
	}
	r := reader{gw: gw}
	x := r.readRequest(k)
	var host string // "" is what route and service say
	if c.LogRequests == "changed" {
		host = r.variable("upstream_host")
		if r.err == nil && !r.changed(x, host) {
			return ""
		}
	}
	x.Client.Host = r.variable("http_host")
	if r.err != nil {
		note(gw, "warn", "request not logged: "+r.err.Error())
		return ""
	}
	x = diagnose.Derive(x)
	x.Upstream.Host = cmp.Or(host, x.Upstream.Host)
	return report.AccessLine(x, c.lineOptions())
}

// changed reports whether the upstream is about to get another method, another path,
// or a Host that route and service do not explain. In the access phase $upstream_host
// is set only for preserve_host, to the client's Host, and by plugins.
func (r *reader) changed(x diagnose.Exchange, upstreamHost string) bool {
	switch {
	case x.Client.Method != x.Upstream.Method || x.Client.Path != x.Upstream.Path:
		return true
	case upstreamHost == "":
		return false
	case x.Route != nil && x.Route.PreserveHost:
		return upstreamHost != r.variable("http_host")
	}
	return upstreamHost != forecast.ServiceHost(x.Service)
}

func (c *Config) response(gw gateway) {
	status, err := gw.Status()
	if err != nil {
		return
	}
	if !slices.Contains(c.Statuses, status) {
		c.streak.end()
		c.notice(gw, status)
		return
	}
	_ = gw.Ahead(c.explainAsks().batch()) // what fails, fails again below
	x, err := readExchange(gw, status)
	if err != nil {
		c.streak.end()
		c.unexplained()
		_ = c.disown(gw, x.Response.Header, nil)
		note(gw, "warn", "answer not explained: "+err.Error())
		return
	}
	c.streak.note(x.Response)
	c.explain(gw, x)
}

// notice remembers an answer that may explain one to come. The client does not wait
// for it.
func (c *Config) notice(gw gateway, status int) {
	if !c.recent.worth(status) || gw.Ahead(answeredAsks.last()) != nil {
		return
	}
	if address, x, err := readAnswered(gw, status); err == nil {
		c.recent.note(address, x)
	}
}

// explain tells the client, the log and the record why. A failed call is not
// worth a retry: the connection to Kong is gone then, or the next one fails too.
func (c *Config) explain(gw gateway, x diagnose.Exchange) {
	var ours []report.Header
	defer func() { _ = c.disown(gw, x.Response.Header, ours) }() // explained or not
	ctx, cancel := c.sources.deadline()
	defer cancel()
	seen, err := c.sources.offers(ctx, x)
	if err != nil {
		note(gw, "warn", err.Error())
	}
	c.recall(gw, x, &seen)
	d, err := until(ctx, func() diagnose.Diagnosis { return diagnose.Explain(x, seen) })
	o := c.options()
	if err != nil {
		note(gw, "warn", "answer not explained: "+err.Error())
		c.logRefused(gw, x, o)
		return
	}
	if c.annotate(gw, x, d, &ours) != nil {
		return
	}
	_ = gw.SetRecord(report.Record(x, d, o))
	c.logDiagnosis(gw, x, d, o)
	c.logRefused(gw, x, o)
}

// logRefused writes the line of a request whose answer is one to explain, where only
// those have one.
func (c *Common) logRefused(gw gateway, x diagnose.Exchange, o report.Options) {
	if c.LogRequests != "errors" {
		return
	}
	if o.Phase == "" {
		x.Client.Scheme = "" // as in the access phase
	}
	_ = gw.Log(c.LogLevel, report.AccessLine(x, o))
}

// recall adds what happened a moment ago. The client's address is asked only where
// something did.
func (c *Config) recall(gw gateway, x diagnose.Exchange, seen *diagnose.Offers) {
	if !c.recent.holds() {
		return
	}
	if address, err := gw.Var(clientAddress); err == nil {
		c.recent.recall(address, x, seen)
	}
}

func (c *Config) options() report.Options {
	o := c.lineOptions()
	o.HeaderPrefix, o.ShowAddress = c.HeaderPrefix, c.ShowUpstreamAddress
	return o
}

// lineOptions are those of the lines in the log.
func (c *Common) lineOptions() report.Options {
	return report.Options{JSON: c.LogFormat == "json", Query: c.LogQuery}
}

// tellProblems says what was wrong with the settings, the first time only.
func (c *Common) tellProblems(gw gateway) {
	c.problems.tell(func(err error) { note(gw, "err", "config: "+err.Error()) })
}

// note writes a line about the plugin itself. It is for an operator, so it goes
// through Kong's log: what the plugin server prints is not seen at Kong's default
// level.
func note(gw gateway, level, text string) { _ = gw.Log(level, report.Note(text)) }
