package standin

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/gateway/standin/lua"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/wire"
)

// first is the first value of a header, nil encoded as "".
func first(f wire.Fields, name string) []byte {
	if v := f.Get(name); v != "" || f.Has(name) {
		return lua.EncodeString(v)
	}
	return lua.EncodeString(f.Get(strings.ReplaceAll(name, "_", "-")))
}

// luaHeaders is ngx.req.get_headers and ngx.resp.get_headers: lower-case names,
// a list only for several values, and no more than the first most lines (0: all).
func luaHeaders(f wire.Fields, most int) map[string]any {
	if most > 0 {
		f = f[:min(most, len(f))]
	}
	m := map[string]any{}
	for _, name := range f.Names() {
		values := f.Values(name)
		if len(values) == 1 {
			m[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		m[name] = list
	}
	return m
}

// answerHeader is what ngx.resp.get_headers sees: nginx's own Connection too.
func (x *exchange) answerHeader() wire.Fields {
	f := x.response.header.Clone()
	if !f.Has("Connection") {
		f.Add("Connection", map[bool]string{true: "keep-alive", false: "close"}[x.client.keepAlive])
	}
	return f
}

func clientProtocol(x *exchange) string {
	if x.route() != nil && len(x.route().Protocols) == 1 {
		return x.route().Protocols[0]
	}
	return "http"
}

func getVar(x *exchange, name string) ([]byte, error) {
	v, err := x.variable(name)
	return lua.EncodeString(v), err
}

func getQueryArg(x *exchange, name string) ([]byte, error) {
	switch v := x.request.args()[name].(type) {
	case nil:
		return lua.EncodeString(""), nil
	case string:
		return lua.EncodeString(v), nil
	case []any:
		if s, ok := v[0].(string); ok {
			return lua.EncodeString(s), nil
		}
	}
	return nil, fmt.Errorf("string expected for field 'v', got boolean") // an argument without "="
}

func uriCaptures(x *exchange, _ []byte) ([]byte, error) {
	m := &kong_plugin_protocol.UriCapturesResult{Named: map[string][]byte{}}
	if x.match != nil {
		// Lua's encoder takes a list from its index 1: the whole match, at 0, is
		// left out.
		for _, c := range x.match.Captures.Numbered[min(1, len(x.match.Captures.Numbered)):] {
			m.Unnamed = append(m.Unnamed, []byte(c))
		}
		for k, v := range x.match.Captures.Named {
			m.Named[k] = []byte(v)
		}
	}
	return proto.Marshal(m)
}

func encodeRoute(x *exchange) ([]byte, error) {
	r := x.route()
	if r == nil {
		return nil, nil
	}
	m := &kong_plugin_protocol.Route{
		Id: r.ID, Name: r.Name, Protocols: r.Protocols, Methods: r.Methods, Hosts: r.Hosts, Paths: r.Paths,
		HttpsRedirectStatusCode: int32(r.HTTPSRedirectStatusCode), RegexPriority: int32(r.RegexPriority),
		StripPath: r.StripPath, PreserveHost: r.PreserveHost, Snis: r.SNIs, Tags: r.Tags,
		CreatedAt: x.state.loaded.Unix(), UpdatedAt: x.state.loaded.Unix(),
	} // headers are a map in Kong and a list here: they stay empty
	if r.Service != nil {
		m.Service = &kong_plugin_protocol.ServiceKey{Id: r.Service.ID}
	}
	return proto.Marshal(m)
}

func encodeService(x *exchange) ([]byte, error) {
	s := x.service()
	if s == nil {
		return nil, nil
	}
	return proto.Marshal(&kong_plugin_protocol.Service{
		Id: s.ID, Name: s.Name, Retries: int32(s.Retries), Protocol: s.Protocol, Host: s.Host, Port: int32(s.Port), Path: s.Path,
		ConnectTimeout: int32(s.ConnectTimeout), WriteTimeout: int32(s.WriteTimeout), ReadTimeout: int32(s.ReadTimeout), Tags: s.Tags,
		CreatedAt: x.state.loaded.Unix(), UpdatedAt: x.state.loaded.Unix(),
	})
}

// logAt writes a line for a plugin. Lines of external plugins bear the place in
// Kong that calls the PDK; only in the log phase also the plugin's name
// (call_pdk in pb_rpc.lua).
func logAt(lv nginxlog.Level) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m structpb.ListValue
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		var b strings.Builder
		if x.run.logger != "" {
			fmt.Fprintf(&b, "[%s] ", x.run.logger)
		}
		for _, v := range lua.FromList(&m) {
			b.WriteString(lua.String(v))
		}
		x.log(lv, "pb_rpc.lua:233 "+b.String())
		return nil, nil
	}
}

func serializeCall(x *exchange, _ []byte) ([]byte, error) {
	record, err := x.serialize()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(record)
	return lua.EncodeString(string(data)), err
}
