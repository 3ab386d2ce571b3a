package server

import (
	"fmt"
	"math"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/structpb"
)

// SetSerializeValue is kong.log.set_serialize_value, for which go-pdk has no function:
// log plugins then write the value. It is made of maps, lists, texts, numbers, booleans
// and nil. What is not UTF-8 is replaced by U+FFFD.
func (d Direct) SetSerializeValue(key string, value any) error {
	const function = "kong.log.set_serialize_value"
	if d.e == nil {
		v, err := structpb.NewValue(value)
		if err != nil {
			return fmt.Errorf("encoding a value for log plugins: %w", err)
		}
		return d.kong.Log.Ask(function, &kong_plugin_protocol.KV{K: key, V: v}, nil)
	}
	args, err := appendValueIn(appendText(make([]byte, 0, 2<<10), 1, key), 2, value)
	if err != nil {
		return fmt.Errorf("encoding a value for log plugins: %w", err)
	}
	_, err = d.e.send(func(in []byte) []byte {
		return appendFrame(appendFrame(in, []byte(function)), args)
	})
	return err
}

// appendValueIn appends a field that is a google.protobuf.Value.
func appendValueIn(b []byte, field protowire.Number, value any) ([]byte, error) {
	b, at := openMessage(b, field)
	b, err := appendValue(b, value)
	return closeMessage(b, at), err
}

// appendValue appends a google.protobuf.Value.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 0), nil
	case float64:
		return protowire.AppendFixed64(protowire.AppendTag(b, 2, protowire.Fixed64Type), math.Float64bits(v)), nil
	case int:
		return appendValue(b, float64(v))
	case string:
		return appendText(b, 3, v), nil
	case bool:
		return protowire.AppendVarint(protowire.AppendTag(b, 4, protowire.VarintType), protowire.EncodeBool(v)), nil
	case map[string]any:
		b, at := openMessage(b, 5)
		b, err := appendFields(b, v)
		return closeMessage(b, at), err
	case []any:
		b, at := openMessage(b, 6)
		b, err := appendElements(b, v)
		return closeMessage(b, at), err
	}
	return b, fmt.Errorf("a %T is no such value", value)
}

// appendFields appends the fields of a google.protobuf.Struct.
func appendFields(b []byte, m map[string]any) ([]byte, error) {
	for key, element := range m {
		var at int
		var err error
		b, at = openMessage(b, 1)
		if b, err = appendValueIn(appendText(b, 1, key), 2, element); err != nil {
			return b, fmt.Errorf("%q: %w", key, err)
		}
		b = closeMessage(b, at)
	}
	return b, nil
}

// appendElements appends the values of a google.protobuf.ListValue.
func appendElements(b []byte, list []any) ([]byte, error) {
	for i, element := range list {
		var err error
		if b, err = appendValueIn(b, 1, element); err != nil {
			return b, fmt.Errorf("%d: %w", i, err)
		}
	}
	return b, nil
}

// appendText appends a field that is a text.
func appendText(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), valid(text))
}

// openMessage begins a field that is a message, of a length that is not known yet, which
// is to be at the place that it returns.
func openMessage(b []byte, field protowire.Number) (_ []byte, at int) {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return append(b, 0), len(b)
}

// closeMessage ends it with what was appended since. Most are so short that their length
// has the one byte that was left for it.
func closeMessage(b []byte, at int) []byte {
	size := len(b) - at - 1
	if more := protowire.SizeVarint(uint64(size)) - 1; more > 0 {
		b = append(b, make([]byte, more)...)
		copy(b[at+1+more:], b[at+1:at+1+size])
	}
	protowire.AppendVarint(b[:at], uint64(size))
	return b
}
