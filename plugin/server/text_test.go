package server

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/standin/pluginserver"
)

// FuzzText puts any text into the messages that carry text: go-pdk decodes what is
// repaired, and finds the same when it was valid; what is cleaned has no control
// characters, and nothing else changes.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "é", "\xff", "a\xe9b", "line\nend", "\u0085\u2028", "\xc3", "\xf0\x9f\x98", strings.Repeat("\xff", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := proto.Marshal(&kong_plugin_protocol.ByteString{V: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		var got kong_plugin_protocol.String
		if err := proto.Unmarshal(stringShape.readable(raw), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if utf8.ValidString(text) && got.V != text {
			t.Errorf("%q became %q", text, got.V)
		}
		if !utf8.ValidString(text) {
			return // go-pdk does not encode it
		}
		args, err := proto.Marshal(&structpb.ListValue{Values: []*structpb.Value{value(text), value([]any{text, map[string]any{text: text}})}})
		if err != nil {
			t.Fatal(err)
		}
		if err := listShape.texts(args, blank); err != nil {
			t.Fatal(err)
		}
		var list structpb.ListValue
		if err := proto.Unmarshal(args, &list); err != nil {
			t.Fatal(err)
		}
		clean := list.Values[0].GetStringValue()
		if strings.ContainsFunc(clean, unicode.IsControl) || len(clean) != len(text) {
			t.Errorf("%q became %q", text, clean)
		}
		if !strings.ContainsFunc(text, unicode.IsControl) && clean != text {
			t.Errorf("%q became %q", text, clean)
		}
	})
}

// FuzzShapes takes any bytes for a message: no panic, and nothing is lost when
// there is nothing to repair.
func FuzzShapes(f *testing.F) {
	f.Add([]byte{10, 1, 0xe9})
	f.Add([]byte{10, 8, 10, 1, 'x', 18, 3, 26, 1, 0xe9})
	f.Add([]byte{0xff, 0xff})
	f.Add(pluginserver.Nested(maxDepth, "\xff"))
	f.Add(pluginserver.Nested(20, strings.Repeat("\xff", 200)))
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, s := range []*shape{stringShape, listShape, structShape, keyValueShape, routeShape, serviceShape, capturesShape, memoryShape} {
			if out := s.readable(message); s.texts(message, func([]byte) {}) == nil && s.texts(out, func(text []byte) {
				if !utf8.Valid(text) {
					t.Errorf("%x: %q is left", message, text)
				}
			}) != nil {
				t.Errorf("%x became %x, which does not parse", message, out)
			}
			s.texts(append([]byte{}, message...), blank)
		}
	})
}
