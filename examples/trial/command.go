package trial

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Exit codes of the commands.
const (
	ExitOK     = 0
	ExitFailed = 1 // something could not be run, or did not come out
	ExitCannot = 2 // a wrong flag or file
)

// Command is a command that tries diag405.
type Command struct {
	Name, Usage string
	// Prepare reads the arguments and the files that they name. Its error is one of
	// these.
	Prepare func(args []string) error
	// Run prints what comes of it, until the context ends, and reports whether that is
	// as it should be. Its error says why it could not go on.
	Run func(ctx context.Context, stdout, stderr io.Writer) (good bool, err error)
}

// Main runs the command and returns its exit code. What is wrong is said on stderr, in
// a line.
func (c Command) Main(args []string, stdout, stderr io.Writer) int {
	switch err := c.Prepare(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, c.Usage)
		return ExitOK
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v; %s -h shows the usage\n", c.Name, err, c.Name)
		return ExitCannot
	}
	ctx, stop := untilSignal()
	defer stop()
	good, err := c.Run(ctx, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
	}
	if err != nil || !good {
		return ExitFailed
	}
	return ExitOK
}

// untilSignal is a context that ends when the command is asked to. A reader of
// stdout that is gone ends the run by the error of writing to it: caught, SIGPIPE
// does not end the process, which has gateways to stop. It must not end the context,
// since once it is caught it comes for every socket that a peer has closed, too.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	return ctx, func() {
		stop()
		signal.Stop(unread)
	}
}

// Flags are those that the commands share.
type Flags struct {
	Kong   string // path of a real kong command; empty: the stand-in
	Plugin string // path of a diag405 binary; empty: built
	Probe  bool
	JSON   bool
}

// Parse declares the flags beside a command's own, and reads the arguments.
func (f *Flags) Parse(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard) // what is wrong with them is said once
	flags.StringVar(&f.Kong, "kong", "", "")
	flags.StringVar(&f.Plugin, "plugin", "", "")
	flags.BoolVar(&f.Probe, "probe", false, "")
	flags.BoolVar(&f.JSON, "json", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, program := range []struct{ flag, path string }{{"kong", f.Kong}, {"plugin", f.Plugin}} {
		if program.path == "" {
			continue
		}
		if _, err := exec.LookPath(program.path); err != nil {
			return fmt.Errorf("-%s: %w", program.flag, err)
		}
	}
	return nil
}
