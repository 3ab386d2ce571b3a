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
	size, err := sizeOfValue(value)
	if err != nil {
		return fmt.Errorf("encoding a value for log plugins: %w", err)
	}
	_, err = d.e.send(func(in []byte) []byte {
		in = appendFrame(in, []byte(function))
		in = protowire.AppendFixed32(in, uint32(sizeOf(len(key))+sizeOf(size)))
		in = protowire.AppendString(protowire.AppendTag(in, 1, protowire.BytesType), key)
		return appendValue(appendHead(in, 2, size), value)
	})
	return err
}

// sizeOfValue is how long a google.protobuf.Value is as appendValue appends it, in bytes.
func sizeOfValue(value any) (int, error) {
	switch v := value.(type) {
	case nil, bool:
		return 2, nil
	case float64, int:
		return 9, nil
	case string:
		return sizeOf(len(valid(v))), nil
	case map[string]any:
		size, err := sizeOfFields(v)
		return sizeOf(size), err
	case []any:
		size, err := sizeOfElements(v)
		return sizeOf(size), err
	}
	return 0, fmt.Errorf("a %T is no such value", value)
}

func sizeOfFields(m map[string]any) (all int, err error) {
	for key, element := range m {
		size, err := sizeOfValue(element)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", key, err)
		}
		all += sizeOf(sizeOf(len(valid(key))) + sizeOf(size))
	}
	return all, nil
}

func sizeOfElements(list []any) (all int, err error) {
	for i, element := range list {
		size, err := sizeOfValue(element)
		if err != nil {
			return 0, fmt.Errorf("%d: %w", i, err)
		}
		all += sizeOf(size)
	}
	return all, nil
}

// appendValue appends a google.protobuf.Value whose size is known, so that all its parts
// are of types that are.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 0)
	case float64:
		return protowire.AppendFixed64(protowire.AppendTag(b, 2, protowire.Fixed64Type), math.Float64bits(v))
	case int:
		return appendValue(b, float64(v))
	case string:
		return protowire.AppendString(protowire.AppendTag(b, 3, protowire.BytesType), valid(v))
	case bool:
		return protowire.AppendVarint(protowire.AppendTag(b, 4, protowire.VarintType), protowire.EncodeBool(v))
	case map[string]any:
		size, _ := sizeOfFields(v)
		return appendFields(appendHead(b, 5, size), v)
	case []any:
		size, _ := sizeOfElements(v)
		b = appendHead(b, 6, size)
		for _, element := range v {
			size, _ := sizeOfValue(element)
			b = appendValue(appendHead(b, 1, size), element)
		}
	}
	return b
}

// appendFields appends the fields of a google.protobuf.Struct.
func appendFields(b []byte, m map[string]any) []byte {
	for key, element := range m {
		key := valid(key)
		size, _ := sizeOfValue(element)
		b = appendHead(b, 1, sizeOf(len(key))+sizeOf(size))
		b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), key)
		b = appendValue(appendHead(b, 2, size), element)
	}
	return b
}

// appendHead appends what goes before a message of so many bytes.
func appendHead(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}
