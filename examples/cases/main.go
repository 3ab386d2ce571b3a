// Command cases runs 405s that people met, and measures diag405 on them.
//
// Each case of a folder is a gateway configuration, the routes of the real
// applications, and the request that was refused. The command starts the
// applications, sends the request through a gateway with diag405 in it, compares
// the diagnosis with what is known about the case, makes the change that the
// diagnosis suggests, and sends the request again.
package main

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

const usage = `Usage: cases [-kong PATH] [-plugin PATH] [-probe] [-openapi] [-json] DIR

Runs the cases (*.json) of a folder through a gateway with diag405 in it, and tries
what diag405 suggests. The last line counts the causes that were right, and the
fixes that worked among those that can be found with what is switched on.

  -kong PATH     run on a real Kong: the path of its kong command
  -plugin PATH   a diag405 binary; by default one is built
  -probe         let the plugin ask the applications with OPTIONS
  -openapi       hand the plugin an OpenAPI document of the application
  -json          print an object a case, and one with the counts

Exit code 1: a case could not be run. 2: wrong flags or folder.

Examples:
  go run ./examples/cases examples/cases
  go run ./examples/cases -kong /usr/local/bin/kong -probe -openapi examples/cases
`

// Exit codes.
const (
	exitOK     = 0
	exitNotRun = 1
	exitCannot = 2
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, stdout, stderr io.Writer) int {
	opt, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	var files []file
	if err == nil {
		files, err = readCases(opt.dir)
	}
	if err != nil {
		fmt.Fprintf(stderr, "cases: %v; cases -h shows the usage\n", err)
		return exitCannot
	}
	ctx, stop := untilSignal()
	defer stop()
	r, err := newRunner(ctx, opt)
	if err != nil {
		fmt.Fprintf(stderr, "cases: %v\n", err)
		return exitNotRun
	}
	defer r.close()
	t, err := r.report(ctx, files, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "cases: writing the outcome: %v\n", err)
		return exitNotRun
	}
	if t.NotRun > 0 {
		return exitNotRun
	}
	return exitOK
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

func parseFlags(args []string) (options, error) {
	var opt options
	flags := flag.NewFlagSet("cases", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&opt.kong, "kong", "", "")
	flags.StringVar(&opt.plugin, "plugin", "", "")
	flags.BoolVar(&opt.probe, "probe", false, "")
	flags.BoolVar(&opt.openAPI, "openapi", false, "")
	flags.BoolVar(&opt.json, "json", false, "")
	if err := flags.Parse(args); err != nil {
		return opt, err
	}
	if flags.NArg() != 1 {
		return opt, fmt.Errorf("want one folder, got %q", flags.Args())
	}
	opt.dir = flags.Arg(0)
	for name, path := range map[string]string{"kong": opt.kong, "plugin": opt.plugin} {
		if path == "" {
			continue
		}
		if _, err := exec.LookPath(path); err != nil {
			return opt, fmt.Errorf("-%s: %w", name, err)
		}
	}
	return opt, nil
}

// report runs the cases, prints what became of each, and counts.
func (r *runner) report(ctx context.Context, files []file, stdout io.Writer) (tally, error) {
	width := 0
	for _, f := range files {
		width = max(width, len(f.id))
	}
	var t tally
	for o := range r.run(ctx, files) {
		t.add(o, r.options)
		if err := r.print(stdout, o, width); err != nil {
			return t, err
		}
	}
	if r.json {
		return t, printJSON(stdout, map[string]tally{"summary": t})
	}
	_, err := fmt.Fprintln(stdout, t)
	return t, err
}
