// Command diag405 is a plugin server for Kong, and the tools around it.
//
// Something beside Kong runs diag405 serve, or Kong starts it without a command, and
// it serves the plugins. The other commands are tools for people: see diag405 help.
package main

import (
	"fmt"
	"os"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/demo"
	"diag405/cmd/diag405/doctor"
	"diag405/cmd/diag405/dump"
	"diag405/cmd/diag405/explain"
	"diag405/cmd/diag405/lint"
	"diag405/cmd/diag405/report"
	"diag405/cmd/diag405/schema"
	"diag405/cmd/diag405/serve"
	"diag405/cmd/diag405/token"
	"diag405/cmd/diag405/version"
)

const usage = `diag405 explains a 405 Method Not Allowed that came through Kong.

Usage:
%s
Each of them has a -h. Without a command it is the plugin server that Kong starts:
  diag405 [-kong-prefix DIR] [-socket-group GROUP] [-dump [-name NAME]]

  -kong-prefix DIR      Kong's prefix; the socket is DIR/diag405.socket (default /usr/local/kong)
  -socket-group GROUP   who may connect to it beside the user that this runs as
  -dump                 print what Kong asks for at its start, and exit
  -name NAME            of diag405 or diag405-log, whatever this file is called
`

// command is something that diag405 does.
type command struct {
	name, summary string
	run           func(args []string, std cli.Streams) int // returns the exit code
}

// commands, in the order in which help lists them.
var commands = []command{
	{"demo", "show the founding case end to end", demo.Run},
	{"explain", "say what Kong does with a request, and why it gets a 405", explain.Run},
	{"lint", "find what in a configuration leads to 405s", lint.Run},
	{"report", "show what went wrong, from Kong's error log", report.Run},
	{"token", "make a credential that shows all headers to who sends it", token.Run},
	{"dump", "write the files that describe the plugins to Kong", dump.Run},
	{"doctor", "look at an installation, and say what is wrong", doctor.Run},
	{"schema", "print the schema of the settings, for control planes and Konnect", schema.Run},
	{"serve", "serve Kong, run by something else than Kong", serve.Run},
	{"version", "print the version", version.Run},
}

func main() { os.Exit(run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) }

func run(args []string, std cli.Streams) int {
	if len(args) > 0 && strings.TrimLeft(args[0], "-") == "version" {
		return version.Run(args[1:], std)
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return serve.ByKong(args, std, help())
	}
	if args[0] == "help" {
		fmt.Fprint(std.Out, help())
		return cli.OK
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:], std)
		}
	}
	return std.Cannot("unknown command %q; diag405 help lists them", args[0])
}

// help is the usage with all commands.
func help() string {
	var list strings.Builder
	for _, c := range append(commands, command{name: "help", summary: "print this"}) {
		fmt.Fprintf(&list, "  diag405 %-8s  %s\n", c.name, c.summary)
	}
	return fmt.Sprintf(usage, list.String())
}
