// Package server serves a go-pdk plugin to Kong. It takes the place of
// github.com/Kong/go-pdk/server, with the same handlers and the same socket.
//
//	p := server.Plugin{New: New, Version: "1.0.0", Priority: 1}
//	err := p.Dump(os.Stdout, server.DefaultPrefix) // what Kong asks for at its start
//	err = p.Serve(ctx, server.DefaultPrefix)
//
// Something else than Kong may run it, too: then [Plugin.Listen] opens a socket where
// Kong is told to find it.
//
// What is different:
//
//   - Calls that return nothing (log lines, headers, context values) are written
//     behind the handler's back, and the end of the event goes with them. A handler
//     learns nothing of their failure: when one raises in Kong, the next call that
//     returns something fails with [io.EOF], as with go-pdk.
//   - A plugin may name the calls that a phase surely makes ([Prefetcher]). They are
//     sent together when the event comes, and the handler waits for Kong once.
//   - The schema has defaults, which are those of the constructor, and what a plugin
//     says of its fields ([Describer]).
//   - A panic in a handler is a line in Kong's error log, and a configuration that
//     does not decode is one too. Neither ends a request.
//   - Control characters in log lines and headers become spaces. Bytes in a reply
//     that are not UTF-8 are percent-encoded; go-pdk fails on them.
//   - SIGTERM lets events that are running come to their end.
//
// A goroutine that a handler starts must not panic. The PDK is the handler's alone,
// and only until it returns.
package server

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Plugin is what is served.
type Plugin struct {
	// New makes a configuration with every default, a pointer to a struct. Kong's
	// JSON is decoded over it. It is called for each instance.
	New func() any
	// Version is x.y.z.
	Version string
	// Priority orders plugins within a phase, the highest first.
	Priority int
	// Name is the plugin's. Empty: the base name of the executable, which is what
	// Kong calls it too.
	Name string
	// Protocols are those of the routes that the plugin may be put on. Empty:
	// http, https, grpc and grpcs.
	Protocols []string
	// SocketGroup is the group, by name or number, whose members may connect beside
	// the user that the server runs as. Empty: that user alone.
	SocketGroup string
	// Watch is told what the server does; nil is nobody.
	Watch Watcher
}

// Prefetcher is a configuration that says which calls a phase ("access",
// "response", "log" …) surely makes, nil for none. It is asked for each event, from
// many goroutines, so it should have its batches ready. A handler that learns that it
// needs more asks for that with [Direct.Ahead].
//
// Each must be allowed in its phase: Kong answers with 500 when a call raises. A
// reply is as of the beginning of the event, unless the handler changed since what
// it depends on; then, and for every call that is not in the batch, Kong is asked
// when the handler asks.
type Prefetcher interface {
	Prefetch(phase string) *Batch
}

// DefaultPrefix is where Kong runs unless it is told otherwise. Kong starts a
// plugin server without -kong-prefix then.
const DefaultPrefix = "/usr/local/kong"

// Serve serves Kong on the socket in its prefix directory until ctx ends: see
// [Listener.Serve]. It is for a server that Kong starts: it takes the place of the one
// that Kong started before it, which it stops only then.
func (p Plugin) Serve(ctx context.Context, prefix string) error {
	l, err := p.listen(p.socket(prefix), startedBefore)
	if err != nil {
		return err
	}
	return l.Serve(ctx)
}

// Listener is a socket on which Kong can ask for a plugin.
type Listener struct {
	Plugin Plugin
	Path   string

	socket net.Listener
	own    fs.FileInfo
}

// Listen opens the socket at a path. Kong's connections wait there for
// [Listener.Serve]. The socket is the user's alone, and SocketGroup's. One that nobody
// listens on any more is replaced; what is no socket, or another server's, is left
// alone, and is an error.
func (p Plugin) Listen(path string) (*Listener, error) { return p.listen(path, nil) }

func (p Plugin) listen(path string, succeeds func(pid int) bool) (*Listener, error) {
	l, err := socket{path, p.SocketGroup, succeeds}.listen()
	if err != nil {
		return nil, err
	}
	own, _ := os.Lstat(path)
	return &Listener{Plugin: p, Path: path, socket: l, own: own}, nil
}

// Serve serves Kong until ctx ends. Then connections that wait for Kong are closed,
// events that are running come to their end, and the socket is removed. It returns
// nil after that.
func (l *Listener) Serve(ctx context.Context) error {
	defer l.Close()
	return newServer(l.Plugin).run(ctx, l.socket)
}

// Close closes and removes a socket that is not served.
func (l *Listener) Close() {
	l.socket.Close()
	removeSocket(l.Path, l.own)
}

// name is the plugin's. The executable may be a link: then the link's name is what
// Kong knows, which os.Executable does not tell.
func (p Plugin) name() string {
	if p.Name != "" {
		return p.Name
	}
	path := os.Args[0]
	if path == "" {
		path, _ = os.Executable()
	}
	return filepath.Base(path)
}

func (p Plugin) socket(prefix string) string { return filepath.Join(prefix, p.name()+".socket") }
