package standin

import (
	"encoding/json"
	"net"
	"path/filepath"
	"testing"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/wire"
)

// rawServer is a plugin server without go-pdk: serve has each connection.
func rawServer(t *testing.T, serve func(c *rpcConn)) *pluginServer {
	t.Helper()
	s := &pluginServer{
		name: "raw", prefix: t.TempDir(), log: &errorLog{}, instances: map[*instance]int32{},
		info: pluginInfo{Name: "raw", Phases: []string{"access"}},
	}
	l, err := net.Listen("unix", filepath.Join(s.prefix, "raw.socket"))
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
	i := &instance{server: s, id: "an id", seq: 7, config: map[string]any{"unset": nil}}
	x := &exchange{gw: &standIn{log: s.log}, query: "a=\xff"}
	require.NoError(t, i.handle(access, x))
	for range 3 {
		assert.Equal(t, "\x0a\x03a=\xff", string(<-replies))
	}
	var sent map[string]any
	require.NoError(t, json.Unmarshal(<-configs, &sent))
	assert.Equal(t, map[string]any{"unset": nil, "__seq__": 7.0, "__plugin_id": "an id"}, sent)
	assert.Len(t, s.idle, 1, "the connection is kept for reuse")

	i.close()
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
	conn, _ := net.Pipe()
	x := &exchange{gw: &standIn{log: s.log}, conn: &clientConn{Conn: conn}, header: wire.Fields{}}
	i := &instance{server: s, config: map[string]any{}}
	assert.ErrorIs(t, i.handle(access, x), errNoServer)
}

// TestReplacedConfigurationClosesItsInstances once nobody uses it any more.
func TestReplacedConfigurationClosesItsInstances(t *testing.T) {
	closed := make(chan int32, 1)
	s := rawServer(t, func(c *rpcConn) {
		for {
			m, err := readCall(c)
			if err != nil {
				return
			}
			if id := m.GetCmdCloseInstance().GetInstanceId(); id != 0 {
				closed <- id
			}
			started(c, m, 3)
		}
	})
	g := standInFor(t, gateway.Options{}, "")
	i := &instance{server: s, config: map[string]any{}}
	g.mu.Lock()
	g.state.plugins = []*boundPlugin{{entity: &config.Plugin{Name: "raw"}, external: i}}
	g.mu.Unlock()
	_, err := i.start()
	require.NoError(t, err)

	held := g.acquire()
	require.NoError(t, g.Load(t.Context(), []byte(`{"_format_version":"3.0"}`)))
	assert.Empty(t, closed, "a request still uses it")
	g.release(held)
	assert.EqualValues(t, 3, <-closed)
}
