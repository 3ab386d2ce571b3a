package serve

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/plugins"
	"diag405/plugin/server"
)

// ByKong is what Kong starts: diag405 without a command, with go-pdk's flags. It
// serves the plugin that the program is called after, in Kong's prefix, or with -dump
// describes it. Help is printed where the arguments ask for it. It returns the exit
// code.
func ByKong(args []string, std cli.Streams, help string) int {
	o, err := parseKongs(args)
	if errors.Is(err, flag.ErrHelp) {
		return std.Help(help, err)
	}
	if err != nil {
		return std.Cannot("%v; diag405 help lists the flags", err)
	}
	p := o.plugin()
	if o.dump {
		if err := p.Dump(std.Out, o.prefix); err != nil {
			return std.Cannot("describing the plugin: %v", err)
		}
		return cli.OK
	}
	if err := server.Supported(); err != nil {
		return std.Cannot("serving Kong: %v; diag405 help lists what there is beside", err)
	}
	if info, err := os.Stat(o.prefix); err != nil || !info.IsDir() {
		return std.Cannot("no folder %q for the socket: Kong starts it like this, in its own prefix; diag405 serve -h says how something else does, and diag405 demo shows what it is", o.prefix)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	observed := newObserver(o.metrics, std.Err)
	p = observed.watch(p, called())
	server.Tune()
	observed.start(ctx)
	if err := p.Serve(ctx, o.prefix); err != nil {
		return std.Cannot("serving Kong: %v", err)
	}
	return cli.OK
}

// kongs are the flags that Kong gives a plugin server, and the name of another
// plugin to describe than the one that the program is called after.
type kongs struct {
	prefix  string
	group   string // of the socket
	dump    bool
	name    string
	metrics string
}

func parseKongs(args []string) (kongs, error) {
	var o kongs
	flags := cli.NewFlags("diag405")
	flags.StringVar(&o.prefix, "kong-prefix", server.DefaultPrefix, "")
	flags.StringVar(&o.group, "socket-group", "", "")
	flags.BoolVar(&o.dump, "dump", false, "")
	flags.StringVar(&o.metrics, "metrics", metricsAddress(), "")
	flags.Func("name", "", func(name string) error {
		if chosen, err := plugins.Chosen(name); err != nil || len(chosen) != 1 {
			return fmt.Errorf("want one of %q", plugins.Names)
		}
		o.name = name
		return nil
	})
	if err := cli.ParseFlags(flags, args); err != nil {
		return o, err
	}
	if o.name != "" && !o.dump {
		return o, errors.New("-name is for -dump: Kong starts a plugin under the name of its file")
	}
	return o, nil
}

// plugin is the one that is named, else the one that the program is under the name
// by which it was started: a link called diag405-log makes it the second one.
func (o kongs) plugin() server.Plugin {
	if o.name != "" {
		return plugins.Named(o.name, o.prefix)
	}
	p := plugins.Named(called(), o.prefix)
	p.SocketGroup = o.group
	p.Name = "" // what the file is called, whatever that is: so does Kong call it
	return p
}

// called is the name by which the program was started.
func called() string { return filepath.Base(os.Args[0]) }
