package standin

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"diag405/kong/bundled"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/pluginserver"
	"diag405/kong/gateway/standin/schema"
)

// bundledPlugin is a plugin of Kong's own that runs in the gateway itself. Nil
// functions are phases it has not.
type bundledPlugin struct {
	phases       phase
	schema       schema.Schema
	check        func(config map[string]any) error // what a schema cannot say
	access       func(x *exchange, p *boundPlugin) error
	filterHeader func(x *exchange, p *boundPlugin)
	log          func(x *exchange, p *boundPlugin)
}

// bundledPlugins are those of Kong's plugins that change what the upstream
// sees, who answers, or what is recorded.
var bundledPlugins = map[string]*bundledPlugin{
	"cors": {
		phases: accessPhase, schema: schema.MustParse(bundled.CORSSchema),
		check: checked[bundled.CORS], access: corsAccess, filterHeader: corsFilter,
	},
	"request-transformer": {
		phases: accessPhase, schema: schema.MustParse(bundled.TransformerSchema),
		check: checked[bundled.Transformer], access: transformerAccess,
	},
	"file-log": {
		phases: logPhase, schema: schema.MustParse(bundled.FileLogSchema), log: fileLog,
	},
	"request-termination": {
		phases: accessPhase, schema: schema.MustParse(bundled.TerminationSchema),
		check: checked[bundled.Termination], access: terminationAccess,
	},
}

// checker is the configuration of a bundled plugin.
type checker[T any] interface {
	*T
	Check() error
}

func checked[T any, P checker[T]](config map[string]any) error {
	c, err := configOf[T](config)
	if err != nil {
		return err
	}
	return P(c).Check()
}

// configOf reads a completed configuration into a plugin's own type.
func configOf[T any](config map[string]any) (*T, error) {
	data, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("encoding configuration: %w", err)
	}
	c := new(T)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("decoding configuration: %w", err)
	}
	return c, nil
}

// asBundled is what a bundled plugin sees of x; adopt takes its changes over.
func (x *exchange) asBundled() *bundled.Request {
	r := &bundled.Request{
		Method: x.request.method, Query: x.request.query, Header: x.request.header.Clone(), Body: x.request.body, HasBody: x.request.hasBody,
		UpstreamURI: x.upstream.uri, UpstreamHost: x.upstream.host, Shared: x.run.shared,
	}
	if x.match != nil {
		r.Captures = x.match.Captures
	}
	return r
}

func (x *exchange) adopt(r *bundled.Request) {
	if r.Query != x.request.query {
		x.request.setArgs(r.Query)
	}
	x.request.method, x.request.header, x.request.body, x.request.hasBody = r.Method, r.Header, r.Body, r.HasBody
	x.upstream.uri, x.upstream.host = r.UpstreamURI, r.UpstreamHost
	x.request.host = hostName(x.request.header.Get("Host"))
}

// answer takes over an answer of a bundled plugin.
func (x *exchange) answer(a *bundled.Answer) error {
	x.run.exit = &answer{status: a.Status, header: a.Header, body: a.Body}
	return pluginserver.ErrExit
}

func corsAccess(x *exchange, p *boundPlugin) error {
	c, err := configOf[bundled.CORS](p.config)
	if err != nil || !c.IsPreflight(x.asBundled()) {
		return err
	}
	x.run.scratch[p] = true // kong.ctx.plugin.skip_response_headers
	if c.PreflightContinue {
		return nil
	}
	c.Preflight(x.asBundled(), &x.response.header)
	return x.answer(&bundled.Answer{Status: 200, Body: []byte{}})
}

func corsFilter(x *exchange, p *boundPlugin) {
	c, err := configOf[bundled.CORS](p.config)
	if err == nil && x.run.scratch[p] == nil {
		c.Filter(x.asBundled(), &x.response.header)
	}
}

func transformerAccess(x *exchange, p *boundPlugin) error {
	c, err := configOf[bundled.Transformer](p.config)
	if err != nil {
		return err
	}
	r := x.asBundled()
	if err := c.Access(r); err != nil {
		return err
	}
	x.adopt(r)
	return nil
}

func terminationAccess(x *exchange, p *boundPlugin) error {
	c, err := configOf[bundled.Termination](p.config)
	if err != nil {
		return err
	}
	if a := c.Access(x.asBundled()); a != nil {
		return x.answer(a)
	}
	return nil
}

// fileLog appends the record as a line to a file.
func fileLog(x *exchange, p *boundPlugin) {
	record, err := x.serialize()
	if err != nil {
		x.log(nginxlog.Error, "init.lua:405 [file-log] "+err.Error())
		return
	}
	line, err := bundled.JSON(record)
	if err == nil {
		err = appendLine(p.config["path"].(string), line)
	}
	if err != nil {
		x.log(nginxlog.Error, "handler.lua:62 [file-log] failed to open the file: "+strings.TrimSpace(err.Error()))
	}
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
