package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"diag405/plugin"
	"diag405/plugin/server"
)

// serve is what Kong runs: it serves the plugin, or describes it with -dump.
func serve(args []string, std streams) int {
	prefix, dump, err := serveFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(std.out, help())
		return exitOK
	}
	if err != nil {
		return cannot(std, "%v; diag405 help lists the flags", err)
	}
	p := served(os.Args[0], prefix)
	if dump {
		if err := p.Dump(std.out, prefix); err != nil {
			return cannot(std, "describing the plugin: %v", err)
		}
		return exitOK
	}
	if info, err := os.Stat(prefix); err != nil || !info.IsDir() {
		return cannot(std, "no folder %q for the socket: Kong starts this plugin server itself, in its own prefix; try diag405 demo", prefix)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := p.Serve(ctx, prefix); err != nil {
		return cannot(std, "serving Kong: %v", err)
	}
	return exitOK
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

// serveFlags reads the flags that Kong gives a plugin server, which are go-pdk's.
func serveFlags(args []string) (prefix string, dump bool, err error) {
	flags := newFlags("diag405")
	flags.StringVar(&prefix, "kong-prefix", server.DefaultPrefix, "")
	flags.BoolVar(&dump, "dump", false, "")
	if err := flags.Parse(args); err != nil {
		return "", false, err
	}
	if flags.NArg() > 0 {
		return "", false, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return prefix, dump, nil
}

// newFlags is a flag set that leaves it to the caller to say what was wrong.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
