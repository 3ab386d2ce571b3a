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

// Access keeps the method that the client sent, which the log phase cannot read any
// more.
func (c *LogConfig) Access(kong *pdk.PDK) { c.access(pdkGateway{kong}) }

// Log runs when the client has its answer.
func (c *LogConfig) Log(kong *pdk.PDK) { c.log(pdkGateway{kong}) }

func (c *LogConfig) access(gw gateway) {
	line := ""
	if c.logsInAccess() {
		line = c.accessLine(gw, c.scope.find(gw))
	}
	r := reader{gw: gw}
	method, _, _ := diagnose.RequestLine(r.variable("request"))
	id := r.variable(requestID)
	if r.err == nil {
		sentMethods.keep(id, method)
	}
	if line != "" {
		_ = gw.Log(c.LogLevel, line)
	}
}

// log asks for the record, which is long, only when the answer is to be explained, and
// a few times a second to learn from.
func (c *LogConfig) log(gw gateway) {
	c.tellProblems(gw)
	status, err := gw.AnswerStatus()
	if err != nil {
		return
	}
	if !slices.Contains(c.Statuses, status) {
		c.learn(gw, status)
		return
	}
	_ = gw.Ahead(recordAsks.batch()) // what fails, fails again below
	logged, x, err := readRecord(gw)
	if err != nil {
		c.unexplained()
		note(gw, "warn", "request not looked at: "+err.Error())
		return
	}
	c.explain(gw, logged, x)
}

// learn remembers an answer that may explain one to come.
func (c *LogConfig) learn(gw gateway, status int) {
	if !c.recent.teaches(status) || gw.Ahead(recordAsks.last()) != nil {
		return
	}
	if logged, x, err := readRecord(gw); err == nil {
		c.memory.note(x)
		c.recent.note(logged.ClientIP, x)
	}
}

func (c *LogConfig) explain(gw gateway, logged *record.Record, x diagnose.Exchange) {
	x.Elsewhere = c.memory.note(x)
	ctx, cancel := c.sources.deadline()
	defer cancel()
	seen, err := c.sources.offers(ctx, x)
	if err != nil {
		note(gw, "warn", err.Error())
	}
	c.recent.recall(logged.ClientIP, x, &seen)
	d, err := until(ctx, func() diagnose.Diagnosis { return diagnose.Explain(x, seen) })
	o := c.lineOptions()
	// The log phase runs in a timer, about whose lines Kong does not say which request
	// they are about.
	o.Phase, o.RequestID = "log", logged.Request.ID
	if err != nil {
		note(gw, "warn", "answer not explained: "+err.Error())
	} else {
		c.logDiagnosis(gw, x, d, o)
	}
	c.logRefused(gw, x, o)
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
	x := r.Exchange(sentLine(r))
	if source, err := gw.Source(); err == nil {
		x.Source = source
	}
	return r, x, nil
}

// sentLine is the request line as the client sent it, "" when its method is not known:
// then the access phase did not run, or long ago.
func sentLine(r *record.Record) string {
	method := sentMethods.of(r.Request.ID)
	if method == "" {
		return ""
	}
	return method + " " + r.Request.URI + " HTTP/1.1"
}
