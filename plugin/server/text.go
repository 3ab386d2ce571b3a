package server

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// shape tells where in an encoded message there is text: by field number, the
// shape of what is in it. A shape without fields is text itself. What a shape
// does not name is left as it is.
type shape struct {
	fields map[protowire.Number]*shape
}

var (
	textShape   = &shape{}
	stringShape = messageOf(1) // kong_plugin_protocol.String

	// google/protobuf/struct.proto
	valueShape  = &shape{map[protowire.Number]*shape{3: textShape}}
	listShape   = &shape{map[protowire.Number]*shape{1: valueShape}}
	structShape = &shape{map[protowire.Number]*shape{
		1: {map[protowire.Number]*shape{1: textShape, 2: valueShape}},
	}}

	keyValueShape = &shape{map[protowire.Number]*shape{1: textShape, 2: valueShape}}
	routeShape    = messageOf(1, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17)
	serviceShape  = messageOf(1, 4, 6, 7, 9, 13)
)

func init() { // since values nest
	valueShape.fields[5], valueShape.fields[6] = structShape, listShape
}

// messageOf is a message with text in these fields.
func messageOf(fields ...protowire.Number) *shape {
	s := &shape{map[protowire.Number]*shape{}}
	for _, f := range fields {
		s.fields[f] = textShape
	}
	return s
}

// texts calls visit with each text in a message, in place.
func (s *shape) texts(message []byte, visit func(text []byte)) error {
	if s.fields == nil {
		visit(message)
		return nil
	}
	return fields(message, func(number protowire.Number, kind protowire.Type, _, value []byte) error {
		if sub := s.fields[number]; sub != nil && kind == protowire.BytesType {
			return sub.texts(value, visit)
		}
		return nil
	})
}

// rewritten is the message with each text replaced.
func (s *shape) rewritten(message []byte, replace func(text []byte) []byte) ([]byte, error) {
	if s.fields == nil {
		return replace(message), nil
	}
	var out []byte
	err := fields(message, func(number protowire.Number, kind protowire.Type, raw, value []byte) error {
		sub := s.fields[number]
		if sub == nil || kind != protowire.BytesType {
			out = append(out, raw...)
			return nil
		}
		value, err := sub.rewritten(value, replace)
		out = protowire.AppendTag(out, number, kind)
		out = protowire.AppendBytes(out, value)
		return err
	})
	return out, err
}

// fields calls visit with each field of an encoded message: as it is encoded, and
// what it holds (only of strings, bytes and messages).
func fields(message []byte, visit func(number protowire.Number, kind protowire.Type, raw, value []byte) error) error {
	for len(message) > 0 {
		number, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return fmt.Errorf("%w: %w", errFrame, protowire.ParseError(tag))
		}
		size := protowire.ConsumeFieldValue(number, kind, message[tag:])
		if size < 0 {
			return fmt.Errorf("%w: %w", errFrame, protowire.ParseError(size))
		}
		var value []byte
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(message[tag:])
		}
		if err := visit(number, kind, message[:tag+size], value); err != nil {
			return err
		}
		message = message[tag+size:]
	}
	return nil
}

// blank overwrites control characters with spaces: a line end in a header or a
// line of the error log would begin another one. The length stays, so a message
// around the text stays valid. RFC 9110 section 5.5 has recipients do the same.
func blank(text []byte) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			for j := range size {
				text[i+j] = ' '
			}
		}
		i += size
	}
}

// repaired is a reply in which go-pdk finds valid UTF-8 only; it fails on anything
// else, although Kong passes on what a client sent. Each byte that is not UTF-8 is
// percent-encoded: in a request line that names the same resource, and nothing is
// lost.
func (s *shape) repaired(reply []byte) []byte {
	if s == nil || ascii(reply) {
		return reply
	}
	valid := true
	err := s.texts(reply, func(text []byte) { valid = valid && utf8.Valid(text) })
	if err != nil || valid {
		return reply // when it does not parse, go-pdk says so
	}
	out, err := s.rewritten(reply, percent)
	if err != nil {
		return reply
	}
	return out
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func percent(text []byte) []byte {
	const digits = "0123456789ABCDEF"
	var out []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			out = append(out, '%', digits[text[0]>>4], digits[text[0]&15])
		} else {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}
