package pluginserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"

	"diag405/kong/gateway/standin/nginxlog"
)

// An Instance is one configuration of a plugin in a plugin server. It is started
// by the first event that needs it.
type Instance struct {
	server *Server
	id     string // of the plugin entity
	seq    int32
	config map[string]any

	starting sync.Mutex // one event starts it, the others wait
}

// Instance makes an instance: of the plugin entity with an id, under the number
// that Kong counts its instances with (__seq__), with a complete configuration.
func (s *Server) Instance(id string, seq int32, config map[string]any) *Instance {
	return &Instance{server: s, id: id, seq: seq, config: config}
}

// Handle has the plugin handle an event (Rpc:handle_event in
// kong/runloop/plugin_servers/rpc/pb_rpc.lua). Nil means that it did so to the end.
// Else the error is [ErrExit], a [Raised], or wraps [ErrNoServer].
func (i *Instance) Handle(e Event) error {
	for range maxResets {
		id, err := i.start()
		if err != nil {
			e.Log(nginxlog.Error, "plugin.lua:255 starting instance: "+err.Error())
			return Raise("%s", err)
		}
		err = i.server.handleEvent(id, e)
		switch {
		case err == nil, errors.Is(err, ErrExit), errors.As(err, new(*Raised)):
			return err
		case !errors.Is(err, errClosed):
			e.Log(nginxlog.Error, "pb_rpc.lua:356 pluginserver error: "+err.Error())
			return fmt.Errorf("%w: %w", ErrNoServer, err)
		}
		// The server died, or it is another process that does not know the
		// instance: everything that ran in it is gone.
		i.server.reset()
		e.Log(nginxlog.Warn, "pb_rpc.lua:352 "+err.Error())
	}
	e.Log(nginxlog.Error, "pb_rpc.lua:356 pluginserver error: "+errClosed.Error())
	return fmt.Errorf("%w: %w", ErrNoServer, errClosed)
}

// start returns the number of the running instance, and starts it if need be.
func (i *Instance) start() (int32, error) {
	i.starting.Lock()
	defer i.starting.Unlock()
	s := i.server
	s.mu.Lock()
	id, ok := s.instances[i]
	s.mu.Unlock()
	if ok {
		return id, nil
	}
	config := maps.Clone(i.config)
	config["__seq__"], config["__plugin_id"] = i.seq, i.id
	data, err := json.Marshal(config)
	if err != nil {
		return 0, fmt.Errorf("encoding the configuration of %q: %w", s.Info.Name, err)
	}
	ret, err := s.call(&kong_plugin_protocol.RpcCall{Call: &kong_plugin_protocol.RpcCall_CmdStartInstance{
		CmdStartInstance: &kong_plugin_protocol.CmdStartInstance{Name: s.Info.Name, Config: data},
	}})
	if err != nil {
		return 0, err
	}
	id = ret.GetInstanceStatus().GetInstanceId()
	s.mu.Lock()
	s.instances[i] = id
	s.mu.Unlock()
	return id, nil
}

// Close tells the server that the instance is not needed any more. Failing is
// no harm: then the server is gone, or never had it.
func (i *Instance) Close() {
	s := i.server
	s.mu.Lock()
	id, ok := s.instances[i]
	delete(s.instances, i)
	s.mu.Unlock()
	if !ok {
		return
	}
	s.call(&kong_plugin_protocol.RpcCall{Call: &kong_plugin_protocol.RpcCall_CmdCloseInstance{
		CmdCloseInstance: &kong_plugin_protocol.CmdCloseInstance{InstanceId: id},
	}})
}
