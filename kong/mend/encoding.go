package mend

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"

	"diag405/kong/config"
)

// byteOrders are those of UTF-16, by the mark that a text begins with (RFC 2781, section
// 3.2). Shells of Windows write such files.
var byteOrders = map[string]order{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian}

type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func byteOrder(data []byte) order { return byteOrders[string(data[:min(2, len(data))])] }

// decoded are files in UTF-8, in which changes are made.
func decoded(files []config.File) []config.File {
	out := slices.Clone(files)
	for i, f := range out {
		if o := byteOrder(f.Data); o != nil {
			out[i].Data = fromUTF16(o, f.Data)
		}
	}
	return out
}

// encoded are changed files in the encoding that they had before, and the others as they
// were. One that has half a character cannot be written as it was.
func encoded(before, after []config.File) ([]config.File, error) {
	out := slices.Clone(before)
	for i, f := range out {
		o := byteOrder(f.Data)
		if o == nil {
			out[i].Data = after[i].Data
			continue
		}
		plain := fromUTF16(o, f.Data)
		if bytes.Equal(plain, after[i].Data) {
			continue
		}
		if !bytes.Equal(toUTF16(o, plain), f.Data) {
			return nil, fmt.Errorf("%q is UTF-16 with half a character in it, which cannot be written back: save it as UTF-8", f.Name)
		}
		out[i].Data = toUTF16(o, after[i].Data)
	}
	return out, nil
}

func fromUTF16(o order, data []byte) []byte {
	var units []uint16
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, o.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

func toUTF16(o order, text []byte) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = o.AppendUint16(out, u)
	}
	return out
}
