package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// TestReadsAndWrites counts what an event costs. The first read is Kong's call and
// the replies that the event before left unread; each further one is a wait.
func TestReadsAndWrites(t *testing.T) {
	tests := []struct {
		name          string
		phase         string
		status        int
		reads, writes int64
		asks          int
	}{
		{"access: the asks, then the line and the end", "access", 200, 2, 2, 9},
		{"response that is left alone", "response", 200, 2, 2, 1},
		{"response that is explained: one more wait for the headers", "response", 405, 3, 3, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, c := connect(t, Plugin{New: newTypical})
			typicalReplies(p)
			p.reply(Status(), integer(tt.status))
			id := started(t, p, `{"__seq__":1}`)
			require.NoError(t, p.event(eventCall(id, tt.phase)))
			p.asks = nil
			reads, writes := c.reads.Load(), c.writes.Load()
			const events = 10
			for range events {
				require.NoError(t, p.event(eventCall(id, tt.phase)))
			}
			assert.Equal(t, tt.writes*events, c.writes.Load()-writes, "writes")
			assert.Equal(t, tt.reads*events, c.reads.Load()-reads, "reads")
			assert.Len(t, p.asks, tt.asks*events)
		})
	}
}

// run runs one event of a handler against a peer.
func run(t *testing.T, p *peer, handler *func(*pdk.PDK), h func(*pdk.PDK)) {
	t.Helper()
	*handler = h
	require.NoError(t, p.event(eventCall(1, "access")))
}

// scriptedPeer is connected to a plugin whose handler a test sets before each
// event.
func scriptedPeer(t *testing.T, asks ...Ask) (*peer, *func(*pdk.PDK)) {
	t.Helper()
	var handler func(*pdk.PDK)
	p, _ := connect(t, script(func(kong *pdk.PDK) { handler(kong) }, asks...))
	require.EqualValues(t, 1, started(t, p, `{"__seq__":1}`))
	return p, &handler
}

func TestPrefetchedRepliesGoToTheirCalls(t *testing.T) {
	p, handler := scriptedPeer(t, Var("a"), Var("b"), Route(), requestHeaders(-1), Var("never asked"))
	p.reply(Var("a"), text("1"))
	p.reply(Var("b"), text("2"))
	p.reply(Var("c"), text("3"))
	p.reply(Route(), &kong_plugin_protocol.Route{Name: "r"})
	headers, _ := structpb.NewStruct(map[string]any{"x": []any{"1", "2"}})
	p.reply(requestHeaders(100), headers)
	for range 3 {
		p.asks = nil
		run(t, p, handler, func(kong *pdk.PDK) {
			for _, name := range []string{"b", "a", "c", "b", "a", "a"} { // in another order, and again
				v, err := kong.Nginx.GetVar(name)
				assert.NoError(t, err)
				assert.Equal(t, map[string]string{"a": "1", "b": "2", "c": "3"}[name], v)
			}
			route, err := kong.Router.GetRoute()
			assert.NoError(t, err)
			assert.Equal(t, "r", route.Name)
			h, err := kong.Request.GetHeaders(-1)
			assert.NoError(t, err)
			assert.Equal(t, map[string][]string{"x": {"1", "2"}}, h)
		})
		assert.Len(t, p.asks, 6, "five ahead, and $c")
	}
}

// A reply is as of the beginning of the event: what the handler changes makes it
// useless.
func TestRepliesGoStale(t *testing.T) {
	asks := []Ask{Var("v"), Call("kong.nginx.get_ctx", text("k")), Call("kong.ctx.shared.get", text("k")), responseHeaders(5), Route()}
	tests := []struct {
		name   string
		change func(*pdk.PDK) error
		stale  string // first letters of those that are asked again
	}{
		{"a log line", func(k *pdk.PDK) error { return k.Log.Err("x") }, ""},
		{"shared", func(k *pdk.PDK) error { return k.Ctx.SetShared("k", 1) }, "s"},
		{"context", func(k *pdk.PDK) error { return k.Nginx.SetCtx("k", 1) }, "cshr"},
		{"header", func(k *pdk.PDK) error { return k.Response.SetHeader("k", "v") }, "vh"},
		{"request header", func(k *pdk.PDK) error { return k.ServiceRequest.SetHeader("k", "v") }, "vcshr"},
		{"upstream", func(k *pdk.PDK) error { return k.Service.SetUpstream("u") }, "vcshr"},
		{"a call that nobody knows", func(k *pdk.PDK) error { return k.Log.Ask("kong.new.thing", nil, nil) }, "vcshr"},
		{"another getter", func(k *pdk.PDK) error { _, err := k.Request.GetMethod(); return err }, ""},
	}
	p, handler := scriptedPeer(t, asks...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.asks = nil
			run(t, p, handler, func(kong *pdk.PDK) {
				assert.NoError(t, tt.change(kong))
				kong.Nginx.GetVar("v")
				kong.Nginx.GetCtxAny("k")
				kong.Ctx.GetSharedAny("k")
				kong.Response.GetHeaders(5)
				kong.Router.GetRoute()
			})
			letters := map[string]string{"kong.nginx.get_var": "v", "kong.nginx.get_ctx": "c", "kong.ctx.shared.get": "s",
				"kong.response.get_headers": "h", "kong.router.get_route": "r"}
			again := ""
			for _, method := range p.asks[len(asks)+1:] {
				again += letters[method]
			}
			assert.Equal(t, tt.stale, again)
		})
	}
}

// Calls that return nothing are written behind, in order, with the end.
func TestWritesBehind(t *testing.T) {
	p, handler := scriptedPeer(t)
	run(t, p, handler, func(kong *pdk.PDK) {
		assert.NoError(t, kong.Log.Notice("one"))
		assert.NoError(t, kong.Response.SetHeader("a", "b"))
		_, err := kong.Nginx.GetVar("x") // goes out with them
		assert.NoError(t, err)
		assert.NoError(t, kong.Ctx.SetShared("k", "v"))
	})
	assert.Equal(t, []string{"kong.log.notice", "kong.response.set_header", "kong.nginx.get_var", "kong.ctx.shared.set"}, p.asks)
}

// A handler may write any amount without either side waiting for the other to
// read.
func TestManyAndLargeCalls(t *testing.T) {
	p, handler := scriptedPeer(t, Var("large"))
	large := strings.Repeat("x", 3<<20)
	p.reply(Var("large"), text(large))
	p.asIsKong = true // replies take room from the first one on
	run(t, p, handler, func(kong *pdk.PDK) {
		for i := range 5000 {
			assert.NoError(t, kong.Log.Info("line ", i))
		}
		assert.NoError(t, kong.ServiceRequest.SetRawBody(large))
		assert.NoError(t, kong.Log.Info(strings.Repeat("y", 1<<20)))
		v, err := kong.Nginx.GetVar("large")
		assert.NoError(t, err)
		assert.Len(t, v, len(large))
	})
	assert.Len(t, p.asks, 1+5000+2+1)
}

// go-pdk writes a method, finds that it cannot encode the arguments, and writes
// the next method: here that is no call at all.
func TestAbandonedCalls(t *testing.T) {
	p, handler := scriptedPeer(t, Var("a"))
	p.reply(Var("a"), text("1"))
	p.reply(Var("b"), text("2"))
	for range 2 {
		p.asks = nil
		run(t, p, handler, func(kong *pdk.PDK) {
			assert.Error(t, kong.Response.SetHeader("X", "bad \xff"))
			assert.Error(t, kong.Response.SetHeader("X", "bad \xff"))
			_, err := kong.Nginx.GetVar("kong.\xff")
			assert.Error(t, err)
			for name, want := range map[string]string{"a": "1", "b": "2"} {
				v, err := kong.Nginx.GetVar(name)
				assert.NoError(t, err)
				assert.Equal(t, want, v)
			}
			assert.Error(t, kong.Response.SetHeader("X", "bad \xff")) // and nothing after it
		})
		assert.Equal(t, []string{"kong.nginx.get_var", "kong.nginx.get_var"}, p.asks)
	}
}

func TestControlCharactersBecomeSpaces(t *testing.T) {
	p, handler := scriptedPeer(t)
	var sent []string
	remember := func(m proto.Message, of func() string) {
		require.NoError(t, proto.Unmarshal(p.args[frameHead:], m))
		sent = append(sent, of())
	}
	run(t, p, handler, func(kong *pdk.PDK) { kong.Log.Err("a\nb\r\x00\x7f\u0085é\t", 5, true, "\n") })
	list := new(structpb.ListValue)
	remember(list, func() string { return fmt.Sprint(list.AsSlice()) })
	run(t, p, handler, func(kong *pdk.PDK) { kong.Response.SetHeader("X\n", "1\r\nSet-Cookie: x") })
	kv := new(kong_plugin_protocol.KV)
	remember(kv, func() string { return kv.K + "=" + kv.V.GetStringValue() })
	run(t, p, handler, func(kong *pdk.PDK) { kong.ServiceRequest.SetHeaders(map[string][]string{"X": {"1\n", "2"}}) })
	headers := new(structpb.Struct)
	remember(headers, func() string { return fmt.Sprint(headers.AsMap()) })
	run(t, p, handler, func(kong *pdk.PDK) { kong.Ctx.SetShared("k", "a\nb") }) // data, not text
	remember(kv, func() string { return kv.V.GetStringValue() })
	assert.Equal(t, []string{"[a b     é  5 true  ]", "X =1  Set-Cookie: x", "map[X:[1  2]]", "a\nb"}, sent)
}

// Kong passes on bytes that clients send; go-pdk fails on those that are not
// UTF-8.
func TestRepliesWithOtherBytes(t *testing.T) {
	p, handler := scriptedPeer(t, Var("request"))
	raw := func(s string) []byte { return append([]byte{1<<3 | 2, byte(len(s))}, s...) }
	p.replyRaw(Var("request"), raw("GET /caf\xe9/é\xff HTTP/1.1"))
	p.replyRaw(Var("http_host"), raw("\xc3"))
	// {"x": "\xe9", "y": "é"}
	headers := append([]byte{1<<3 | 2, 8, 1<<3 | 2, 1, 'x', 2<<3 | 2, 3, 3<<3 | 2, 1, 0xe9}, 1<<3|2, 9, 1<<3|2, 1, 'y', 2<<3|2, 4, 3<<3|2, 2, 0xc3, 0xa9)
	p.replyRaw(requestHeaders(100), headers)
	p.replyRaw(Service(), []byte{7})
	run(t, p, handler, func(kong *pdk.PDK) {
		v, err := kong.Nginx.GetVar("request")
		assert.NoError(t, err)
		assert.Equal(t, "GET /caf%E9/é%FF HTTP/1.1", v)
		v, err = kong.Nginx.GetVar("http_host")
		assert.NoError(t, err)
		assert.Equal(t, "%C3", v)
		h, err := kong.Request.GetHeaders(-1)
		assert.NoError(t, err)
		assert.Equal(t, map[string][]string{"x": {"%E9"}, "y": {"é"}}, h)
		_, err = kong.Router.GetService() // what does not parse is go-pdk's to refuse
		assert.Error(t, err)
		_, err = kong.Nginx.GetVar("after")
		assert.NoError(t, err)
	})
}

// When a call raises, Kong closes the connection: this call or the next one that
// returns something fails as with go-pdk, and so do all that follow.
func TestCallsThatRaise(t *testing.T) {
	tests := []struct {
		name, raises string
		asks         []Ask
		handler      func(*pdk.PDK) error
	}{
		{"a getter", "kong.nginx.get_var", nil, func(k *pdk.PDK) error { _, err := k.Nginx.GetVar("v"); return err }},
		{"written behind", "kong.log.err", nil, func(k *pdk.PDK) error {
			if err := k.Log.Err("x"); err != nil {
				return nil
			}
			_, err := k.Nginx.GetVar("v")
			return err
		}},
		{"asked ahead", "kong.service.response.get_status", []Ask{Var("v"), Status()}, func(k *pdk.PDK) error {
			k.Nginx.GetVar("v")
			_, err := k.ServiceResponse.GetStatus()
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, handler := scriptedPeer(t, tt.asks...)
			p.raiseAt = tt.raises
			done := make(chan error, 2)
			*handler = func(kong *pdk.PDK) {
				done <- tt.handler(kong)
				done <- kong.Log.Err("more")
			}
			require.Error(t, p.event(eventCall(1, "access")))
			for range 2 {
				err := <-done
				assert.True(t, errors.Is(err, io.EOF) || isReset(err), "%v", err)
			}
		})
	}
}

// isReset tells of a connection that ended with data unread.
func isReset(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe"))
}

// kong.Response.Exit ends Kong's work on the request and with it the connection.
func TestExit(t *testing.T) {
	p, handler := scriptedPeer(t)
	p.raiseAt = "kong.response.exit"
	done := make(chan error, 1)
	*handler = func(kong *pdk.PDK) {
		kong.Log.Notice("before")
		kong.Response.Exit(403, []byte("no"), nil)
		done <- kong.Log.Notice("after")
	}
	require.Error(t, p.event(eventCall(1, "access")))
	assert.ErrorIs(t, <-done, net.ErrClosed)
	assert.Equal(t, []string{"kong.log.notice", "kong.response.exit"}, p.asks)
}

// A PDK that is kept longer than its event does not get in the way of the next.
func TestPDKAfterTheEvent(t *testing.T) {
	p, handler := scriptedPeer(t)
	var kept *pdk.PDK
	run(t, p, handler, func(kong *pdk.PDK) { kept = kong })
	assert.ErrorIs(t, kept.Log.Err("late"), net.ErrClosed)
	run(t, p, handler, func(*pdk.PDK) { assert.ErrorIs(t, kept.Log.Err("later"), net.ErrClosed) })
	assert.Empty(t, p.asks)
}

type broken struct{ inner *broken }

func (b *broken) deep() *broken { return b.inner.inner }

// A panic is a line in Kong's error log, and the event ends as any other.
func TestPanics(t *testing.T) {
	tests := []struct {
		name    string
		handler func(*pdk.PDK)
		want    []string
	}{
		{"nil pointer", func(*pdk.PDK) { (*broken)(nil).deep() }, []string{
			"panic in access: runtime error: invalid memory address", "server.(*broken).deep (event_test.go:", "server.TestPanics.func"}},
		{"a value", func(*pdk.PDK) { panic("one\ntwo\xff") }, []string{"panic in access: one two?"}},
		{"nil", func(*pdk.PDK) { panic(nil) }, []string{"panic called with nil"}},
		{"behind calls", func(k *pdk.PDK) { k.Log.Info("x"); k.Nginx.GetVar("y"); panic("late") }, []string{"panic in access: late"}},
		{"in the middle of a call", func(k *pdk.PDK) { k.Response.SetHeader("x", "\xff"); panic("mid") }, []string{"panic in access: mid"}},
	}
	p, handler := scriptedPeer(t, Var("a"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run(t, p, handler, tt.handler)
			assert.Equal(t, "kong.log.err", p.asks[len(p.asks)-1])
			list := new(structpb.ListValue)
			require.NoError(t, proto.Unmarshal(p.args[frameHead:], list))
			line := fmt.Sprint(list.AsSlice()...)
			for _, want := range tt.want {
				assert.Contains(t, line, want)
			}
			assert.NotContains(t, line, "runtime.")
			assert.NotContains(t, line, "/work")
		})
	}
	run(t, p, handler, func(*pdk.PDK) {})
}

// An event that asks nothing allocates next to nothing.
func TestAllocations(t *testing.T) {
	p, handler := scriptedPeer(t)
	p.record = false
	call := eventCall(1, "access")
	*handler = func(*pdk.PDK) {}
	got := testing.AllocsPerRun(200, func() {
		if err := p.event(call); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, got, 8.0)

	for _, tt := range []struct {
		config func() any
		phase  string
	}{{newTypical, "response"}, {newDirect, "access"}} {
		p, _ := connect(t, Plugin{New: tt.config})
		typicalReplies(p)
		p.record = false
		call := eventCall(started(t, p, `{"__seq__":1}`), tt.phase)
		got := testing.AllocsPerRun(200, func() {
			if err := p.event(call); err != nil {
				t.Fatal(err)
			}
		})
		assert.LessOrEqual(t, got, 40.0, tt.phase)
	}
}

// Direct calls are the PDK's, in both the same: what is there, what is not, what
// changed, what fails.
func TestDirectCalls(t *testing.T) {
	p, handler := scriptedPeer(t, Var("request"), Route())
	typicalReplies(p)
	p.replyRaw(Var("raw"), []byte{1<<3 | 2, 1, 0xe9})
	p.reply(AnswerStatus(), integer(404))
	p.reply(Body(), &kong_plugin_protocol.ByteString{V: []byte("\x00body\xff")})
	run(t, p, handler, func(kong *pdk.PDK) {
		d := On(kong)
		for range 2 {
			for _, name := range []string{"request", "upstream_uri", "none", "raw", "request", ""} {
				want, err := kong.Nginx.GetVar(name)
				assert.NoError(t, err)
				got, err := d.Var(name)
				assert.NoError(t, err)
				assert.Equal(t, want, got)
			}
			wantRoute, _ := kong.Router.GetRoute()
			route, err := d.Route()
			assert.NoError(t, err)
			assert.Equal(t, wantRoute, route)
			assert.NotEmpty(t, route.Service.Id)
			wantService, _ := kong.Router.GetService()
			service, err := d.Service()
			assert.NoError(t, err)
			assert.Equal(t, wantService, service)
			assert.Equal(t, 8900, service.Port)
			wantBody, _ := kong.ServiceResponse.GetRawBody()
			body, err := d.Body()
			assert.NoError(t, err)
			assert.Equal(t, wantBody, body)
			wantStatus, _ := kong.ServiceResponse.GetStatus()
			status, err := d.Status()
			assert.NoError(t, err)
			assert.Equal(t, wantStatus, status)
			wantStatus, _ = kong.Response.GetStatus()
			status, err = d.AnswerStatus()
			assert.NoError(t, err)
			assert.Equal(t, wantStatus, status)
			assert.NoError(t, kong.Response.SetHeader("x", "\x01")) // makes $request stale
		}
	})
	var kept Direct
	run(t, p, handler, func(kong *pdk.PDK) { kept = On(kong) })
	_, err := kept.Var("request")
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = kept.Route()
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = kept.Status()
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.Empty(t, running.byPDK)

	p.replyRaw(Service(), []byte{7})
	run(t, p, handler, func(kong *pdk.PDK) {
		_, err := On(kong).Service()
		assert.ErrorContains(t, err, "decoding the service")
	})
}

// A line is encoded as go-pdk does, and cleaned.
func TestDirectLog(t *testing.T) {
	p, handler := scriptedPeer(t)
	for _, level := range levels {
		for _, line := range []string{"", "a line", "two\nlines", strings.Repeat("long é ", 1000)} {
			run(t, p, handler, func(kong *pdk.PDK) { assert.NoError(t, On(kong).Log(level, line)) })
			got := string(p.args)
			run(t, p, handler, func(kong *pdk.PDK) { assert.NoError(t, kong.Log.Ask("kong.log."+level, listOf(line), nil)) })
			assert.Equal(t, string(p.args), got)
			assert.Equal(t, []string{"kong.log." + level, "kong.log." + level}, p.asks)
			p.asks = nil
		}
	}
	run(t, p, handler, func(kong *pdk.PDK) {
		assert.ErrorContains(t, On(kong).Log("loud", "x"), `"loud" is not a level`)
		assert.NoError(t, On(kong).Log("err", "\xff"))
	})
	list := new(structpb.ListValue)
	require.NoError(t, proto.Unmarshal(p.args[frameHead:], list))
	assert.Equal(t, "\ufffd", list.Values[0].GetStringValue())
}

func listOf(line string) *structpb.ListValue {
	return &structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue(line)}}
}

// foreign is a PDK that another server made, and its peer.
func foreign(t *testing.T) (*peer, *pdk.PDK) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close() })
	return newPeer(far), pdk.Init(near)
}

// A PDK that another server made has go-pdk's calls.
func TestDirectCallsElsewhere(t *testing.T) {
	p, kong := foreign(t)
	typicalReplies(p)
	p.reply(AnswerStatus(), integer(204))
	go p.event(nil)
	d := On(kong)
	v, err := d.Var("request")
	assert.NoError(t, err)
	assert.Equal(t, "POST /api/sendWeather?x=1 HTTP/1.1", v)
	route, err := d.Route()
	assert.NoError(t, err)
	assert.Equal(t, "internal-weather-route-POST", route.Name)
	service, err := d.Service()
	assert.NoError(t, err)
	assert.Equal(t, "weather", service.Name)
	status, err := d.Status()
	assert.NoError(t, err)
	assert.Equal(t, 200, status)
	status, err = d.AnswerStatus()
	assert.NoError(t, err)
	assert.Equal(t, 204, status)
	assert.NoError(t, d.Log("notice", "x"))
}
