// Package serve is what Kong runs: diag405 without a command.
package serve

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"diag405/cmd/diag405/cli"
	"diag405/plugin"
	"diag405/plugin/server"
)

// Run serves the plugin to Kong until it is asked to end, or with -dump describes
// it. Help is printed where the arguments ask for it. It returns the exit code.
func Run(args []string, std cli.Streams, help string) int {
	prefix, dump, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(std.Out, help)
		return cli.OK
	}
	if err != nil {
		return std.Cannot("%v; diag405 help lists the flags", err)
	}
	p := served(os.Args[0], prefix)
	if dump {
		if err := p.Dump(std.Out, prefix); err != nil {
			return std.Cannot("describing the plugin: %v", err)
		}
		return cli.OK
	}
	if info, err := os.Stat(prefix); err != nil || !info.IsDir() {
		return std.Cannot("no folder %q for the socket: Kong starts this plugin server itself, in its own prefix; try diag405 demo", prefix)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	if err := p.Serve(ctx, prefix); err != nil {
		return std.Cannot("serving Kong: %v", err)
	}
	return cli.OK
}

// served is the plugin that the program is under the name by which it was started:
// a link called diag405-log makes it the second one.
func served(program, prefix string) server.Plugin {
	p := server.Plugin{
		New:      plugin.Constructor(prefix),
		Version:  plugin.Version,
		Priority: plugin.Priority,
	}
	if filepath.Base(program) == plugin.LogName {
		p.New = plugin.LogConstructor()
	}
	return p
}

// parse reads the flags that Kong gives a plugin server, which are go-pdk's.
func parse(args []string) (prefix string, dump bool, err error) {
	flags := cli.NewFlags("diag405")
	flags.StringVar(&prefix, "kong-prefix", server.DefaultPrefix, "")
	flags.BoolVar(&dump, "dump", false, "")
	err = cli.ParseFlags(flags, args)
	return prefix, dump, err
}
