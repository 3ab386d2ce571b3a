package standin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/standin/lua"
	"diag405/kong/wire"
)

// The functions below make a call of a function that knows nothing of the
// encoding of its argument or result.

func nothing(*exchange, []byte) ([]byte, error) { return nil, nil }

func text(f func(*exchange) string) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, _ []byte) ([]byte, error) { return lua.EncodeString(f(x)), nil }
}

func number(f func(*exchange) int) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, _ []byte) ([]byte, error) { return lua.EncodeInt(f(x)), nil }
}

func decoded(args []byte, m proto.Message) error {
	if err := proto.Unmarshal(args, m); err != nil {
		return fmt.Errorf("decoding arguments: %w", err)
	}
	return nil
}

// withBytes decodes a ByteString; a String looks the same, without Go's check
// for UTF-8.
func withBytes(f func(*exchange, []byte)) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.ByteString
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		f(x, m.V)
		return nil, nil
	}
}

func withString(f func(*exchange, string) ([]byte, error)) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.ByteString
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return f(x, string(m.V))
	}
}

func withInt(f func(*exchange, int) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.Int
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, int(m.V))
	}
}

// withMax checks the bound that lists of fields and query arguments take. The
// log phase has saved lists and takes any.
func withMax(name string, f func(x *exchange, most int) map[string]any) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.Int
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		if x.run.phase != logPhase && m.V < 1 {
			return nil, fmt.Errorf("%s must be >= 1", name)
		}
		if x.run.phase != logPhase && m.V > 1000 {
			return nil, fmt.Errorf("%s must be <= 1000", name)
		}
		return lua.EncodeStruct(f(x, int(m.V))), nil
	}
}

func withKV(f func(*exchange, string, any) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.KV
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, m.K, lua.FromValue(m.V))
	}
}

func withStruct(f func(*exchange, map[string]any) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m structpb.Struct
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, lua.FromStruct(&m))
	}
}

// withHeader passes a header name and its values on, checked as
// kong/pdk/private/checks.lua does.
func withHeader(f func(*exchange, string, []string)) func(*exchange, []byte) ([]byte, error) {
	return withKV(func(x *exchange, name string, value any) error {
		values, err := headerValues(name, value)
		if err == nil && !strings.EqualFold(name, "Transfer-Encoding") {
			f(x, name, values)
		}
		return err
	})
}

func withHeaders(f func(*exchange, string, []string)) func(*exchange, []byte) ([]byte, error) {
	return withStruct(func(x *exchange, headers map[string]any) error {
		fields, err := headerFields(headers)
		if err != nil {
			return err
		}
		for _, name := range fields.Names() {
			f(x, spelling(fields, name), fields.Values(name))
		}
		return nil
	})
}

// headerFields takes a table of headers apart, names in order.
func headerFields(headers map[string]any) (wire.Fields, error) {
	var f wire.Fields
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		values, err := headerValues(name, headers[name])
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(name, "Transfer-Encoding") {
			addAll(&f, name, values)
		}
	}
	return f, nil
}

func headerValues(name string, value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case float64, bool:
		return []string{lua.String(v)}, nil
	case []any:
		var out []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("invalid header value in array %q: got %s, expected string", name, lua.Type(e))
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, fmt.Errorf("invalid header value for %q: got %s, expected array of string, string, number or boolean", name, lua.Type(value))
}

func addAll(f *wire.Fields, name string, values []string) {
	for _, v := range values {
		f.Add(name, v)
	}
}
