// Command diag405 is a plugin server for Kong, and the tools around it.
//
// Kong starts it without a command and it serves the plugin. With a command it is
// a tool for people: see diag405 help.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"diag405/plugin"
)

// Exit codes of all commands.
const (
	exitOK     = 0
	exitFailed = 1 // it ran, and what it was to show did not come out
	exitCannot = 2 // it cannot run: a wrong flag, file or address
)

const usage = `diag405 explains a 405 Method Not Allowed that came through Kong.

Usage:
%s
Each of them has a -h. Without a command it is the plugin server that Kong starts:
  diag405 [-kong-prefix DIR] [-dump]

  -kong-prefix DIR   Kong's prefix; the socket is DIR/diag405.socket (default /usr/local/kong)
  -dump              print what Kong asks for at its start, and exit
`

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is something that diag405 does for people.
type command struct {
	name, summary string
	run           func(args []string, std streams) int
}

// commands, in the order in which help lists them.
var commands = []command{
	{"demo", "show the founding case end to end", demo},
	{"explain", "say what Kong does with a request, and why it gets a 405", explain},
	{"lint", "find what in a configuration leads to 405s", runLint},
	{"report", "show what went wrong, from Kong's error log", logReport},
	{"version", "print the version", version},
}

func main() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

func run(args []string, std streams) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return serve(args, std)
	}
	if args[0] == "help" {
		fmt.Fprint(std.out, help())
		return exitOK
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:], std)
		}
	}
	return cannot(std, "unknown command %q; diag405 help lists them", args[0])
}

// help is the usage with all commands.
func help() string {
	var list strings.Builder
	for _, c := range append(commands, command{name: "help", summary: "print this"}) {
		fmt.Fprintf(&list, "  diag405 %-8s  %s\n", c.name, c.summary)
	}
	return fmt.Sprintf(usage, list.String())
}

func version(_ []string, std streams) int {
	fmt.Fprintln(std.out, "diag405", plugin.Version)
	return exitOK
}

// cannot says in one line why a command cannot run.
func cannot(std streams, format string, args ...any) int {
	fmt.Fprintf(std.err, "diag405: "+format+"\n", args...)
	return exitCannot
}
