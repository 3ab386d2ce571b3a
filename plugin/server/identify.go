package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
)

// Identity is what a plugin server says of the plugin that it serves.
type Identity struct {
	Name     string
	Version  string
	Priority int
	Phases   []string
}

// identifyTimeout bounds how long a server is waited for.
const identifyTimeout = 5 * time.Second

// ErrNotOurs is a server that answers, and does not say what it serves, as go-pdk's
// own.
var ErrNotOurs = errors.New("what listens there does not say which plugin it serves")

// Identify asks the server on a socket which plugin it serves, with the call that
// Kong's protocol has for that (cmd_get_plugin_info in kong/pluginsocket.proto) and
// Kong does not make. The context and five seconds bound it.
func Identify(ctx context.Context, socket string) (Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return Identity{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	call, err := proto.Marshal(&kong_plugin_protocol.RpcCall{Sequence: 1, Call: &kong_plugin_protocol.RpcCall_CmdGetPluginInfo{
		CmdGetPluginInfo: &kong_plugin_protocol.CmdGetPluginInfo{},
	}})
	if err != nil {
		return Identity{}, fmt.Errorf("encoding the call: %w", err)
	}
	if _, err := conn.Write(appendFrame(nil, call)); err != nil {
		return Identity{}, err
	}
	frame, err := readFrame(bufio.NewReader(conn), nil)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	var answer kong_plugin_protocol.RpcReturn
	if err := proto.Unmarshal(frame[frameHead:], &answer); err != nil || answer.GetPluginInfo() == nil {
		return Identity{}, ErrNotOurs
	}
	info := answer.GetPluginInfo()
	return Identity{Name: info.Name, Version: info.Version, Priority: int(info.Priority), Phases: info.Phases}, nil
}

// info is what the plugin says of itself.
func (p Plugin) info() *kong_plugin_protocol.PluginInfo {
	return &kong_plugin_protocol.PluginInfo{
		Name: p.name(), Version: p.Version, Priority: int32(p.Priority), Phases: phaseNames(p.New()),
	}
}
