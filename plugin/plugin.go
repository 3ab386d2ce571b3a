// Package plugin is what Kong loads: the phases of diag405 and of diag405-log.
//
// In the access phase both log what the client asked against what the upstream is
// about to get. In the response phase diag405 leaves every answer alone except a
// 405 (or a 404, where it is told to), to which it adds headers that explain it, with
// a line in Kong's error log and a record for log plugins. In the log phase
// diag405-log explains it in a line alone.
//
// Of a request two things are carried from one phase to the next: that it came with
// the token, which is taken out of it, and for the log phase the request line. All
// else is read again for an answer to explain. Of a few other answers in a second
// what may explain one to come is remembered: where they redirected, and what was
// taken. No call is made that can raise in its phase, since Kong answers such a
// request with a 500, and whatever goes wrong in here is logged and the upstream's
// answer stands.
package plugin

import (
	"slices"

	"github.com/Kong/go-pdk"

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
	breaks := c.Buffering == "auto" && breaksWhenBuffered(gw)
	line := c.accessLine(gw)
	c.admit(gw, pass)
	if breaks {
		_ = gw.Unbuffer()
	}
	if line != "" {
		_ = gw.Log(c.LogLevel, line)
	}
}

// accessLine is the line about this request, "" when there is to be none.
func (c *Common) accessLine(gw gateway) string {
	if c.LogRequests == "none" {
		return ""
	}
	x, err := readRequest(gw)
	if err != nil {
		note(gw, "warn", "request not logged: "+err.Error())
		return ""
	}
	if c.LogRequests == "changed" && !report.Changed(x) {
		return ""
	}
	return report.AccessLine(x, c.lineOptions())
}

func (c *Config) response(gw gateway) {
	status, err := gw.Status()
	if err != nil {
		return
	}
	if !slices.Contains(c.Statuses, status) {
		c.notice(gw, status)
		return
	}
	x, err := readExchange(gw, status)
	if err != nil {
		_ = c.disown(gw, x.Response.Header, nil)
		note(gw, "warn", "answer not explained: "+err.Error())
		return
	}
	c.explain(gw, x)
}

// notice remembers an answer that may explain one to come.
func (c *Config) notice(gw gateway, status int) {
	if !c.recent.worth(status) {
		return
	}
	if address, x, ok := readAnswered(gw, status); ok {
		c.recent.note(address, x)
	}
}

// explain tells the client, the log and the record why. A failed call is not
// worth a retry: the connection to Kong is gone then, or the next one fails too.
func (c *Config) explain(gw gateway, x diagnose.Exchange) {
	var ours []report.Header
	defer func() { _ = c.disown(gw, x.Response.Header, ours) }() // explained or not
	seen, err := c.sources.offers(x)
	if err != nil {
		note(gw, "warn", err.Error())
	}
	if address, err := gw.Var(clientAddress); err == nil {
		c.recent.recall(address, x, &seen)
	}
	d := diagnose.Explain(x, seen)
	if c.annotate(gw, x, d, &ours) != nil {
		return
	}
	o := c.options()
	_ = gw.SetRecord(report.Record(x, d, o))
	c.logDiagnosis(gw, x, d, o)
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
