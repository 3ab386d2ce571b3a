package standin

import (
	"diag405/kong/gateway/cost"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/pluginserver"
)

// Faults, for tests of plugin servers, says what goes wrong with the reply to a
// call. Nil: nothing. It is called from many goroutines.
type Faults func(pluginserver.Call) pluginserver.Fault

// event is a phase of an exchange for a plugin in a plugin server.
type event struct {
	*exchange
	plugin string
}

var _ pluginserver.Event = event{}

func (x *exchange) event(p *boundPlugin) event { return event{x, p.name()} }

// Phase implements [pluginserver.Event].
func (e event) Phase() string { return e.run.phase.String() }

// handle has a plugin in a plugin server handle a phase.
func (x *exchange) handle(p *boundPlugin) error {
	x.gw.spend(cost.Event)
	return p.external.Handle(x.event(p))
}

// Waited implements [pluginserver.Event].
func (e event) Waited() { e.gw.spend(cost.Wait) }

// Call implements [pluginserver.Event].
func (e event) Call(function string, args []byte) ([]byte, error) {
	e.gw.spend(cost.Call(function))
	return callPDK(e.exchange, function, args)
}

// Log implements [pluginserver.Event].
func (e event) Log(lv nginxlog.Level, message string) { e.log(lv, message) }

// Fault implements [pluginserver.Event].
func (e event) Fault(function string, number int) pluginserver.Fault {
	if e.gw.faults == nil {
		return pluginserver.Fault{}
	}
	return e.gw.faults(pluginserver.Call{
		Plugin: e.plugin, Phase: e.Phase(), Function: function, Target: e.client.Target, Number: number,
	})
}
