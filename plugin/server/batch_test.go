package server

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// batched is a plugin with a handler and what is asked ahead for each event.
type batched struct {
	handler func(*pdk.PDK)
	ahead   func() *Batch
	heard   chan bool // that the handler ended, which may be behind the event
}

func (c *batched) Access(kong *pdk.PDK) {
	defer func() { c.heard <- true }()
	c.handler(kong)
}
func (c *batched) Prefetch(string) *Batch { return c.ahead() }

// batchedPeer is connected to a plugin with one instance, and counts its reads and
// writes.
func batchedPeer(t *testing.T) (*peer, *counter, *batched) {
	t.Helper()
	c := &batched{handler: func(*pdk.PDK) {}, ahead: func() *Batch { return nil }, heard: make(chan bool, 1)}
	p, n := connect(t, Plugin{New: func() any { return c }})
	require.EqualValues(t, 1, started(t, p, `{"__seq__":1}`))
	p.asIsKong = true
	for name, value := range map[string]string{"a": "1", "b": "2", "c": "3"} {
		p.reply(Var(name), text(value))
	}
	return p, n, c
}

// event runs an event to the end of its handler.
func (c *batched) event(t *testing.T, p *peer) {
	t.Helper()
	require.NoError(t, p.event(eventCall(1, "access")))
	<-c.heard
}

func wantVar(t *testing.T, kong *pdk.PDK, name, want string) {
	t.Helper()
	got, err := On(kong).Var(name)
	assert.NoError(t, err)
	assert.Equal(t, want, got)
}

// After the last calls Kong has the end of the event already: one write, and nothing
// that it waits for. The handler hears the replies all the same.
func TestLastCalls(t *testing.T) {
	p, n, c := batchedPeer(t)
	last := Last(Var("a"), Var("b"))
	c.ahead = func() *Batch { return last }
	c.handler = func(kong *pdk.PDK) {
		wantVar(t, kong, "a", "1")
		assert.ErrorIs(t, On(kong).Log("err", "too late"), errEnded)
		_, err := kong.Nginx.GetVar("c")
		assert.ErrorIs(t, err, errEnded)
		assert.ErrorIs(t, On(kong).Ahead(last), errEnded)
		wantVar(t, kong, "b", "2")
	}
	c.event(t, p)
	p.asks = nil
	writes, reads := n.writes.Load(), n.reads.Load()
	const events = 10
	for range events {
		c.event(t, p)
	}
	assert.EqualValues(t, events, n.writes.Load()-writes)
	assert.NotZero(t, n.reads.Load()-reads)
	assert.Equal(t, []string{"kong.nginx.get_var", "kong.nginx.get_var"}, p.asks[:2])
	assert.Len(t, p.asks, 2*events)
}

// A handler that learns that it needs more asks for all of it at once.
func TestAskedAheadInTheMiddle(t *testing.T) {
	p, n, c := batchedPeer(t)
	c.ahead = func() *Batch { return Together(Var("a"), Var("b")) }
	more, last := Together(Var("b"), Var("c")), Last(Var("a"), Var("c"))
	c.handler = func(kong *pdk.PDK) {
		wantVar(t, kong, "a", "1")
		assert.NoError(t, kong.Log.Notice("goes with them"))
		assert.NoError(t, On(kong).Ahead(more))
		wantVar(t, kong, "c", "3")
		assert.NoError(t, On(kong).Ahead(nil))
		assert.NoError(t, On(kong).Ahead(Together(Var("c")))) // was asked
		assert.NoError(t, kong.Ctx.SetShared("k", "v"))       // left unread
		assert.NoError(t, On(kong).Ahead(last))
		wantVar(t, kong, "a", "1")
		wantVar(t, kong, "c", "3")
		assert.ErrorIs(t, kong.Log.Notice("too late"), errEnded)
	}
	for range 3 {
		p.asks = nil
		writes := n.writes.Load()
		c.event(t, p)
		assert.EqualValues(t, 3, n.writes.Load()-writes, "the asks, more of them, the last with the end")
		assert.Equal(t, "vvnvvsvv", letters(p.asks))
	}
}

// A reply that nobody needs is passed over, however long it is: more than is ever kept.
func TestLongReplyThatNobodyNeeds(t *testing.T) {
	p, _, c := batchedPeer(t)
	p.replyRaw(Body(), make([]byte, maxFrame+1))
	all, more := Together(Var("a"), Body(), Var("b")), Last(Var("b"))
	c.ahead = func() *Batch { return all }
	for _, next := range []*Batch{nil, more} {
		c.handler = func(kong *pdk.PDK) {
			wantVar(t, kong, "a", "1")
			assert.NoError(t, On(kong).Ahead(next))
			if next != nil {
				wantVar(t, kong, "b", "2")
			}
		}
		c.event(t, p)
	}
}

// What was changed since is asked again.
func TestAskedAheadAndStale(t *testing.T) {
	p, _, c := batchedPeer(t)
	all := Together(Var("a"), Call("kong.ctx.shared.get", text("k")))
	c.ahead = func() *Batch { return all }
	c.handler = func(kong *pdk.PDK) {
		assert.NoError(t, kong.Ctx.SetShared("k", "v"))
		assert.NoError(t, On(kong).Ahead(Together(Var("a"))))
		assert.NoError(t, On(kong).Ahead(all))
	}
	c.event(t, p)
	assert.Equal(t, []string{"kong.nginx.get_var", "kong.ctx.shared.get", "kong.ctx.shared.set", "kong.nginx.get_var", "kong.ctx.shared.get"}, p.asks)
}

// letters are the calls that were made, in short.
func letters(asks []string) string {
	var b strings.Builder
	for _, a := range asks {
		b.WriteString(map[string]string{"kong.nginx.get_var": "v", "kong.log.notice": "n", "kong.log.err": "e", "kong.ctx.shared.set": "s"}[a])
	}
	return b.String()
}

// What breaks while nobody can be told is told with the next event that can tell.
func TestPanicsAreToldLater(t *testing.T) {
	p, _, c := batchedPeer(t)
	last := Last(Var("a"))
	c.ahead = func() *Batch { return last }
	c.handler = func(*pdk.PDK) { panic("unheard") }
	c.event(t, p)
	assert.Equal(t, "v", letters(p.asks))

	c.ahead, c.handler = func() *Batch { panic("no batch") }, func(*pdk.PDK) {}
	p.asks = nil
	c.event(t, p)
	assert.Equal(t, "e", letters(p.asks), "of two the latest")
	list := new(structpb.ListValue)
	require.NoError(t, proto.Unmarshal(p.args[frameHead:], list))
	assert.Contains(t, list.Values[0].GetStringValue(), "panic before access: no batch; at server.TestPanicsAreToldLater")
}

// A reply to the last calls that never comes costs the connection, which Kong then
// makes anew, and no event.
func TestLastCallsThatRaise(t *testing.T) {
	p, _, c := batchedPeer(t)
	last := Last(Var("a"))
	c.ahead = func() *Batch { return last }
	c.handler = func(kong *pdk.PDK) {
		_, err := On(kong).Var("a")
		assert.Error(t, err)
	}
	p.raiseAt = "kong.nginx.get_var"
	require.Error(t, p.event(eventCall(1, "access")))
	<-c.heard
}

func TestDirectHeaders(t *testing.T) {
	p, handler := scriptedPeer(t)
	p.reply(RequestHeaders(), headersOf(map[string]any{"host": "h", "x-two": []any{"a", "b"}, "x_one": "1", "": "", "x-number": 5, "x-mixed": []any{"a", 1}}))
	p.reply(ResponseHeaders(), headersOf(map[string]any{"allow": "GET"}))
	run(t, p, handler, func(kong *pdk.PDK) {
		got, err := On(kong).RequestHeaders()
		assert.NoError(t, err)
		assert.Equal(t, http.Header{"Host": {"h"}, "X-Two": {"a", "b"}, "X_one": {"1"}, "": {""}, "X-Number": nil, "X-Mixed": {"a"}}, got)
		got, err = On(kong).ResponseHeaders()
		assert.NoError(t, err)
		assert.Equal(t, http.Header{"Allow": {"GET"}}, got)
	})
	p.replyRaw(RequestHeaders(), []byte{7})
	run(t, p, handler, func(kong *pdk.PDK) {
		_, err := On(kong).RequestHeaders()
		assert.ErrorIs(t, err, errFrame)
	})
}

// What is encoded by hand is what go-pdk's own encoding decodes.
func TestDirectSetters(t *testing.T) {
	p, handler := scriptedPeer(t)
	long := strings.Repeat("é", 300)
	run(t, p, handler, func(kong *pdk.PDK) {
		assert.NoError(t, On(kong).SetHeaders([]Header{{"X-B", "1\n2"}, {"X-A", long}, {"X-\xff", "\xff"}, {"X-E", ""}}))
	})
	headers := new(structpb.Struct)
	require.NoError(t, proto.Unmarshal(p.args[frameHead:], headers))
	assert.Equal(t, map[string]any{"X-B": "1 2", "X-A": long, "X-\ufffd": "\ufffd", "X-E": ""}, headers.AsMap())

	record := map[string]any{
		"text": long, "bad": "\xff", "none": nil, "yes": true, "no": false, "number": 1.5, "count": 405, "empty": map[string]any{}, "nothing": []any{},
		"list": []any{"a", map[string]any{"b": []any{1.0, nil}}}, "": "",
	}
	run(t, p, handler, func(kong *pdk.PDK) { assert.NoError(t, On(kong).SetSerializeValue("diag405", record)) })
	kv := new(kong_plugin_protocol.KV)
	require.NoError(t, proto.Unmarshal(p.args[frameHead:], kv))
	record["bad"], record["count"] = "\ufffd", 405.0
	assert.Equal(t, "diag405", kv.K)
	assert.Equal(t, record, kv.V.AsInterface())
	assert.Equal(t, []string{"kong.response.set_headers", "kong.log.set_serialize_value"}, p.asks)

	run(t, p, handler, func(kong *pdk.PDK) {
		err := On(kong).SetSerializeValue("k", map[string]any{"a": []any{struct{}{}}})
		assert.ErrorContains(t, err, `"a": 0: a struct {} is no such value`)
		_, err = kong.Nginx.GetVar("still there")
		assert.NoError(t, err)
	})
}

// The same with a PDK that another server made.
func TestDirectSettersElsewhere(t *testing.T) {
	for _, call := range []func(Direct) error{
		func(d Direct) error { return d.Ahead(Together(Var("a"))) },
		func(d Direct) error { return d.SetHeaders([]Header{{"X-\xff", "\xff"}}) },
		func(d Direct) error { return d.SetSerializeValue("k", map[string]any{"a": 1.0}) },
		func(d Direct) error { _, err := d.RequestHeaders(); return err },
		func(d Direct) error {
			h, err := d.ResponseHeaders()
			return errors.Join(err, map[bool]error{false: errors.New("no Allow")}[h.Get("Allow") == "GET"])
		},
	} {
		p, kong := foreign(t)
		p.reply(ResponseHeaders(), headersOf(map[string]any{"allow": "GET"}))
		go p.event(nil)
		assert.NoError(t, call(On(kong)))
	}
}

func headersOf(m map[string]any) proto.Message {
	s, err := structpb.NewStruct(m)
	if err != nil {
		panic(err)
	}
	return s
}
