// Package server serves a go-pdk plugin to Kong. It takes the place of
// github.com/Kong/go-pdk/server: the same call, the same flags, the same handlers.
//
//	func main() {
//		if err := server.StartServer(New, "1.0.0", 1); err != nil {
//			log.Fatal(err)
//		}
//	}
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
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
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
	// Prefetch are calls to make ahead, by phase, whatever the configuration. A
	// configuration that is a [Prefetcher] says so itself.
	Prefetch map[string][]Ask
}

// Prefetcher is a configuration that says which calls a phase ("access",
// "response", "log" …) surely makes. It is asked once for each instance.
//
// Each must be allowed in its phase: Kong answers with 500 when a call raises. A
// reply is as of the beginning of the event, unless the handler changed since what
// it depends on; then, and for every call that is not in the list, Kong is asked
// when the handler asks.
type Prefetcher interface {
	Prefetch(phase string) []Ask
}

// asks are the calls to make ahead for a configuration.
func (p Plugin) asks(config any, phase string) []Ask {
	if c, ok := config.(Prefetcher); ok {
		return c.Prefetch(phase)
	}
	return p.Prefetch[phase]
}

// Option changes what [StartServer] serves.
type Option func(*Plugin)

// Prefetch makes calls ahead in a phase of every instance.
func Prefetch(phase string, asks ...Ask) Option {
	return func(p *Plugin) {
		if p.Prefetch == nil {
			p.Prefetch = map[string][]Ask{}
		}
		p.Prefetch[phase] = append(p.Prefetch[phase], asks...)
	}
}

// Protocols restricts the routes that the plugin may be put on.
func Protocols(names ...string) Option { return func(p *Plugin) { p.Protocols = names } }

// StartServer is go-pdk's: it reads the flags -kong-prefix, -dump and -help from
// the command line, prints what Kong asks for with -dump, and otherwise serves
// until it gets a SIGTERM or SIGINT.
func StartServer(constructor func() interface{}, version string, priority int, options ...Option) error {
	p := Plugin{New: constructor, Version: version, Priority: priority}
	for _, o := range options {
		o(&p)
	}
	prefix := define("kong-prefix", "Kong's prefix; the socket is in there", func(name, usage string) {
		flag.String(name, DefaultPrefix, usage)
	})
	dump := define("dump", "print what Kong asks for at its start, and exit", boolFlag)
	help := define("help", "print the flags, and exit", boolFlag)
	flag.Parse()
	if help.String() == "true" {
		flag.Usage()
		os.Exit(2)
	}
	if dump.String() == "true" {
		return p.Dump(os.Stdout, prefix.String())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return p.Serve(ctx, prefix.String())
}

// DefaultPrefix is where Kong runs unless it is told otherwise. Kong starts a
// plugin server without -kong-prefix then.
const DefaultPrefix = "/usr/local/kong"

// define returns a flag's value. A program that has go-pdk's server in it, too,
// has these flags already.
func define(name, usage string, add func(name, usage string)) flag.Value {
	if flag.Lookup(name) == nil {
		add(name, usage)
	}
	return flag.Lookup(name).Value
}

func boolFlag(name, usage string) { flag.Bool(name, false, usage) }

// Serve serves Kong on the socket in its prefix directory until ctx ends. Then
// connections that wait for Kong are closed, events that are running come to their
// end, and the socket is removed. It returns nil after that.
func (p Plugin) Serve(ctx context.Context, prefix string) error {
	path := p.socket(prefix)
	l, err := listen(path)
	if err != nil {
		return err
	}
	own, _ := os.Lstat(path)
	defer removeSocket(path, own)
	return newServer(p).run(ctx, l)
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
