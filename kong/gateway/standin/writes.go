package standin

import (
	"fmt"
	"strings"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"

	"diag405/kong/bundled"
	"diag405/kong/gateway/standin/lua"
	"diag405/kong/gateway/standin/pluginserver"
	"diag405/kong/wire"
)

func setQuery(x *exchange, args map[string]any) error {
	x.request.setArgs(bundled.EncodeArgs(args))
	return nil
}

func checkStatus(n int) error {
	if n < 100 || n > 599 {
		return fmt.Errorf("code must be a number between 100 and 599")
	}
	return nil
}

func setStatus(x *exchange, n int) error {
	if err := checkStatus(n); err != nil {
		return err
	}
	x.response.status = n
	return nil
}

// exit is kong.response.exit: it does not return to the plugin.
func exit(x *exchange, args []byte) ([]byte, error) {
	var m kong_plugin_protocol.ExitArgs
	if err := decoded(args, &m); err != nil {
		return nil, err
	}
	if err := checkStatus(int(m.Status)); err != nil {
		return nil, err
	}
	header, err := headerFields(lua.FromStruct(m.Headers))
	if err != nil {
		return nil, err
	}
	body := m.Body
	if body == nil {
		body = []byte{} // proto3 has no unset bytes, so Kong sees an empty string
	}
	x.run.exit = &answer{status: int(m.Status), header: header, body: body}
	return nil, pluginserver.ErrExit
}

func setUpstream(x *exchange, host string) ([]byte, error) {
	if _, ok := x.state.rings[host]; !ok {
		return lua.EncodeBool(false), nil
	}
	x.balance.host = host
	return lua.EncodeBool(true), nil
}

func setTarget(x *exchange, args []byte) ([]byte, error) {
	var m kong_plugin_protocol.Target
	if err := decoded(args, &m); err != nil {
		return nil, err
	}
	if m.Port < 0 || m.Port > 65535 {
		return nil, fmt.Errorf("port must be an integer between 0 and 65535: given %d", m.Port)
	}
	x.upstream.host = m.Host
	x.balance.host, x.balance.port = m.Host, int(m.Port)
	return nil, nil
}

func setScheme(x *exchange, scheme string) ([]byte, error) {
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("invalid scheme: %s", scheme)
	}
	x.upstream.scheme = scheme
	return nil, nil
}

func setPath(x *exchange, path string) ([]byte, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("path must start with /")
	}
	x.upstream.uri = bundled.EscapePath(path)
	return nil, nil
}

func setMethod(x *exchange, method string) ([]byte, error) {
	if !wire.HasNumber(method) {
		return nil, fmt.Errorf("invalid method: %s", method)
	}
	x.request.method = method
	return nil, nil
}

// setRequestHeader is kong.service.request.set_header. Host goes to the
// upstream, and is the request's from now on.
func (x *exchange) setRequestHeader(name string, values []string) {
	x.setHost(name, values)
	x.request.header.Set(name, values...)
}

func (x *exchange) addRequestHeader(name string, values []string) {
	x.setHost(name, values)
	addAll(&x.request.header, name, values)
}

func (x *exchange) setHost(name string, values []string) {
	if strings.EqualFold(name, "Host") && len(values) > 0 {
		x.upstream.host, x.request.host = values[0], hostName(values[0])
	}
}
