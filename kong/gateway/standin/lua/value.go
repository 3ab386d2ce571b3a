package lua

import (
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/structpb"
)

// Values of ngx.ctx and the like are nil, bool, float64, string, []any or
// map[string]any, as the protocol carries them. Kong's Lua code for it
// (pb_unwrap and pb_wrap in pb_rpc.lua) has corners that are kept here: false
// arrives as nil, and an empty list goes out as an empty struct.
//
// Replies are written by hand, since Lua's encoder, unlike Go's, lets any bytes
// pass for a string.

// FromValue is structpb_value of pb_unwrap.
func FromValue(v *structpb.Value) any {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		if k.BoolValue {
			return true
		}
	case *structpb.Value_StringValue:
		return k.StringValue
	case *structpb.Value_NumberValue:
		return k.NumberValue
	case *structpb.Value_ListValue:
		return FromList(k.ListValue)
	case *structpb.Value_StructValue:
		return FromStruct(k.StructValue)
	}
	return nil
}

func FromList(l *structpb.ListValue) []any {
	out := []any{}
	for _, v := range l.GetValues() {
		out = append(out, FromValue(v))
	}
	return out
}

func FromStruct(s *structpb.Struct) map[string]any {
	out := map[string]any{}
	for k, v := range s.GetFields() {
		Assign(out, k, FromValue(v))
	}
	return out
}

// Field numbers of google/protobuf/struct.proto.
const (
	fieldNull, fieldNumber, fieldString, fieldBool, fieldStruct, fieldList = 1, 2, 3, 4, 5, 6
)

// EncodeValue writes a google.protobuf.Value.
func EncodeValue(v any) []byte {
	var b []byte
	switch v := v.(type) {
	case nil:
		b = protowire.AppendTag(b, fieldNull, protowire.VarintType)
		return protowire.AppendVarint(b, 1) // Lua sends 1 for NULL_VALUE
	case bool:
		b = protowire.AppendTag(b, fieldBool, protowire.VarintType)
		return protowire.AppendVarint(b, protowire.EncodeBool(v))
	case float64:
		b = protowire.AppendTag(b, fieldNumber, protowire.Fixed64Type)
		return protowire.AppendFixed64(b, math.Float64bits(v))
	case string:
		return appendBytes(b, fieldString, []byte(v))
	case []any:
		if len(v) == 0 {
			return appendBytes(b, fieldStruct, nil)
		}
		return appendBytes(b, fieldList, encodeList(v))
	case map[string]any:
		return appendBytes(b, fieldStruct, EncodeStruct(v))
	}
	return nil
}

func encodeList(l []any) []byte {
	var b []byte
	for _, v := range l {
		b = appendBytes(b, 1, EncodeValue(v))
	}
	return b
}

// EncodeStruct writes a google.protobuf.Struct, keys in order.
func EncodeStruct(m map[string]any) []byte {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b []byte
	for _, k := range keys {
		entry := appendBytes(nil, 1, []byte(k))
		entry = appendBytes(entry, 2, EncodeValue(m[k]))
		b = appendBytes(b, 1, entry)
	}
	return b
}

func appendBytes(b []byte, field protowire.Number, data []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, data)
}

// EncodeString writes kong_plugin_protocol.String, and ByteString, which looks
// the same.
func EncodeString(s string) []byte { return appendBytes(nil, 1, []byte(s)) }

// EncodeInt writes kong_plugin_protocol.Int and Bool.
func EncodeInt(n int) []byte {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(n))
}

func EncodeBool(v bool) []byte { return EncodeInt(int(protowire.EncodeBool(v))) }

// EncodeNumber writes kong_plugin_protocol.Number.
func EncodeNumber(n float64) []byte {
	b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, math.Float64bits(n))
}
