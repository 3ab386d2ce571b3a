package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/entities"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Direct makes some of the PDK's calls without go-pdk's encoding and decoding in
// between, which costs ten allocations or more for each. They go the same way as
// the PDK's: asked ahead or not, in the same order, with the same results.
//
// A plugin that runs on every request may read what it needs through [On]; nothing
// has to.
type Direct struct {
	kong *pdk.PDK
	e    *event // nil when the PDK is not of this package's server
}

// On returns the direct calls of an event. With a PDK that another server made, or
// a test, they are go-pdk's own.
func On(kong *pdk.PDK) Direct { return Direct{kong, running.of(kong)} }

// Ahead makes the calls of a batch at once, in one write, for the handler's own calls to
// find their replies. Those that were asked ahead before are asked again when they are
// made again. Nothing is asked where all of them were asked ahead already, and what they
// depend on has not changed. With the last calls the event ends: see [Last].
func (d Direct) Ahead(b *Batch) error {
	if d.e == nil || b == nil {
		return nil
	}
	if d.e.err != nil {
		return d.e.err
	}
	if d.e.ended {
		return errEnded
	}
	if !b.last && d.e.has(b) {
		return nil
	}
	d.e.asks, d.e.next, d.e.stale, d.e.ended = b.asks, 0, 0, b.last
	if err := d.e.s.more(b, d.e.sequence); err != nil {
		return d.e.fail(err)
	}
	return nil
}

// has reports whether all calls of a batch were asked ahead, and can be told.
func (e *event) has(b *Batch) bool {
	for _, a := range b.asks {
		asked := func(other Ask) bool { return bytes.Equal(a.frames, other.frames) }
		if a.call.reads&e.stale != 0 || !slices.ContainsFunc(e.asks, asked) {
			return false
		}
	}
	return true
}

// Var is kong.Nginx.GetVar.
func (d Direct) Var(name string) (string, error) {
	if d.e == nil {
		return d.kong.Nginx.GetVar(name)
	}
	value, err := d.e.bytes("kong.nginx.get_var", name)
	return string(value), err
}

// Body is kong.ServiceResponse.GetRawBody.
func (d Direct) Body() ([]byte, error) {
	if d.e == nil {
		return d.kong.ServiceResponse.GetRawBody()
	}
	value, err := d.e.bytes("kong.service.response.get_raw_body", "")
	return bytes.Clone(value), err
}

// Status is kong.ServiceResponse.GetStatus.
func (d Direct) Status() (int, error) {
	if d.e == nil {
		return d.kong.ServiceResponse.GetStatus()
	}
	return d.e.number("kong.service.response.get_status")
}

// AnswerStatus is kong.Response.GetStatus.
func (d Direct) AnswerStatus() (int, error) {
	if d.e == nil {
		return d.kong.Response.GetStatus()
	}
	return d.e.number("kong.response.get_status")
}

// Route is kong.Router.GetRoute. Its lists are shared with other events: they are
// not to be changed.
func (d Direct) Route() (entities.Route, error) {
	if d.e == nil {
		return d.kong.Router.GetRoute()
	}
	reply, err := d.e.call("kong.router.get_route", "")
	if err != nil {
		return entities.Route{}, err
	}
	return routes.get(reply, decodeRoute)
}

// Service is kong.Router.GetService. Its lists are shared with other events: they
// are not to be changed.
func (d Direct) Service() (entities.Service, error) {
	if d.e == nil {
		return d.kong.Router.GetService()
	}
	reply, err := d.e.call("kong.router.get_service", "")
	if err != nil {
		return entities.Service{}, err
	}
	return services.get(reply, decodeService)
}

// Log writes a line to Kong's error log, at level alert, crit, err, warn, notice,
// info or debug. What is not UTF-8 in it is replaced by U+FFFD.
func (d Direct) Log(level, line string) error {
	if !slices.Contains(levels, level) {
		return fmt.Errorf("%q is not a level of Kong's log", level)
	}
	line = valid(line)
	if d.e == nil {
		list := &structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue(line)}}
		return d.kong.Log.Ask("kong.log."+level, list, nil)
	}
	_, err := d.e.send(func(in []byte) []byte {
		in = protowire.AppendFixed32(in, uint32(len("kong.log.")+len(level)))
		in = append(append(in, "kong.log."...), level...)
		value := sizeOf(len(line)) // a Value, in a ListValue
		in = protowire.AppendFixed32(in, uint32(sizeOf(value)))
		in = protowire.AppendTag(in, 1, protowire.BytesType)
		in = protowire.AppendVarint(in, uint64(value))
		in = protowire.AppendTag(in, 3, protowire.BytesType)
		return protowire.AppendString(in, line)
	})
	return err
}

var levels = []string{"alert", "crit", "err", "warn", "notice", "info", "debug"}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// number makes a call that takes nothing and returns an Int.
func (e *event) number(method string) (n int, err error) {
	reply, err := e.call(method, "")
	if err != nil {
		return 0, err
	}
	err = fields(reply, func(number protowire.Number, kind protowire.Type, raw, _ []byte) error {
		if number == 1 && kind == protowire.VarintType {
			n = int(int32(varint(raw)))
		}
		return nil
	})
	return n, err
}

// bytes makes a call that takes a String, or nothing when it is empty, and returns a String
// or a ByteString, which is valid until the next call.
func (e *event) bytes(method, arg string) (value []byte, err error) {
	reply, err := e.call(method, arg)
	if err != nil {
		return nil, err
	}
	err = fields(reply, func(number protowire.Number, kind protowire.Type, _, v []byte) error {
		if number == 1 && kind == protowire.BytesType {
			value = v
		}
		return nil
	})
	return value, err
}

// call makes a call that takes a String, or nothing when it is empty.
func (e *event) call(method, arg string) ([]byte, error) {
	return e.send(func(in []byte) []byte {
		in = protowire.AppendFixed32(in, uint32(len(method)))
		in = append(in, method...)
		if arg == "" {
			return append(in, emptyFrame...)
		}
		in = protowire.AppendFixed32(in, uint32(sizeOf(len(arg))))
		in = protowire.AppendTag(in, 1, protowire.BytesType)
		return protowire.AppendString(in, arg)
	})
}

// sizeOf is how long a field of so many bytes is, for a number below 16. A frame's
// length, before it, is written as protobuf writes a fixed32.
func sizeOf(n int) int { return protowire.SizeTag(1) + protowire.SizeBytes(n) }

// send makes the call that encode appends. The reply is valid until the next call.
func (e *event) send(encode func(in []byte) []byte) ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	e.s.in, e.read = encode(e.s.in[:0]), true
	reply, err := e.answer()
	if err != nil {
		return nil, e.fail(err)
	}
	return reply[frameHead:], nil
}

// running are the events under way, by the PDK that their handlers got.
var running = &events{byPDK: map[*pdk.PDK]*event{}}

type events struct {
	mu    sync.RWMutex
	byPDK map[*pdk.PDK]*event
}

func (r *events) add(kong *pdk.PDK, e *event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byPDK[kong] = e
}

func (r *events) remove(kong *pdk.PDK) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byPDK, kong)
}

func (r *events) of(kong *pdk.PDK) *event {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byPDK[kong]
}

// What is remembered of routes, and as much of services: how many, and of how many bytes
// of replies. Decoded, a list of the shortest texts takes eight times as much.
const (
	maxDecoded      = 1000
	maxDecodedBytes = 8 << 20
)

// decoded remembers what replies decode to: the same few routes and services come
// with every request. A map that starts anew when it is full is looked up by bytes,
// by many at once and without an allocation; a cache that knows what is oldest is
// not, and takes three times as long (measured).
type decoded[T any] struct {
	mu     sync.RWMutex
	values map[string]T // by reply
	bytes  int          // of all replies
}

var (
	routes   = decoded[entities.Route]{values: map[string]entities.Route{}}
	services = decoded[entities.Service]{values: map[string]entities.Service{}}
)

func (d *decoded[T]) get(reply []byte, decode func([]byte) (T, error)) (T, error) {
	d.mu.RLock()
	value, ok := d.values[string(reply)]
	d.mu.RUnlock()
	if ok {
		return value, nil
	}
	value, err := decode(reply)
	if err != nil {
		return value, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bytes += len(reply); len(d.values) >= maxDecoded || d.bytes > maxDecodedBytes {
		clear(d.values)
		d.bytes = len(reply)
	}
	d.values[string(reply)] = value
	return value, nil
}

// decodeRoute does what kong.Router.GetRoute does with a reply.
func decodeRoute(reply []byte) (entities.Route, error) {
	var m kong_plugin_protocol.Route
	if err := proto.Unmarshal(reply, &m); err != nil {
		return entities.Route{}, fmt.Errorf("decoding the route: %w", err)
	}
	return entities.Route{
		Id: m.Id, CreatedAt: int(m.CreatedAt), UpdatedAt: int(m.UpdatedAt), Name: m.Name,
		Protocols: m.Protocols, Methods: m.Methods, Hosts: m.Hosts, Paths: m.Paths, Headers: m.Headers,
		HTTPSRedirectStatusCode: int(m.HttpsRedirectStatusCode), RegexPriority: int(m.RegexPriority),
		StripPath: m.StripPath, PreserveHost: m.PreserveHost, SNIs: m.Snis,
		Sources: m.Sources, Destinations: m.Destinations, Tags: m.Tags,
		Service: entities.ServiceKey{Id: m.GetService().GetId()},
	}, nil
}

// decodeService does what kong.Router.GetService does, which leaves the client
// certificate out.
func decodeService(reply []byte) (entities.Service, error) {
	var m kong_plugin_protocol.Service
	if err := proto.Unmarshal(reply, &m); err != nil {
		return entities.Service{}, fmt.Errorf("decoding the service: %w", err)
	}
	return entities.Service{
		Id: m.Id, CreatedAt: int(m.CreatedAt), UpdatedAt: int(m.UpdatedAt), Name: m.Name,
		Retries: int(m.Retries), Protocol: m.Protocol, Host: m.Host, Port: int(m.Port), Path: m.Path,
		ConnectTimeout: int(m.ConnectTimeout), WriteTimeout: int(m.WriteTimeout), ReadTimeout: int(m.ReadTimeout),
		Tags: m.Tags,
	}, nil
}
