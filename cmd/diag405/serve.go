package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/Kong/go-pdk/server"

	"diag405/plugin"
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
	if info, err := os.Stat(prefix); !dump && (err != nil || !info.IsDir()) {
		return cannot(std, "no folder %q for the socket: Kong starts this plugin server itself, in its own prefix; try diag405 demo", prefix)
	}
	// StartServer reads the same flags again, from os.Args.
	if err := server.StartServer(plugin.Constructor(prefix), plugin.Version, plugin.Priority); err != nil {
		return cannot(std, "serving Kong: %v", err)
	}
	return exitOK
}

// serveFlags checks the flags that go-pdk's server is going to read: it ends the
// process with a page of text on a wrong one.
func serveFlags(args []string) (prefix string, dump bool, err error) {
	flags := newFlags("diag405")
	flags.StringVar(&prefix, "kong-prefix", "/usr/local/kong", "")
	flags.BoolVar(&dump, "dump", false, "")
	flags.Bool("help", false, "")
	if err := flags.Parse(args); err != nil {
		return "", false, err
	}
	if flags.NArg() > 0 {
		return "", false, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if flags.Lookup("help").Value.String() == "true" {
		return "", false, flag.ErrHelp
	}
	return prefix, dump, nil
}

// newFlags is a flag set that leaves it to the caller to say what was wrong.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
