package server

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// shape tells where in an encoded message there is text: by field number, the
// shape of what is in it. A shape without fields is text itself, or bytes that are
// none. What a shape does not name is left as it is.
type shape struct {
	fields map[protowire.Number]*shape
	bytes  bool
}

var (
	textShape   = &shape{}
	bytesShape  = &shape{bytes: true}
	stringShape = messageOf(1) // kong_plugin_protocol.String
	numberShape = messageOf()  // Int, Number, Bool

	// google/protobuf/struct.proto
	valueShape  = &shape{fields: map[protowire.Number]*shape{3: textShape}}
	listShape   = &shape{fields: map[protowire.Number]*shape{1: valueShape}}
	structShape = &shape{fields: map[protowire.Number]*shape{1: keyValueShape}}

	keyValueShape = &shape{fields: map[protowire.Number]*shape{1: textShape, 2: valueShape}}
	routeShape    = messageOf(1, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17)
	serviceShape  = messageOf(1, 4, 6, 7, 9, 13)
	consumerShape = messageOf(1, 3, 4, 5)
	capturesShape = &shape{fields: map[protowire.Number]*shape{
		1: bytesShape,
		2: {fields: map[protowire.Number]*shape{1: textShape, 2: bytesShape}},
	}}
	memoryShape = &shape{fields: map[protowire.Number]*shape{2: messageOf()}}
)

func init() { // since values nest
	valueShape.fields[5], valueShape.fields[6] = structShape, listShape
}

// messageOf is a message with text in these fields.
func messageOf(fields ...protowire.Number) *shape {
	s := &shape{fields: map[protowire.Number]*shape{}}
	for _, f := range fields {
		s.fields[f] = textShape
	}
	return s
}

// Bounds of a message whose texts are looked at. A table of Lua within another is three
// messages within one, so 64 of them may be.
const (
	maxDepth  = 3 * 64
	maxFields = 100_000
)

var (
	errDeep = fmt.Errorf("%w: messages in messages, more than %d deep", errFrame, maxDepth)
	errMany = fmt.Errorf("%w: more than %d fields", errFrame, maxFields)
)

// texts calls visit with each text in a message, in place. It fails on a message that
// does not parse, and on one beyond the bounds.
func (s *shape) texts(message []byte, visit func(text []byte)) error {
	left := maxFields
	var in func(s *shape, message []byte, depth int) error
	in = func(s *shape, message []byte, depth int) error {
		if s.fields == nil {
			if !s.bytes {
				visit(message)
			}
			return nil
		}
		if depth == maxDepth {
			return errDeep
		}
		return fields(message, func(number protowire.Number, kind protowire.Type, _, value []byte) error {
			if left--; left < 0 {
				return errMany
			}
			if sub := s.fields[number]; sub != nil && kind == protowire.BytesType {
				return in(sub, value, depth+1)
			}
			return nil
		})
	}
	return in(s, message, 0)
}

// rewritten is the message with each text replaced. Only messages that texts has gone
// through are for it.
func (s *shape) rewritten(message []byte, replace func(text []byte) []byte) []byte {
	r := rewriting{replace: replace}
	r.measure(s, message)
	return r.write(nil, s, message)
}

// rewriting writes a message anew. What is in a message has another length then, and
// the length comes first: so all lengths are measured before anything is written, and
// nothing is copied once for each message that it is in.
type rewriting struct {
	replace func(text []byte) []byte
	lengths []int // of what is replaced and what that is in, in the order of its beginnings
}

// measure is how long a message will be.
func (r *rewriting) measure(s *shape, message []byte) int {
	if s.fields == nil {
		return len(r.replaced(s, message))
	}
	total := 0
	_ = fields(message, func(number protowire.Number, kind protowire.Type, raw, value []byte) error {
		sub := s.fields[number]
		if sub == nil || kind != protowire.BytesType {
			total += len(raw)
			return nil
		}
		at := len(r.lengths)
		r.lengths = append(r.lengths, 0)
		r.lengths[at] = r.measure(sub, value)
		total += protowire.SizeTag(number) + protowire.SizeBytes(r.lengths[at])
		return nil
	})
	return total
}

// write appends a message, in the order in which it was measured.
func (r *rewriting) write(out []byte, s *shape, message []byte) []byte {
	if s.fields == nil {
		return append(out, r.replaced(s, message)...)
	}
	_ = fields(message, func(number protowire.Number, kind protowire.Type, raw, value []byte) error {
		sub := s.fields[number]
		if sub == nil || kind != protowire.BytesType {
			out = append(out, raw...)
			return nil
		}
		out = protowire.AppendTag(out, number, kind)
		out = protowire.AppendVarint(out, uint64(r.lengths[0]))
		r.lengths = r.lengths[1:]
		out = r.write(out, sub, value)
		return nil
	})
	return out
}

func (r *rewriting) replaced(s *shape, text []byte) []byte {
	if s.bytes {
		return text
	}
	return r.replace(text)
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

const (
	// maxStructured bounds the replies that hold more than one text, in bytes. Decoded,
	// a list of the shortest values takes some fifty times as much.
	maxStructured = 1 << 20
	// maxTrusted is up to where the decoder's own bounds do: it goes 10,000 messages deep
	// (protowire.DefaultRecursionLimit).
	maxTrusted = 64 << 10
)

// unreadable is a reply that go-pdk cannot decode: a field of number 0. The handler
// learns that its call failed, and goes on.
var unreadable = []byte{7}

// readable is a reply that go-pdk can decode, in the time and the memory that a reply
// may take; else one that it cannot.
//
// It finds valid UTF-8 only in there: it fails on anything else, although Kong passes
// on what a client sent. Each byte that is not UTF-8 is percent-encoded: in a request
// line that names the same resource, and nothing is lost.
func (s *shape) readable(reply []byte) []byte {
	plain := ascii(reply)
	switch {
	case s == nil, plain && (s == stringShape || len(reply) <= maxTrusted):
		return reply
	case s != stringShape && len(reply) > maxStructured:
		return unreadable
	}
	valid := true
	err := s.texts(reply, func(text []byte) { valid = valid && utf8.Valid(text) })
	switch {
	case errors.Is(err, errDeep), errors.Is(err, errMany):
		return unreadable
	case err != nil, valid:
		return reply // when it does not parse, go-pdk says so
	}
	return s.rewritten(reply, percent)
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
