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
  diag405 demo [-kong PATH] [-app URL]   show the founding case end to end
  diag405 version                        print the version
  diag405 help                           print this

Without a command it is the plugin server that Kong starts:
  diag405 [-kong-prefix DIR] [-dump]

  -kong-prefix DIR   Kong's prefix; the socket is DIR/diag405.socket (default /usr/local/kong)
  -dump              print what Kong asks for at its start, and exit
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return serve(args, stdout, stderr)
	}
	switch args[0] {
	case "demo":
		return demo(args[1:], stdout, stderr)
	case "version":
		fmt.Fprintln(stdout, "diag405", plugin.Version)
		return exitOK
	case "help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	return cannot(stderr, "unknown command %q; diag405 help lists them", args[0])
}

// cannot says in one line why a command cannot run.
func cannot(stderr io.Writer, format string, args ...any) int {
	fmt.Fprintf(stderr, "diag405: "+format+"\n", args...)
	return exitCannot
}
