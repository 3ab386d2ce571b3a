// Command frameworks measures diag405 on what real web frameworks answer.
//
// It puts each application of a file, replayed as it was measured, behind each of a
// file of set-ups of Kong, correct ones and ones with a known mistake. Where the
// set-up's request ends in a 405 it compares the diagnosis with what is wrong, makes
// the change that the diagnosis suggests, and sends the request again.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"diag405/examples/trial"
)

const usage = `Usage: frameworks [-kong PATH] [-plugin PATH] [-probe] [-answers FILE] [-worlds FILE] [-json] [-check]

Puts each of the applications behind each of the set-ups, on a gateway with diag405
in it, and prints a line for each 405. The last line counts how often the diagnosis
was right, how often it blamed a gateway without a mistake, which mistakes of the
gateway it found, and how often the suggested fix worked.

  -kong PATH      run on a real Kong: the path of its kong command
  -plugin PATH    a diag405 binary; by default one is built
  -probe          let the plugin ask the applications with OPTIONS
  -answers FILE   applications instead of the project's, plain or compressed
  -worlds FILE    set-ups instead of the project's, plain or compressed
  -json           print an object for each 405, and one with the figures
  -check          fail when a figure misses its bound

Exit code 1: something could not be tried, or with -check a bound was missed.
2: wrong flags or files.

Examples:
  go run ./examples/frameworks -probe
  go run ./examples/frameworks -kong /usr/local/bin/kong -worlds mine.jsonl
`

// options are the command's flags.
type options struct {
	trial.Flags
	answers string // empty: the project's
	worlds  string // empty: the project's
	check   bool
}

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, stdout, stderr io.Writer) int {
	var opt options
	var list []pair
	return trial.Command{
		Name: "frameworks", Usage: usage,
		Prepare: func(args []string) (err error) {
			if err = opt.parse(args); err == nil {
				list, err = opt.pairs()
			}
			return err
		},
		Run: func(ctx context.Context, stdout, stderr io.Writer) (good bool, err error) {
			f, err := opt.measure(ctx, list, stdout)
			if err != nil {
				return false, err
			}
			return f.NotRun == 0 && (!opt.check || opt.holds(f, stderr)), nil
		},
	}.Main(args, stdout, stderr)
}

// parse reads the arguments.
func (opt *options) parse(args []string) error {
	flags := flag.NewFlagSet("frameworks", flag.ContinueOnError)
	flags.StringVar(&opt.answers, "answers", "", "")
	flags.StringVar(&opt.worlds, "worlds", "", "")
	flags.BoolVar(&opt.check, "check", false, "")
	if err := opt.Parse(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("want no arguments, got %q", flags.Args())
	}
	return nil
}

// pairs reads the applications and the set-ups.
func (opt options) pairs() ([]pair, error) {
	apps, err := readApplications(opt.answers)
	if err != nil {
		return nil, err
	}
	worlds, err := readWorlds(opt.worlds)
	if err != nil {
		return nil, err
	}
	return pairs(apps, worlds), nil
}

// measure tries the pairs, prints what became of each, and counts.
func (opt options) measure(ctx context.Context, list []pair, stdout io.Writer) (figures, error) {
	var f figures
	r, err := newRunner(ctx, opt)
	if err != nil {
		return f, err
	}
	defer r.close()
	p := newPrinter(stdout, list, opt.JSON)
	for o := range r.run(ctx, list) {
		f.add(o)
		if err := p.print(o); err != nil {
			return f, fmt.Errorf("writing the outcome: %w", err)
		}
	}
	if err := p.summary(f); err != nil {
		return f, fmt.Errorf("writing the figures: %w", err)
	}
	return f, nil
}

// holds says which bounds the figures miss, and reports whether they miss none.
func (opt options) holds(f figures, stderr io.Writer) bool {
	b := withoutProbe
	if opt.Probe {
		b = withProbe
	}
	missed := f.misses(b)
	for _, miss := range missed {
		fmt.Fprintf(stderr, "frameworks: %s\n", miss)
	}
	return len(missed) == 0
}
