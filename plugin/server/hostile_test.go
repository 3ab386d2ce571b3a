package server

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/standin/pluginserver"
)

// What the other side of the socket can send, in the short form of the programs that
// tried it.

// soon is far more than what any of it may take, and far less than what it took.
const soon = 5 * time.Second

// A reply that go-pdk's decoder, or this one, would go too deep, too long or too far
// for fails its call, and that alone.
func TestHostileReplies(t *testing.T) {
	list := func(n int) []byte { // of empty values
		return protowire.AppendBytes(protowire.AppendTag(nil, 6, protowire.BytesType), []byte(strings.Repeat("\x0a\x00", n)))
	}
	tests := []struct {
		name  string
		reply []byte
		fails string // what go-pdk says
	}{
		{"as deep as may be", pluginserver.Nested(maxDepth/2-1, "é\xff"), ""},
		{"a little too deep", pluginserver.Nested(maxDepth, "\xff"), "cannot parse"},
		{"deep enough for the stack to overflow", pluginserver.Nested(3<<20, "\xff"), "cannot parse"},
		{"deep, in plain text", pluginserver.Nested(1<<20, "x"), "cannot parse"},
		{"long and deep", pluginserver.Nested(20_000, strings.Repeat("\xff", 900<<10)), "cannot parse"},
		{"long", pluginserver.Nested(1, strings.Repeat("\xff", 900<<10)), ""},
		{"many", list(2 << 20), "cannot parse"},
		{"many, and not too long", list(400_000), "cannot parse"},
		{"a lot", list(90_000), ""},
	}
	p, handler := scriptedPeer(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.replyRaw(Call("kong.nginx.get_ctx", text("k")), tt.reply)
			start := time.Now()
			run(t, p, handler, func(kong *pdk.PDK) {
				_, err := kong.Nginx.GetCtxAny("k")
				if tt.fails == "" {
					assert.NoError(t, err)
				} else {
					assert.ErrorContains(t, err, tt.fails)
				}
				_, err = kong.Nginx.GetVar("next")
				assert.NoError(t, err)
			})
			assert.Less(t, time.Since(start), soon)
		})
	}
}

// What a handler says beyond the bounds is not sent, as not all of it would be clean.
func TestTooDeepToClean(t *testing.T) {
	deep := structpb.NewStringValue("a\nb")
	for range maxDepth {
		deep = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{deep}})
	}
	p, handler := scriptedPeer(t)
	run(t, p, handler, func(kong *pdk.PDK) {
		assert.NoError(t, kong.Log.Ask("kong.log.err", &structpb.ListValue{Values: []*structpb.Value{deep}}, nil))
		assert.NoError(t, kong.Log.Info("next"))
	})
	assert.Equal(t, []string{"kong.log.info"}, p.asks)
}

// heap is what is held, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Frames that do not end hold what came of them, and all together a bounded part.
func TestHalfFrames(t *testing.T) {
	s := newServer(script(func(*pdk.PDK) {}))
	t.Cleanup(s.stop)
	other, _ := connectTo(t, s)
	started(t, other, `{"__seq__":1}`)
	before := heap()
	for range 200 {
		p, _ := connectTo(t, s)
		_, err := p.Conn.Write(append(binary.LittleEndian.AppendUint32(nil, maxFrame), 'x'))
		require.NoError(t, err)
	}
	require.NoError(t, other.event(eventCall(1, "access")))
	assert.Less(t, heap()-before, uint64(32<<20), "held by 200 half frames")
}

func TestHeldByAll(t *testing.T) {
	s := newServer(script(func(*pdk.PDK) {}))
	t.Cleanup(s.stop)
	other, _ := connectTo(t, s)
	started(t, other, `{"__seq__":1}`)
	half := append(binary.LittleEndian.AppendUint32(nil, maxFrame), make([]byte, 40<<20)...)
	var connected []*peer
	for range 5 {
		p, _ := connectTo(t, s)
		connected = append(connected, p)
		p.Conn.Write(half) // fails where the server has closed the connection
	}
	closed := 0
	for _, p := range connected {
		p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := p.Read(make([]byte, 1)); err == io.EOF || isReset(err) {
			closed++
		}
	}
	assert.GreaterOrEqual(t, closed, 2)
	assert.LessOrEqual(t, held.Load(), int64(maxHeld))
	require.NoError(t, other.event(eventCall(1, "access")), "short frames always have room")
	for _, p := range connected {
		p.Conn.Close()
	}
	require.Eventually(t, func() bool { return held.Load() == 0 }, 10*time.Second, time.Millisecond, "given back")
	assert.NotZero(t, started(t, other, `{"__seq__":2,"x":"`+strings.Repeat("x", 5<<20)+`"}`))
	require.Eventually(t, func() bool { return held.Load() == 0 }, 10*time.Second, time.Millisecond, "after the call")
}

// Instances without a number are numbered, and those that nobody uses found, without
// looking at all for each.
func TestManyInstances(t *testing.T) {
	all := &instances{byID: map[int32]*instance{}}
	p := script(func(*pdk.PDK) {})
	start := time.Now()
	for i := range 20_000 {
		all.start(p, "x", fmt.Appendf(nil, `{"number":%d}`, i))
	}
	assert.Less(t, time.Since(start), soon)
	assert.Len(t, all.byID, 20_000)
}

// A configuration without end costs its settings.
func TestHostileConfigs(t *testing.T) {
	for name, tt := range map[string]struct{ config, problem string }{
		"deep":        {`{"header":` + strings.Repeat("[", 1<<20), "exceeded max depth"},
		"deep, whole": {`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "exceeded max depth"},
		"long":        {`{"header":"` + strings.Repeat("x", maxConfig) + `"}`, "more than 8388608"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			i := newInstance(Plugin{New: newTypical}, []byte(tt.config))
			assert.Contains(t, *i.problem.text.Load(), tt.problem)
			assert.Less(t, len(*i.problem.text.Load()), 200)
			assert.Less(t, time.Since(start), soon)
		})
	}
}

// Routes are remembered up to a bound, whatever Kong says.
func TestDecodedIsBounded(t *testing.T) {
	d := decoded[int]{values: map[string]int{}}
	for i := range 100 {
		reply := fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", 1<<20))
		_, err := d.get(reply, func([]byte) (int, error) { return i, nil })
		require.NoError(t, err)
		total := 0
		for key := range d.values {
			total += len(key)
		}
		assert.LessOrEqual(t, total, maxDecodedBytes)
		assert.Equal(t, total, d.bytes)
	}
}

// What is rewritten is as long as it says, at every depth.
func TestRewrittenLengths(t *testing.T) {
	for depth := range 60 {
		for _, n := range []int{0, 1, 40, 42, 127, 128, 5000, 6000} {
			reply := pluginserver.Nested(depth, strings.Repeat("\xff", n)+"é")
			var v structpb.Value
			require.NoError(t, proto.Unmarshal(valueShape.readable(reply), &v))
			got := fmt.Sprint(v.AsInterface())
			assert.Equal(t, strings.Repeat("%FF", n)+"é", strings.Trim(got, "[]"))
		}
	}
}

// What is printed where a terminal may be moves no cursor there.
func TestPrintable(t *testing.T) {
	assert.Equal(t, "one [2J two?   é", printable("one\x1b[2J\ntwo\xff\u009b\té"))
}
