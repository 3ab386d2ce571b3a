package pluginserver

import (
	"encoding/json"
	"net"
	"path/filepath"
	"testing"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"diag405/kong/gateway/standin/nginxlog"
)

// rawServer is a plugin server without go-pdk: serve has each connection.
func rawServer(t *testing.T, serve func(c *rpcConn)) *Server {
	t.Helper()
	s := &Server{
		name: "raw", socket: filepath.Join(t.TempDir(), "raw.socket"), log: nginxlog.New(nil), instances: map[*Instance]int32{},
		Info: Info{Name: "raw", Phases: []string{"access"}},
	}
	l, err := net.Listen("unix", s.socket)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(newRPCConn(conn))
			}()
		}
	}()
	return s
}

func readCall(c *rpcConn) (*kong_plugin_protocol.RpcCall, error) {
	data, err := c.readFrame()
	if err != nil {
		return nil, err
	}
	m := new(kong_plugin_protocol.RpcCall)
	return m, proto.Unmarshal(data, m)
}

func started(c *rpcConn, m *kong_plugin_protocol.RpcCall, id int32) {
	data, _ := proto.Marshal(&kong_plugin_protocol.RpcReturn{Sequence: m.Sequence, Return: &kong_plugin_protocol.RpcReturn_InstanceStatus{
		InstanceStatus: &kong_plugin_protocol.InstanceStatus{InstanceId: id},
	}})
	c.writeFrame(data)
}

func frame(data []byte) []byte {
	n := len(data)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, data...)
}

// echo is an event that answers every call with the call's name and itself.
type echo string

func (e echo) Phase() string { return "access" }

func (e echo) Call(function string, _ []byte) ([]byte, error) {
	return []byte(function + " " + string(e)), nil
}

func (e echo) Fault(string, int) Fault { return Fault{} }
func (e echo) Waited()                 {}

func (e echo) Log(nginxlog.Level, string) {}

// TestManyAsksInOneWrite: a plugin may ask on before it has read replies, and
// get bytes that are no UTF-8.
func TestManyAsksInOneWrite(t *testing.T) {
	replies := make(chan []byte, 10)
	configs := make(chan []byte, 1)
	closed := make(chan int32, 1)
	s := rawServer(t, func(c *rpcConn) {
		for {
			m, err := readCall(c)
			if err != nil {
				return
			}
			switch call := m.Call.(type) {
			case *kong_plugin_protocol.RpcCall_CmdStartInstance:
				configs <- call.CmdStartInstance.Config
				started(c, m, 7)
			case *kong_plugin_protocol.RpcCall_CmdCloseInstance:
				closed <- call.CmdCloseInstance.InstanceId
				started(c, m, call.CmdCloseInstance.InstanceId)
			case *kong_plugin_protocol.RpcCall_CmdHandleEvent:
				var batch []byte
				for range 3 {
					batch = append(batch, frame([]byte("kong.request.get_raw_query"))...)
					batch = append(batch, frame(nil)...)
				}
				c.Write(append(batch, frame(nil)...))
				for range 3 {
					reply, _ := c.readFrame()
					replies <- reply
				}
				data, _ := proto.Marshal(&kong_plugin_protocol.RpcReturn{Sequence: m.Sequence})
				c.writeFrame(data)
			}
		}
	})
	i := s.Instance("an id", 7, map[string]any{"unset": nil})
	require.NoError(t, i.Handle(echo("a=\xff")))
	for range 3 {
		assert.Equal(t, "kong.request.get_raw_query a=\xff", string(<-replies))
	}
	var sent map[string]any
	require.NoError(t, json.Unmarshal(<-configs, &sent))
	assert.Equal(t, map[string]any{"unset": nil, "__seq__": 7.0, "__plugin_id": "an id"}, sent)
	assert.Len(t, s.idle, 1, "the connection is kept for reuse")

	i.Close()
	assert.EqualValues(t, 7, <-closed)
}

// TestServerThatAlwaysCloses: Kong would try for ever.
func TestServerThatAlwaysCloses(t *testing.T) {
	s := rawServer(t, func(c *rpcConn) {
		for {
			m, err := readCall(c)
			if err != nil || m.GetCmdHandleEvent() != nil {
				return
			}
			started(c, m, 1)
		}
	})
	i := s.Instance("", 1, map[string]any{})
	assert.ErrorIs(t, i.Handle(echo("")), ErrNoServer)
}
