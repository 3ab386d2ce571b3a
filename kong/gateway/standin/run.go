package standin

import (
	"errors"
	"fmt"

	"diag405/kong/gateway/standin/lua"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/pluginserver"
	"diag405/kong/wire"
)

// pluginRun is what the plugins of a request do and keep.
type pluginRun struct {
	plugins  []*boundPlugin // those that apply, in order; nil before the route is known
	phase    phase
	logger   string  // in the log phase: the plugin that writes
	exit     *answer // of kong.response.exit
	buffered bool    // ngx.ctx.buffered_proxying

	ctx     map[string]any // ngx.ctx, as far as plugins set it
	shared  map[string]any // kong.ctx.shared
	scratch map[*boundPlugin]any
	record  []serializeValue
}

func newPluginRun() pluginRun {
	return pluginRun{ctx: map[string]any{}, shared: map[string]any{}, scratch: map[*boundPlugin]any{}}
}

// setCtx sets a value of ngx.ctx.
func (r *pluginRun) setCtx(key string, value any) {
	if key == "buffered_proxying" {
		r.buffered = value != nil && value != false
		return
	}
	lua.Assign(r.ctx, key, value)
}

func (r *pluginRun) getCtx(key string) any {
	if key == "buffered_proxying" {
		if r.buffered {
			return true
		}
		return nil
	}
	return r.ctx[key]
}

// runAccess runs the access phase of the plugins in order. The first answer
// ends it for the plugins behind, whose later phases still run.
func (x *exchange) runAccess() {
	for _, p := range x.run.plugins {
		if p.has(responsePhase) {
			x.run.buffered = true
		}
		if x.run.exit != nil || !p.has(accessPhase) {
			continue
		}
		if err := p.access(x); err != nil {
			x.run.exit = x.accessFailure(p, err)
		}
	}
}

// ended is the answer to a request that ended in a phase in a way that is the same
// in all of them: the plugin made an answer, or its server is gone. Nil otherwise.
func (x *exchange) ended(err error) *answer {
	switch {
	case errors.Is(err, pluginserver.ErrExit):
		x.response.exited = true
		return x.run.exit
	case errors.Is(err, pluginserver.ErrNoServer):
		x.response.exited = true
		return x.errorAnswer(500, errorMessages[500])
	}
	return nil
}

// accessFailure is the answer to a request whose access phase failed. A PDK call
// that raises makes another body than a plugin server that is gone
// (execute_collecting_plugins_iterator in kong/init.lua, handle_event in
// pb_rpc.lua).
func (x *exchange) accessFailure(p *boundPlugin, err error) *answer {
	if a := x.ended(err); a != nil {
		return a
	}
	x.log(nginxlog.Error, fmt.Sprintf("init.lua:405 [%s] %s", p.name(), err))
	x.response.unexpected = true
	return &answer{status: 500, header: wire.Fields{{Name: "Content-Type", Value: jsonType}},
		body: []byte(`{"message":"An unexpected error occurred"}`)}
}

// runResponse runs the response phase of the plugins in order. Here a failure
// or an exit ends the phase for all.
func (x *exchange) runResponse() {
	x.run.phase = responsePhase
	for _, p := range x.run.plugins {
		if !p.has(responsePhase) {
			continue
		}
		err := x.handle(p)
		if err == nil {
			continue
		}
		x.apply(x.responseFailure(p, err))
		return
	}
}

// responseFailure is the answer to a request whose response phase failed.
func (x *exchange) responseFailure(p *boundPlugin, err error) *answer {
	if a := x.ended(err); a != nil {
		return a
	}
	x.log(nginxlog.Error, fmt.Sprintf("init.lua:1413 [%s] %s", p.name(), err))
	return x.errorPage(500)
}

// chain is the plugins whose later phases run: those of the route, or the
// global ones when there is none (get_collected_iterator in
// kong/runloop/plugins_iterator.lua).
func (x *exchange) chain() []*boundPlugin {
	if x.run.plugins == nil {
		return x.state.pluginsFor(nil, nil)
	}
	return x.run.plugins
}

// runLog runs the log phase. What external plugins get is saved, since they run
// after the request has ended.
func (x *exchange) runLog() {
	x.run.phase = logPhase
	for _, p := range x.chain() {
		if !p.has(logPhase) {
			continue
		}
		if p.bundled != nil {
			p.bundled.log(x, p)
			continue
		}
		saved := x.save()
		saved.run.logger = p.name()
		x.gw.background(func() {
			defer x.gw.release(saved.state)
			err := saved.handle(p)
			if err != nil && !errors.Is(err, pluginserver.ErrNoServer) {
				saved.logTimer(nginxlog.Error, fmt.Sprintf("init.lua:405 [%s] %s", p.name(), err))
			}
		})
	}
}
