package server

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/cost"
)

// peer speaks Kong's side of the protocol on one connection, from a list of
// replies. It allocates nothing in an event, so that a benchmark counts what the
// server does.
type peer struct {
	net.Conn
	r        *bufio.Reader
	w        *bufio.Writer
	replies  map[string][]byte // by method and arguments; a call without one gets an empty reply
	asIsKong bool              // two writes for each reply, at once, as Kong makes them
	record   bool
	asks     []string
	raiseAt  string // a method that raises: the connection is closed

	costly  bool          // takes Kong's time for everything
	since   time.Time     // when the call that is answered was there
	writing time.Duration // what a reply took to write
	seen    seen

	call, method, args, key []byte
}

// seen is what a peer counts of the events that it made.
type seen struct {
	asks, waits int64 // calls of the plugin, and how often the peer waited for one or for the end
	bytes       int64 // both ways
}

func newPeer(c net.Conn) *peer {
	return &peer{Conn: c, r: bufio.NewReader(c), w: bufio.NewWriter(c), replies: map[string][]byte{}, record: true}
}

// reply sets what a call gets.
func (p *peer) reply(a Ask, m proto.Message) {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	p.replyRaw(a, data)
}

func (p *peer) replyRaw(a Ask, data []byte) {
	method, args, _, err := lastCall(a.frames)
	if err != nil {
		panic(err)
	}
	p.replies[string(method)+"\x00"+string(args)] = data
}

func text(s string) proto.Message { return &kong_plugin_protocol.String{V: s} }
func integer(n int) proto.Message { return &kong_plugin_protocol.Int{V: int32(n)} }
func eventCall(id int32, phase string) []byte {
	return encodeCall(&kong_plugin_protocol.RpcCall{Sequence: 7, Call: &kong_plugin_protocol.RpcCall_CmdHandleEvent{
		CmdHandleEvent: &kong_plugin_protocol.CmdHandleEvent{InstanceId: id, EventName: phase}}})
}

func startCall(config string) []byte {
	return encodeCall(&kong_plugin_protocol.RpcCall{Sequence: 7, Call: &kong_plugin_protocol.RpcCall_CmdStartInstance{
		CmdStartInstance: &kong_plugin_protocol.CmdStartInstance{Name: "test", Config: []byte(config)}}})
}

func closeCall(id int32) []byte {
	return encodeCall(&kong_plugin_protocol.RpcCall{Sequence: 7, Call: &kong_plugin_protocol.RpcCall_CmdCloseInstance{
		CmdCloseInstance: &kong_plugin_protocol.CmdCloseInstance{InstanceId: id}}})
}

func statusCall(id int32) []byte {
	return encodeCall(&kong_plugin_protocol.RpcCall{Sequence: 7, Call: &kong_plugin_protocol.RpcCall_CmdGetInstanceStatus{
		CmdGetInstanceStatus: &kong_plugin_protocol.CmdGetInstanceStatus{InstanceId: id}}})
}

func encodeCall(m *kong_plugin_protocol.RpcCall) []byte {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return appendFrame(nil, data)
}

// event makes a call that runs a phase, and answers what the plugin asks.
func (p *peer) event(call []byte) error {
	p.spend(cost.Event)
	p.write(call) // behind replies that were not sent yet
	for {
		var err error
		if p.method, err = p.read(p.method); err != nil {
			return err
		}
		p.since = p.now()
		if len(p.method) == frameHead {
			p.call, err = p.read(p.call)
			return err
		}
		if p.args, err = p.read(p.args); err != nil {
			return err
		}
		if err := p.answer(); err != nil {
			return err
		}
	}
}

// read reads a frame, and sends what waits before it blocks.
func (p *peer) read(b []byte) ([]byte, error) {
	waits := p.r.Buffered() == 0
	if waits {
		if err := p.w.Flush(); err != nil {
			return nil, err
		}
		p.seen.waits++
		if _, err := p.r.Peek(1); err != nil {
			return nil, err
		}
		p.spend(cost.Wait)
	}
	b, err := readFrame(p.r, b[:0])
	p.seen.bytes += int64(len(b))
	return b, err
}

// now is the time, if the peer needs it.
func (p *peer) now() (t time.Time) {
	if p.costly {
		t = time.Now()
	}
	return t
}

// spend takes Kong's time, if the peer does.
func (p *peer) spend(d time.Duration) {
	if p.costly {
		cost.Spend(d)
	}
}

func (p *peer) write(b []byte) error {
	p.seen.bytes += int64(len(b))
	_, err := p.w.Write(b)
	return err
}

func (p *peer) answer() error {
	p.key = append(append(append(p.key[:0], p.method[frameHead:]...), 0), p.args[frameHead:]...)
	if p.record {
		p.asks = append(p.asks, string(p.method[frameHead:]))
	}
	if p.raiseAt != "" && p.raiseAt == string(p.method[frameHead:]) {
		p.Conn.Close()
		return io.ErrClosedPipe
	}
	p.seen.asks++
	if p.costly { // all that is done for a call is in its time
		p.spend(p.costOf() - time.Since(p.since) - p.writing)
		start := time.Now()
		defer func() { p.writing = min(time.Since(start), p.costOf()) }() // no more than that when it was held up
	}
	reply := p.replies[string(p.key)]
	p.key = binary.LittleEndian.AppendUint32(p.key[:0], uint32(len(reply)))
	p.write(p.key)
	if p.asIsKong {
		p.w.Flush()
	}
	err := p.write(reply)
	if p.asIsKong {
		err = p.w.Flush()
	}
	return err
}

// costOf is what Kong takes for the call that was read last.
func (p *peer) costOf() time.Duration {
	if !p.costly {
		return 0
	}
	return cost.Call(string(p.method[frameHead:]))
}

// rpc makes a call that asks nothing back.
func (p *peer) rpc(call []byte) (*kong_plugin_protocol.RpcReturn, error) {
	p.w.Write(call)
	data, err := p.read(nil)
	if err != nil {
		return nil, err
	}
	ret := new(kong_plugin_protocol.RpcReturn)
	if err := proto.Unmarshal(data[frameHead:], ret); err != nil {
		return nil, err
	}
	if ret.Sequence != 7 {
		return nil, fmt.Errorf("sequence %d", ret.Sequence)
	}
	return ret, nil
}

// counter counts what the server does with its connection. Bytes that are there
// already cost a read no wait.
type counter struct {
	net.Conn
	reads, writes atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.reads.Add(1)
	return n, err
}

func (c *counter) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// connect runs a server for a plugin and connects to it.
func connect(t testing.TB, p Plugin) (*peer, *counter) {
	t.Helper()
	s := newServer(p)
	t.Cleanup(s.stop)
	return connectTo(t, s)
}

func connectTo(t testing.TB, s *server) (*peer, *counter) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { near.Close() })
	near.SetDeadline(time.Now().Add(30 * time.Second))
	far, err := l.Accept()
	require.NoError(t, err)
	c := &counter{Conn: far}
	s.start(c)
	return newPeer(near), c
}

// started starts an instance and returns its number.
func started(t testing.TB, p *peer, config string) int32 {
	t.Helper()
	ret, err := p.rpc(startCall(config))
	require.NoError(t, err)
	return ret.GetInstanceStatus().GetInstanceId()
}

// value makes a structpb.Value for a reply.
func value(v any) *structpb.Value {
	out, err := structpb.NewValue(v)
	if err != nil {
		panic(err)
	}
	return out
}
