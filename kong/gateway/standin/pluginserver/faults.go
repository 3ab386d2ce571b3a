package pluginserver

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"diag405/kong/gateway/standin/lua"
)

// A Fault is what goes wrong with the reply to one call of a plugin server. The
// zero value is a reply as it should be.
type Fault struct {
	Kind FaultKind
	// Delay holds the reply back, of whatever kind it is.
	Delay time.Duration
}

// FaultKind is what becomes of a reply.
type FaultKind string

// After a fault of the first group Kong's side is through with the connection, as
// when a call raises: it closes it, and answers the client with 500. Those of the
// second group are a reply like any other for Kong, and none of them may cost the
// client its answer.
const (
	FaultClose   FaultKind = "connection closed"
	FaultHalf    FaultKind = "half a frame"
	FaultGarbage FaultKind = "garbage"
	FaultLength  FaultKind = "an absurd length"

	FaultEmpty       FaultKind = "an empty reply"
	FaultNumber      FaultKind = "a number for a reply"
	FaultText        FaultKind = "a text for a reply"
	FaultUndecodable FaultKind = "a reply that is no message"
	FaultDeep        FaultKind = "a reply nested without end"
	FaultMany        FaultKind = "a reply of many values"
	// FaultLengthOpen leaves the connection open, so that the plugin server has to
	// end it. Kong reads that as a server that died, starts the instance again and
	// repeats the event.
	FaultLengthOpen FaultKind = "an absurd length, connection left open"
)

// Raises tells whether Kong answers the client with 500 after such a fault.
func (k FaultKind) Raises() bool {
	switch k {
	case FaultClose, FaultHalf, FaultGarbage, FaultLength:
		return true
	}
	return false
}

// FaultKinds are all kinds of faults.
var FaultKinds = []FaultKind{
	FaultClose, FaultHalf, FaultGarbage, FaultLength,
	FaultEmpty, FaultNumber, FaultText, FaultUndecodable, FaultDeep, FaultMany, FaultLengthOpen,
}

// A Call is one call of the PDK that a plugin server makes in an event.
type Call struct {
	Plugin   string
	Phase    string
	Function string // such as kong.nginx.get_var
	Target   string // of the request, as the client wrote it
	Number   int    // within the event; the first is 1
}

// absurd is a length that no frame has.
const absurd = "\xff\xff\xff\xff"

// reply writes the reply to a call, or what a fault makes of it.
func (c *rpcConn) reply(f Fault, data []byte) error {
	if f.Delay > 0 {
		time.Sleep(f.Delay)
	}
	switch f.Kind {
	case FaultHalf: // the length is true, half of what it says comes
		c.raw("\x08\x00\x00\x00half")
	case FaultGarbage:
		c.raw("garbage, which is no frame at all")
	case FaultLength:
		c.raw(absurd)
	case FaultLengthOpen:
		return ioError(c.raw(absurd))
	case FaultEmpty:
		return c.writeFrame(nil)
	case FaultNumber: // no function that a plugin needs returns a Number
		return c.writeFrame(lua.EncodeNumber(42))
	case FaultText: // the wrong type for most, and for the rest a wrong value
		return c.writeFrame(lua.EncodeString("a text"))
	case FaultUndecodable:
		return c.writeFrame([]byte("\xff\xff\xff no message"))
	case FaultDeep:
		return c.writeFrame(deep())
	case FaultMany:
		return c.writeFrame(many())
	}
	if f.Kind.Raises() {
		return Raise("injected: %s", f.Kind)
	}
	return c.writeFrame(data)
}

// How much is in the replies that have no end. More would only take longer to send.
const (
	nestings = 20_000
	values   = 120_000
)

// deep is an object with lists in lists around a text that is not UTF-8. Where a text is
// wanted, it is a long one.
var deep = sync.OnceValue(func() []byte { return object(Nested(nestings, strings.Repeat("\xff", 1000))) })

// Nested is a Value (google/protobuf/struct.proto): lists in lists around a text, so many
// deep.
func Nested(depth int, text string) []byte {
	heads := make([][]byte, 0, 1+2*depth)
	length := len(text)
	wrap := func(number protowire.Number) {
		head := protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(length))
		heads, length = append(heads, head), length+len(head)
	}
	wrap(3) // Value.string_value
	for range depth {
		wrap(1) // ListValue.values
		wrap(6) // Value.list_value
	}
	slices.Reverse(heads) // each length is that of all behind it
	return append(bytes.Join(heads, nil), text...)
}

// many is an object with a list of empty values.
var many = sync.OnceValue(func() []byte {
	return object(field(6, []byte(strings.Repeat("\x0a\x00", values))))
})

// object is a Struct with one field.
func object(value []byte) []byte { return field(1, append(field(1, []byte("x")), field(2, value)...)) }

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// raw writes bytes that are no frame.
func (c *rpcConn) raw(bytes string) error {
	c.SetDeadline(time.Now().Add(rpcTimeout))
	c.w.WriteString(bytes)
	return c.w.Flush()
}
