package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/standin/pluginserver"
)

// dial connects to a socket that is about to be opened.
func dial(t *testing.T, socket string) *peer {
	t.Helper()
	var conn net.Conn
	require.Eventually(t, func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	}, 10*time.Second, time.Millisecond, "nobody listens")
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return newPeer(conn)
}

// gone waits until nobody accepts connections any more.
func gone(t *testing.T, socket string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "still listening")
}

// A server that is told to stop drops connections that wait, lets an event come to
// its end, and takes its socket along.
func TestStops(t *testing.T) {
	prefix := t.TempDir()
	running, proceed := make(chan bool), make(chan bool)
	p := script(func(kong *pdk.PDK) {
		close(running)
		<-proceed
		kong.Log.Notice("still here")
	}, Var("ahead"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, prefix) }()
	socket := filepath.Join(prefix, "scripted.socket")
	waiting, busy := dial(t, socket), dial(t, socket)
	started(t, waiting, `{"__seq__":1}`)
	done := make(chan error, 1)
	go func() { done <- busy.event(eventCall(1, "access")) }()
	<-running
	stop()
	_, err := waiting.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	close(proceed)
	assert.NoError(t, <-done)
	assert.Equal(t, []string{"kong.nginx.get_var", "kong.log.notice"}, busy.asks)
	require.NoError(t, busy.w.Flush()) // the log line's reply
	assert.NoError(t, <-ended)
	assert.NoFileExists(t, socket)
}

// TestSIGTERM stops a real process in the middle of an event.
func TestSIGTERM(t *testing.T) {
	prefix := t.TempDir()
	cmd := exec.Command(executable(t, oursName), "-kong-prefix", prefix)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	socket := filepath.Join(prefix, "ours.socket")
	p := dial(t, socket)
	id := started(t, p, `{"__seq__":4,"report":"127.0.0.1:1"}`)
	require.EqualValues(t, 4, id)
	p.Conn.Write(eventCall(id, "log"))
	_, err := p.r.Peek(1) // it asks
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	gone(t, socket)
	require.NoError(t, p.event(nil))
	assert.Contains(t, p.asks, "kong.log.err")
	require.NoError(t, p.w.Flush())
	assert.NoError(t, cmd.Wait(), stderr.String())
	assert.NoFileExists(t, socket)
}

// What cannot be a frame, or is too large, closes its connection and no other.
func TestBrokenFrames(t *testing.T) {
	tests := []struct{ name, sent string }{
		{"larger than 64 MiB", "\x01\x00\x00\x04"},
		{"4 GiB", "\xff\xff\xff\xff"},
		{"not protobuf", "\x03\x00\x00\x00\xff\xff\xff"},
		{"no call", "\x02\x00\x00\x00\x08\x07"},
		{"nothing", "\x00\x00\x00\x00"},
		{"an event that is not protobuf", "\x05\x00\x00\x00\xa2\x02\x02\xff\xff"},
		{"a start that is not protobuf", "\x05\x00\x00\x00\x8a\x02\x02\xff\xff"},
		{"an instance that is not there", string(eventCall(99, "access"))},
		{"a status of none", string(statusCall(99))},
		{"an end of none", string(closeCall(99))},
		{"a phase that is not there", string(eventCall(1, "preread"))},
		{"text", "GET / HTTP/1.1\r\n\r\n"},
		{"half a length", "\x01\x00"},
		{"half a frame", "\x09\x00\x00\x00abc"},
	}
	s := newServer(script(func(*pdk.PDK) {}))
	t.Cleanup(s.stop)
	other, _ := connectTo(t, s)
	started(t, other, `{"__seq__":1}`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := connectTo(t, s)
			io.WriteString(p.Conn, tt.sent)
			if strings.HasPrefix(tt.name, "half") {
				p.Conn.(*net.UnixConn).CloseWrite()
			}
			n, err := p.Read(make([]byte, 10))
			assert.Zero(t, n)
			assert.True(t, err == io.EOF || errors.Is(err, syscall.ECONNRESET), "%v", err)
			require.NoError(t, other.event(eventCall(1, "access")))
		})
	}
}

// A length is not believed before the bytes come.
func TestLengthAllocatesNothing(t *testing.T) {
	s := newServer(script(func(*pdk.PDK) {}))
	t.Cleanup(s.stop)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		p, _ := connectTo(t, s)
		p.Conn.Write(binary.LittleEndian.AppendUint32(nil, maxFrame))
		p.Conn.(*net.UnixConn).CloseWrite()
		_, err := p.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
}

// Large frames come whole.
func TestLargeConfig(t *testing.T) {
	p, _ := connect(t, Plugin{New: newTypical})
	ret, err := p.rpc(startCall(`{"__seq__":1,"header":"` + strings.Repeat("x", 5<<20) + `"}`))
	require.NoError(t, err)
	assert.EqualValues(t, 1, ret.GetInstanceStatus().GetInstanceId())
}

// Kong numbers instances itself, each worker on its own.
func TestInstances(t *testing.T) {
	numbers := make(chan int, 1)
	p := Plugin{New: func() any {
		c := &scripted{Number: 7}
		c.access = func(*pdk.PDK) { numbers <- c.Number }
		return c
	}}
	k, _ := connect(t, p)
	number := func(id int32) int {
		require.NoError(t, k.event(eventCall(id, "access")))
		return <-numbers
	}
	one := started(t, k, `{"__seq__":3,"number":1}`)
	assert.EqualValues(t, 3, one)
	same := started(t, k, `{"__seq__":3,"number":1}`)
	assert.Equal(t, one, same, "another worker, the same configuration")
	other := started(t, k, `{"__seq__":3,"number":2}`)
	assert.NotEqual(t, one, other, "another worker, another configuration")
	null := started(t, k, `{"__seq__":4,"number":null,"unknown":{}}`)
	unnumbered := started(t, k, `{"number":5}`)
	assert.Equal(t, []int{1, 2, 7, 5}, []int{number(one), number(other), number(null), number(unnumbered)})

	ret, err := k.rpc(statusCall(other))
	require.NoError(t, err)
	assert.Equal(t, other, ret.GetInstanceStatus().InstanceId)
	assert.NotZero(t, ret.GetInstanceStatus().StartedAt)

	_, err = k.rpc(closeCall(one))
	require.NoError(t, err)
	assert.Equal(t, 1, number(one), "still in use by the other worker")
	_, err = k.rpc(closeCall(one))
	require.NoError(t, err)
	assert.Equal(t, 2, number(other))
	assert.Error(t, k.event(eventCall(one, "access")), "closed")
}

// A configuration that Kong closes while an event of it runs stays until that
// ends, and is then gone from memory.
func TestClosedInstanceIsForgotten(t *testing.T) {
	running, proceed, freed := make(chan bool), make(chan bool), make(chan bool)
	p := Plugin{New: func() any {
		c := &scripted{}
		runtime.AddCleanup(c, func(int) { close(freed) }, 0)
		c.access = func(kong *pdk.PDK) {
			running <- true
			<-proceed
			kong.Log.Notice("end")
		}
		return c
	}}
	s := newServer(p)
	t.Cleanup(s.stop)
	busy, _ := connectTo(t, s)
	started(t, busy, `{"__seq__":1}`)
	done := make(chan error, 1)
	go func() { done <- busy.event(eventCall(1, "access")) }()
	<-running
	other, _ := connectTo(t, s)
	_, err := other.rpc(closeCall(1))
	require.NoError(t, err)
	close(proceed)
	require.NoError(t, <-done)
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond, "the instance is held")
}

func TestUnusedInstancesAreForgotten(t *testing.T) {
	all := &instances{byID: map[int32]*instance{}}
	p := script(func(*pdk.PDK) {})
	all.start(p, "x", []byte(`{"__seq__":1}`))
	all.start(p, "x", []byte(`{"__seq__":2}`))
	all.byID[1].used.Store(time.Now().Add(-2 * forgetAfter).Unix())
	all.start(p, "x", []byte(`{"__seq__":3}`))
	assert.NotNil(t, all.byID[1], "looked for a moment ago")
	all.swept = time.Time{}
	all.start(p, "x", []byte(`{"__seq__":4}`))
	assert.Nil(t, all.use(1))
	assert.NotNil(t, all.use(2))
}

// A configuration that does not decode starts with defaults, and says once which
// field is wrong.
func TestBadConfig(t *testing.T) {
	tests := []struct{ config, want string }{
		{`{"__seq__":1,"status":"loud","header":"mine"}`, "config: status: got string, want int; the defaults hold for every field"},
		{`{"__seq__":2,"header":["x"]}`, "config: header: got array, want string; the defaults hold for every field"},
		{`{"__seq__":3,"status":1.5}`, "config: status: got number 1.5, want int; the defaults hold for every field"},
		{`{"__seq__":4`, "config: unexpected end of JSON input; the defaults hold for every field"},
		{`{"__seq__":"x"}`, ""},
	}
	p, _ := connect(t, Plugin{New: newTypical})
	typicalReplies(p)
	for _, tt := range tests {
		t.Run(tt.config, func(t *testing.T) {
			id := started(t, p, tt.config)
			p.asks = nil
			p.reply(Status(), integer(405))
			require.NoError(t, p.event(eventCall(id, "response")))
			require.NoError(t, p.event(eventCall(id, "response")))
			var line []string
			if tt.want != "" {
				line = []string{"kong.log.err"}
			}
			explained := []string{"kong.response.get_headers", "kong.response.set_header", "kong.log.warn"}
			// The second event comes without the line.
			want := append([]string{"kong.service.response.get_status"}, line...)
			want = append(append(want, explained...), "kong.service.response.get_status")
			assert.Equal(t, append(want, explained...), p.asks)
		})
	}
	for _, tt := range tests {
		var config any = newTypical()
		err := decode([]byte(tt.config), config)
		if tt.want != "" {
			assert.Equal(t, tt.want, configProblem(err))
		}
	}
}

// A constructor that panics costs the connection only.
func TestConstructorPanics(t *testing.T) {
	good := true
	s := newServer(Plugin{New: func() any {
		if !good {
			panic("no")
		}
		return newTypical()
	}})
	t.Cleanup(s.stop)
	p, _ := connectTo(t, s)
	started(t, p, `{"__seq__":1}`)
	good = false
	other, _ := connectTo(t, s)
	_, err := other.rpc(startCall(`{"__seq__":2}`))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, p.event(eventCall(1, "response")))
}

// The line about a bad configuration is told at error level, with the field.
func TestBadConfigLine(t *testing.T) {
	p, _ := connect(t, Plugin{New: func() any { return &scripted{access: func(*pdk.PDK) {}} }})
	id := started(t, p, `{"__seq__":1,"number":"many"}`)
	require.NoError(t, p.event(eventCall(id, "access")))
	list := new(structpb.ListValue)
	require.NoError(t, proto.Unmarshal(p.args[frameHead:], list))
	assert.Equal(t, "[config: number: got string, want int; the defaults hold for every field]", fmt.Sprint(list.AsSlice()))
}

// FuzzSession sends anything to a server: it never panics, never hangs, and
// serves the next connection.
func FuzzSession(f *testing.F) {
	for _, seed := range [][]byte{
		startCall(`{"__seq__":1}`), eventCall(1, "access"), closeCall(1), statusCall(1),
		{}, {0, 0, 0, 0}, {1, 0, 0, 4}, {255, 255, 255, 255}, []byte("GET / HTTP/1.1\r\n\r\n"),
		append(startCall(`{"__seq__":1}`), eventCall(1, "response")...),
		append(append(startCall(`{"__seq__":1}`), eventCall(1, "access")...), 0, 0, 0, 0, 2, 0, 0, 0, 10, 0),
		append([]byte{0, 0, 0, 4}, make([]byte, free+1)...), // half of a frame as long as may be
		startCall(`{"__seq__":1,"header":` + strings.Repeat("[", 1000)),
		append(append(startCall(`{"__seq__":1}`), eventCall(1, "access")...), appendFrame(nil, pluginserver.Nested(1000, "\xff"))...),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		near, far := net.Pipe()
		s := newServer(Plugin{New: newTypical})
		s.start(far)
		go io.Copy(io.Discard, near)
		near.SetDeadline(time.Now().Add(10 * time.Second))
		near.Write(data)
		near.Close()
		s.wg.Wait()
	})
}

// Kong starts an instance again whose connection broke, and closes it once: it is
// forgotten all the same, when it has not been used for a while.
func TestInstanceStartedTwiceAndClosedOnce(t *testing.T) {
	all := &instances{byID: map[int32]*instance{}}
	p := Plugin{New: newTypical}
	for range 2 {
		all.start(p, "test", []byte(`{"__seq__":1}`))
	}
	if _, err := all.close(1); err != nil {
		t.Fatal(err)
	}
	if all.use(1) == nil {
		t.Fatal("another worker may still use it")
	}
	all.byID[1].used.Store(time.Now().Add(-2 * forgetClosedAfter).Unix())
	all.swept = time.Time{}
	all.start(p, "test", []byte(`{"__seq__":2}`))
	if all.use(1) != nil {
		t.Error("it was closed, is not used, and is not forgotten")
	}
}
