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
	"flag"
	"fmt"
	"io"
	"os"

	"diag405/examples/trial"
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

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, stdout, stderr io.Writer) int {
	var opt options
	var files []file
	return trial.Command{
		Name: "cases", Usage: usage,
		Prepare: func(args []string) (err error) {
			if err = opt.parse(args); err == nil {
				files, err = readCases(opt.dir)
			}
			return err
		},
		Run: func(ctx context.Context, stdout, _ io.Writer) (good bool, err error) {
			r, err := newRunner(ctx, opt)
			if err != nil {
				return false, err
			}
			defer r.close()
			t, err := r.report(ctx, files, stdout)
			if err != nil {
				return false, fmt.Errorf("writing the outcome: %w", err)
			}
			return t.NotRun == 0, nil
		},
	}.Main(args, stdout, stderr)
}

// parse reads the arguments.
func (opt *options) parse(args []string) error {
	flags := flag.NewFlagSet("cases", flag.ContinueOnError)
	flags.BoolVar(&opt.openAPI, "openapi", false, "")
	if err := opt.Parse(flags, args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("want one folder, got %q", flags.Args())
	}
	opt.dir = flags.Arg(0)
	return nil
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
	if r.JSON {
		return t, trial.PrintJSON(stdout, map[string]tally{"summary": t})
	}
	_, err := fmt.Fprintln(stdout, t)
	return t, err
}
