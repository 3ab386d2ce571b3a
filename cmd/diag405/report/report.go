// Package report is the command that shows what went wrong, from Kong's error log.
package report

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/logread"
)

const usage = `Usage: diag405 report [-f] [-n ROWS] [-o text|json] [FILE...]

Reads Kong's error log and shows what went wrong: the diagnoses of diag405 by cause,
route and request to the upstream, with how often and when, what a client asked in its
own words, and the fix. FILE may be gzipped; without one, or for -, it is stdin.

  -f            follow the files as they grow, through rotation too, until interrupted
  -n ROWS       how many rows to show, 0 for all (default 20; json has all)
  -o text|json  how to print it (default text)

Examples:
  diag405 report /usr/local/kong/logs/error.log
  kubectl logs deploy/kong | diag405 report -o json
`

// options are the flags.
type options struct {
	follow bool
	rows   int
	form   string
	files  []string
}

// Run reports on logs, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("report", usage, err)
	}
	r := newReader(o, std)
	if err := r.read(); err != nil {
		return std.Cannot("report: %v", err)
	}
	if err := o.print(r, std.Out); err != nil {
		return std.Cannot("report: printing: %v", err)
	}
	return cli.OK
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("report")
	flags.BoolVar(&o.follow, "f", false, "")
	flags.IntVar(&o.rows, "n", 20, "")
	flags.StringVar(&o.form, "o", "text", "")
	files, err := cli.Parse(flags, args)
	if err != nil {
		return nil, err
	}
	o.files = files
	if len(o.files) == 0 {
		o.files = []string{"-"}
	}
	if o.rows < 0 {
		return nil, fmt.Errorf("-n %d is negative", o.rows)
	}
	return o, cli.TextOrJSON(o.form)
}

// maxLine bounds a line; nginx cuts its own far below. What is longer is read to
// here.
const maxLine = 64 << 10

// logReader reads logs into a table.
type logReader struct {
	*options
	std      cli.Streams
	table    *logread.Aggregate
	progress *progress
	live     bool // what was there at the start has been read; say what comes
}

func newReader(o *options, std cli.Streams) *logReader {
	return &logReader{options: o, std: std, table: logread.NewAggregate(), progress: newProgress(std.Err)}
}

func (r *logReader) read() error {
	if err := r.check(); err != nil {
		return err
	}
	if r.follow {
		ctx, stop := cli.Interruptible()
		defer stop()
		return r.followAll(ctx)
	}
	defer r.progress.end()
	for _, name := range r.files {
		if err := r.readFile(name); err != nil {
			return err
		}
	}
	return nil
}

// check finds what cannot be read before anything is.
func (r *logReader) check() error {
	for i, name := range r.files {
		if name == "-" {
			if slices.Contains(r.files[:i], "-") {
				return errors.New("stdin is named twice")
			}
			if cli.IsTerminal(r.std.In) {
				return errors.New("want a FILE, or a log on stdin")
			}
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		f.Close()
		if err == nil && info.IsDir() {
			return fmt.Errorf("%q is a folder", name)
		}
		r.progress.expect(info)
	}
	return nil
}

// readFile reads one file, or stdin, to its end.
func (r *logReader) readFile(name string) error {
	if name == "-" {
		return r.readAll("stdin", r.std.In)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.readAll(fmt.Sprintf("%q", name), f)
}

func (r *logReader) readAll(name string, from io.Reader) error {
	in, err := unzipped(r.progress.count(from))
	if err == nil {
		err = r.readLines(in)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// unzipped reads through gzip where the first bytes are gzip's.
func unzipped(from io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(from, maxLine)
	magic, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !isGzip(magic) {
		return in, nil
	}
	return gzip.NewReader(in)
}

// isGzip looks at the first two bytes (RFC 1952 section 2.3.1).
func isGzip(magic []byte) bool { return bytes.Equal(magic, []byte{0x1f, 0x8b}) }

// readLines adds all lines, the last one also without a newline.
func (r *logReader) readLines(from io.Reader) error {
	in := bufio.NewReaderSize(from, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			r.add(line)
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (r *logReader) add(line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	g := r.table.Add(line)
	r.progress.lines = r.table.Lines
	if g != nil && r.live && r.form == "text" {
		e, ok := logread.Parse(string(line))
		if !ok {
			return
		}
		fmt.Fprintln(r.std.Out, cli.Printable(fmt.Sprintf("%s  %s  %s  ->  %s", g.Last, g.Cause, e.Fields["client"], e.Fields["upstream"])))
	}
}
