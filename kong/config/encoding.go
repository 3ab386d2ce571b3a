package config

import (
	"encoding/binary"
	"unicode/utf16"
)

// Encoding is how the text of a file is written: in UTF-8, which is the zero value, or in
// UTF-16, as shells of Windows write it.
type Encoding struct{ order order }

type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// byteOrders are those of UTF-16, by the mark that a text begins with (RFC 2781, section
// 3.2).
var byteOrders = map[string]order{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian}

// EncodingOf is that of a file, by the mark at its beginning. Without one it is UTF-8.
func EncodingOf(data []byte) Encoding { return Encoding{byteOrders[string(data[:min(2, len(data))])]} }

// isUTF8 reports that decoding changes nothing.
func (e Encoding) isUTF8() bool { return e.order == nil }

// Decode is a file's text in UTF-8, with the mark at its beginning. Half a character of
// UTF-16 becomes U+FFFD.
func (e Encoding) Decode(data []byte) []byte {
	if e.isUTF8() {
		return data
	}
	var units []uint16
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, e.order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// Encode is a text in UTF-8 as a file has it.
func (e Encoding) Encode(text []byte) []byte {
	if e.isUTF8() {
		return text
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = e.order.AppendUint16(out, u)
	}
	return out
}
