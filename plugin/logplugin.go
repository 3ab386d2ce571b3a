package plugin

import (
	"fmt"
	"slices"

	"github.com/Kong/go-pdk"

	"diag405/plugin/diagnose"
	"diag405/plugin/record"
)

// Name and LogName are the names of the two plugins.
const (
	Name    = "diag405"
	LogName = "diag405-log"
)

// diag405-log gives the same diagnosis from Kong's log phase: it adds nothing to an
// answer, needs no buffering, and sees what the first cannot: the 405s that Kong
// itself makes, and which target answered.
var _ interface {
	Access(*pdk.PDK)
	Log(*pdk.PDK)
} = (*LogConfig)(nil)

// Access keeps the request line for the log phase, where nginx variables cannot
// be read any more.
func (c *LogConfig) Access(kong *pdk.PDK) { c.access(pdkGateway{kong}) }

// Log runs when the client has its answer.
func (c *LogConfig) Log(kong *pdk.PDK) { c.log(pdkGateway{kong}) }

// sharedKey is where in kong.ctx.shared the request line is kept.
const sharedKey = "diag405_request"

func (c *LogConfig) access(gw gateway) {
	c.tellProblems(gw)
	request, err := gw.Var("request")
	line := c.accessLine(gw)
	if err == nil {
		_ = gw.Share(sharedKey, request)
	}
	if line != "" {
		_ = gw.Log(c.LogLevel, line)
	}
}

func (c *LogConfig) log(gw gateway) {
	logged, x, err := readRecord(gw)
	if err != nil {
		note(gw, "warn", "request not looked at: "+err.Error())
		return
	}
	x.Elsewhere = c.memory.note(x)
	if !slices.Contains(c.Statuses, x.Response.Status) {
		c.recent.note(logged.ClientIP, x)
		return
	}
	seen, err := c.sources.offers(x)
	if err != nil {
		note(gw, "warn", err.Error())
	}
	c.recent.recall(logged.ClientIP, x, &seen)
	d := diagnose.Explain(x, seen)
	o := c.lineOptions()
	// The log phase runs in a timer, about whose lines Kong does not say which request
	// they are about.
	o.Phase, o.RequestID = "log", logged.Request.ID
	c.logDiagnosis(gw, x, d, o)
}

// readRecord reads the log record, and what else the log phase knows of the request.
func readRecord(gw gateway) (*record.Record, diagnose.Exchange, error) {
	text, err := gw.Serialize()
	if err != nil {
		return nil, diagnose.Exchange{}, fmt.Errorf("reading the log record: %w", err)
	}
	r, err := record.Parse([]byte(text))
	if err != nil {
		return nil, diagnose.Exchange{}, err
	}
	line, err := gw.Shared(sharedKey)
	if err != nil {
		line = "" // the access phase did not run
	}
	x := r.Exchange(line)
	if source, err := gw.Source(); err == nil {
		x.Source = source
	}
	return r, x, nil
}
