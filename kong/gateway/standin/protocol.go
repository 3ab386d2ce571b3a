package standin

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"syscall"
	"time"

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
	// errClosed is a connection that the plugin server closed.
	errClosed = errors.New("closed")
	// errNoServer means that there is no server to talk to. Kong answers with
	// kong.response.error(500).
	errNoServer = errors.New("pluginserver error")
)

// raised is an error that a PDK function raises, which ends the plugin's
// connection and the request.
type raised struct{ message string }

func (r *raised) Error() string { return r.message }

func raise(format string, args ...any) error { return &raised{fmt.Sprintf(format, args...)} }

// An instance is one configuration of a plugin in a plugin server. It is
// started by the first request that needs it.
type instance struct {
	server *pluginServer
	id     string // of the plugin entity
	seq    int32
	config map[string]any

	starting sync.Mutex // one request starts it, the others wait
}

// handle has the server run a phase of the plugin for x (Rpc:handle_event in
// kong/runloop/plugin_servers/rpc/pb_rpc.lua). A nil error means that the phase
// ran to its end; errExit that the plugin ended the request.
func (i *instance) handle(p phase, x *exchange) error {
	for range maxResets {
		id, err := i.start()
		if err != nil {
			x.log(levelError, "plugin.lua:255 starting instance: "+err.Error())
			return raise("%s", err)
		}
		err = i.server.handleEvent(id, p, x)
		switch {
		case err == nil, errors.Is(err, errExit), errors.As(err, new(*raised)):
			return err
		case !errors.Is(err, errClosed):
			x.log(levelError, "pb_rpc.lua:356 pluginserver error: "+err.Error())
			return fmt.Errorf("%w: %w", errNoServer, err)
		}
		// The server died, or it is another process that does not know the
		// instance: everything that ran in it is gone.
		i.server.reset()
		x.log(levelWarn, "pb_rpc.lua:352 "+err.Error())
	}
	x.log(levelError, "pb_rpc.lua:356 pluginserver error: "+errClosed.Error())
	return fmt.Errorf("%w: %w", errNoServer, errClosed)
}

// start returns the number of the running instance, and starts it if need be.
func (i *instance) start() (int32, error) {
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
		return 0, fmt.Errorf("encoding the configuration of %q: %w", s.info.Name, err)
	}
	ret, err := s.call(&kong_plugin_protocol.RpcCall{Call: &kong_plugin_protocol.RpcCall_CmdStartInstance{
		CmdStartInstance: &kong_plugin_protocol.CmdStartInstance{Name: s.info.Name, Config: data},
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

// close tells the server that the instance is not needed any more. Failing is
// no harm: then the server is gone, or never had it.
func (i *instance) close() {
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

// reset forgets all instances and connections, after the server died.
func (s *pluginServer) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.instances)
	for _, c := range s.idle {
		c.Close()
	}
	s.idle = nil
}

// call makes a call that asks nothing back.
func (s *pluginServer) call(m *kong_plugin_protocol.RpcCall) (*kong_plugin_protocol.RpcReturn, error) {
	c, err := s.begin(m)
	if err != nil {
		return nil, err
	}
	return s.finish(c)
}

// handleEvent makes the call that runs a phase, and answers what the plugin
// asks meanwhile. An ask that raises ends the connection, not the call.
func (s *pluginServer) handleEvent(id int32, p phase, x *exchange) error {
	c, err := s.begin(&kong_plugin_protocol.RpcCall{Call: &kong_plugin_protocol.RpcCall_CmdHandleEvent{
		CmdHandleEvent: &kong_plugin_protocol.CmdHandleEvent{InstanceId: id, EventName: p.String()},
	}})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		method, err := c.readFrame()
		if err == nil && len(method) == 0 {
			_, err := s.finish(c)
			return err
		}
		if err == nil {
			err = s.answer(c, string(method), n, p, x)
		}
		if err != nil {
			c.Close()
			return err
		}
	}
}

// answer reads the arguments of an event's n-th ask and writes its reply.
func (s *pluginServer) answer(c *rpcConn, method string, n int, p phase, x *exchange) error {
	args, err := c.readFrame()
	if err != nil {
		return err
	}
	reply, err := callPDK(x, p, method, args)
	if err != nil {
		return err
	}
	return c.reply(x.fault(s, p, method, n), reply)
}

func (s *pluginServer) begin(m *kong_plugin_protocol.RpcCall) (*rpcConn, error) {
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
func (s *pluginServer) finish(c *rpcConn) (*kong_plugin_protocol.RpcReturn, error) {
	data, err := c.readFrame()
	if err != nil {
		c.Close()
		return nil, err
	}
	ret := new(kong_plugin_protocol.RpcReturn)
	if err := proto.Unmarshal(data, ret); err != nil {
		c.Close()
		return nil, raise("decoding RpcReturn: %s", err)
	}
	s.release(c)
	return ret, nil
}

func (c *rpcConn) readFrame() ([]byte, error) {
	c.SetDeadline(time.Now().Add(rpcTimeout))
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		return nil, ioError(err)
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxFrame {
		return nil, raise("a frame of %d bytes", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c.r, data); err != nil {
		return nil, ioError(err)
	}
	return data, nil
}

func (c *rpcConn) writeFrame(data []byte) error {
	c.SetDeadline(time.Now().Add(rpcTimeout))
	var size [4]byte
	binary.LittleEndian.PutUint32(size[:], uint32(len(data)))
	c.w.Write(size[:])
	c.w.Write(data)
	return ioError(c.w.Flush())
}

// ioError calls a connection that the other side ended errClosed.
func ioError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return errClosed
	}
	return err
}

// connectError says what Kong's log says about a server that is not there.
func connectError(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("connection refused")
	}
	if errors.Is(err, syscall.ENOENT) {
		return errors.New("no such file or directory")
	}
	return err
}
