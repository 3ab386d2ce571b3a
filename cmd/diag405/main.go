// Command diag405 is a plugin server for Kong, and the tools around it.
//
// Something beside Kong runs diag405 serve, or Kong starts it without a command, and
// it serves the plugins. The other commands are tools for people: see diag405 help.
package main

import (
	"fmt"
	"os"
	"strings"

	"diag405/cmd/diag405/cause"
	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/compare"
	"diag405/cmd/diag405/completion"
	"diag405/cmd/diag405/demo"
	"diag405/cmd/diag405/diff"
	"diag405/cmd/diag405/doctor"
	"diag405/cmd/diag405/dump"
	"diag405/cmd/diag405/explain"
	"diag405/cmd/diag405/lint"
	"diag405/cmd/diag405/report"
	"diag405/cmd/diag405/schema"
	"diag405/cmd/diag405/serve"
	"diag405/cmd/diag405/token"
	"diag405/cmd/diag405/ui"
	"diag405/cmd/diag405/version"
)

const usage = `diag405 explains a 405 Method Not Allowed that came through Kong.

Usage:
%s
Each of them has a -h. Without a command it is the plugin server that Kong starts:
  diag405 [-kong-prefix DIR] [-socket-group GROUP] [-metrics ADDR] [-dump [-name NAME]]

  -kong-prefix DIR      Kong's prefix; the socket is DIR/diag405.socket (default /usr/local/kong)
  -socket-group GROUP   who may connect to it beside the user that this runs as
  -metrics ADDR         show metrics for Prometheus at http://ADDR/metrics
  -dump                 print what Kong asks for at its start, and exit
  -name NAME            of diag405 or diag405-log, whatever this file is called
`

// command is a row of the table.
type command cli.Command

// commands, in the order in which help lists them.
var commands = []command{
	{"demo", "show the founding case end to end", demo.Run},
	{"explain", "say what Kong does with a request, and why it gets a 405", explain.Run},
	{"compare", "send a request through Kong and directly, and show where the two part", compare.Run},
	{"lint", "find what in a configuration leads to 405s", lint.Run},
	{"diff", "say what a change of configuration does to requests", diff.Run},
	{"report", "show what went wrong, from the logs that are there", report.Run},
	{"cause", "print the page of a cause", cause.Run},
	{"ui", "show a request, lint's findings and the log in a browser", ui.Run},
	{"token", "make a credential that shows all headers to who sends it", token.Run},
	{"dump", "write the files that describe the plugins to Kong", dump.Run},
	{"doctor", "look at an installation, and say what is wrong", doctor.Run},
	{"schema", "print the schema of the settings, for control planes and Konnect", schema.Run},
	{"serve", "serve Kong, run by something else than Kong", serve.Run},
	{"version", "print the version", version.Run},
}

// all are the commands, and those that know of the others.
func all() []cli.Command {
	var list []cli.Command
	for _, c := range commands {
		list = append(list, cli.Command(c))
	}
	return append(list,
		cli.Command{Name: "completion", Summary: "print the script that completes all this in a shell", Run: complete},
		cli.Command{Name: "help", Summary: "print this, or of a command what its -h prints", Run: printHelp})
}

func complete(args []string, std cli.Streams) int {
	byKong := func(args []string, std cli.Streams) int { return serve.ByKong(args, std, help()) }
	return completion.Run(all(), cli.Command{Run: byKong}, args, std)
}

func printHelp(args []string, std cli.Streams) int {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "help" {
		return runCommand(args[0], []string{"-h"}, std)
	}
	fmt.Fprint(std.Out, help())
	return cli.OK
}

func main() { os.Exit(run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) }

func run(args []string, std cli.Streams) int {
	if len(args) > 0 && strings.TrimLeft(args[0], "-") == "version" {
		return version.Run(args[1:], std)
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return serve.ByKong(args, std, help())
	}
	return runCommand(args[0], args[1:], std)
}

func runCommand(name string, args []string, std cli.Streams) int {
	var names []string
	for _, c := range all() {
		if c.Name == name {
			return c.Run(args, std)
		}
		names = append(names, c.Name)
	}
	return std.Cannot("unknown command %q; diag405 help lists them%s", name, cli.Meant(name, names))
}

// help is the usage with all commands.
func help() string {
	var list strings.Builder
	for _, c := range all() {
		fmt.Fprintf(&list, "  diag405 %-10s  %s\n", c.Name, c.Summary)
	}
	return fmt.Sprintf(usage, list.String())
}
