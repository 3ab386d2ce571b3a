package pluginserver

import (
	"errors"
	"fmt"
	"time"

	"diag405/kong/gateway/standin/nginxlog"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
)

const (
	// maxFrame bounds what a plugin server can make the gateway allocate.
	maxFrame = 64 << 20
	// rpcTimeout is Kong's lua_socket_read_timeout.
	rpcTimeout = 60 * time.Second
	// maxResets is how often an event is sent again after the server closed the
	// connection. Kong has no such bound (handle_event in pb_rpc.lua calls itself).
	maxResets = 3
)

var (
	// ErrNoServer means that there is no server to talk to. Kong answers with
	// kong.response.error(500).
	ErrNoServer = errors.New("pluginserver error")
	// ErrExit is what [Event.Call] returns for kong.response.exit, which does not
	// return to the plugin.
	ErrExit = errors.New("the plugin made the answer")
	// errClosed is a connection that the plugin server closed.
	errClosed = errors.New("closed")
)

// Raised is an error that a PDK function raises, which ends the plugin's
// connection and the request.
type Raised struct{ message string }

func (r *Raised) Error() string { return r.message }

// Raise makes an error that is a [Raised].
func Raise(format string, args ...any) error { return &Raised{fmt.Sprintf(format, args...)} }

// Event is a phase of a request that a plugin is to handle.
type Event interface {
	// Phase is its name to plugins: access, response or log.
	Phase() string
	// Call answers a call of the PDK; arguments and reply are messages of the
	// protocol. An error ends the event.
	Call(function string, args []byte) (reply []byte, err error)
	// Waited tells that Kong waited for what the server wrote next.
	Waited()
	// Fault is what is to go wrong with the reply to the event's n-th call.
	Fault(function string, n int) Fault
	// Log writes a line of Kong's own; message starts with Lua file and line.
	Log(level nginxlog.Level, message string)
}

// reset forgets all instances and connections, after the server died.
func (s *Server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.instances)
	for _, c := range s.idle {
		c.Close()
	}
	s.idle = nil
}

// call makes a call that asks nothing back.
func (s *Server) call(m *kong_plugin_protocol.RpcCall) (*kong_plugin_protocol.RpcReturn, error) {
	c, err := s.begin(m)
	if err != nil {
		return nil, err
	}
	return s.finish(c)
}

// handleEvent makes the call that runs a phase, and answers what the plugin
// asks meanwhile. An ask that raises ends the connection, not the call.
func (s *Server) handleEvent(id int32, e Event) error {
	c, err := s.begin(&kong_plugin_protocol.RpcCall{Call: &kong_plugin_protocol.RpcCall_CmdHandleEvent{
		CmdHandleEvent: &kong_plugin_protocol.CmdHandleEvent{InstanceId: id, EventName: e.Phase()},
	}})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		waits := c.r.Buffered() == 0
		method, err := c.readFrame()
		if waits {
			e.Waited()
		}
		if err == nil && len(method) == 0 {
			_, err := s.finish(c)
			return err
		}
		if err == nil {
			err = answer(c, e, string(method), n)
		}
		if err != nil {
			c.Close()
			return err
		}
	}
}

// answer reads the arguments of an event's n-th call and writes its reply.
func answer(c *rpcConn, e Event, function string, n int) error {
	args, err := c.readFrame()
	if err != nil {
		return err
	}
	reply, err := e.Call(function, args)
	if err != nil {
		return err
	}
	return c.reply(e.Fault(function, n), reply)
}

func (s *Server) begin(m *kong_plugin_protocol.RpcCall) (*rpcConn, error) {
	m.Sequence = 1 // one call at a time on a connection
	data, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding a call: %w", err)
	}
	c, err := s.acquire()
	if err != nil {
		return nil, connectError(err)
	}
	if err := c.writeFrame(data); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// finish reads what a call returns and keeps the connection.
func (s *Server) finish(c *rpcConn) (*kong_plugin_protocol.RpcReturn, error) {
	data, err := c.readFrame()
	if err != nil {
		c.Close()
		return nil, err
	}
	ret := new(kong_plugin_protocol.RpcReturn)
	if err := proto.Unmarshal(data, ret); err != nil {
		c.Close()
		return nil, Raise("decoding RpcReturn: %s", err)
	}
	s.release(c)
	return ret, nil
}
