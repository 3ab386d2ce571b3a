// Package cli is what the commands of diag405 share: their streams and exit codes,
// flags behind other arguments, a file or stdin, JSON, and a screen with colours.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes of all commands.
const (
	OK        = 0
	Failed    = 1 // it ran, and what it was to show did not come out
	CannotRun = 2 // a wrong flag, file or address
)

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Cannot says why a command cannot run, and returns its exit code.
func (s Streams) Cannot(format string, args ...any) int {
	fmt.Fprintf(s.Err, "diag405: %s\n", printableLines(fmt.Sprintf(format, args...)))
	return CannotRun
}

// BadArguments ends a command whose arguments could not be read, and returns its
// exit code: with its usage where that was asked for, else with what was wrong.
func (s Streams) BadArguments(command, usage string, err error) int {
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(s.Out, usage)
		return OK
	}
	return s.Cannot("%s: %v; diag405 %s -h shows the usage", command, err, command)
}

// Interruptible returns a context that ends when the program is asked to: by
// SIGINT, as of Ctrl-C, or SIGTERM.
func Interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// Fail says why a command cannot run, a line for each of several problems, and
// returns its exit code.
func (s Streams) Fail(command string, err error) int {
	for line := range strings.Lines(strings.TrimSpace(err.Error())) {
		s.Cannot("%s: %s", command, strings.TrimSuffix(line, "\n"))
	}
	return CannotRun
}
