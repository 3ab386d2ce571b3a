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

	describe func(*flag.FlagSet, string) // see [Describe]; nil where somebody reads
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
		return s.Help(usage, err)
	}
	return s.Cannot("%s: %v; diag405 %s -h shows the usage", command, err, command)
}

// Help prints a usage that was asked for, and returns the exit code.
func (s Streams) Help(usage string, err error) int {
	var help *helpError
	if s.describe != nil && errors.As(err, &help) {
		s.describe(help.flags, usage)
	}
	fmt.Fprint(s.Out, usage)
	return OK
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
