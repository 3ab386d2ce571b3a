package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/logread"
)

// maxLine bounds a line of a log that is followed, in bytes; nginx cuts its own far
// below, and records are shorter. What is longer is read to here.
const maxLine = 256 << 10

// logReader reads logs into a table.
type logReader struct {
	*options
	std      cli.Streams
	judge    *logread.Judge
	table    *logread.Aggregate
	progress *progress
	live     bool              // what was there at the start has been read; say what comes
	add      func(line []byte) // takes a line that came, which may be used again afterwards

	scanner *logread.Scanner // of lines that come one by one
	buf     []byte           // for reading what a file has got
}

func newReader(o *options, judge *logread.Judge, std cli.Streams) *logReader {
	r := &logReader{
		options: o, std: std, judge: judge, table: logread.NewAggregate(o.since, time.Local), progress: newProgress(std.Err),
		scanner: logread.NewScanner(judge), buf: make([]byte, maxLine),
	}
	r.add = r.count
	return r
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
	blocks := newPipeline(r.judge, r.addBlock)
	defer blocks.end()
	for _, name := range r.files {
		if err := r.readFile(name, blocks); err != nil {
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
func (r *logReader) readFile(name string, blocks *pipeline) error {
	if name == "-" {
		return r.readAll("stdin", r.std.In, blocks)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.readAll(fmt.Sprintf("%q", name), f, blocks)
}

func (r *logReader) readAll(name string, from io.Reader, blocks *pipeline) error {
	in, err := cli.Unzipped(r.progress.count(from))
	if err == nil {
		err = blocks.read(in)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

func (r *logReader) addBlock(b *logread.Block) []logread.Failure {
	r.progress.lines.Add(int64(b.Lines))
	return r.table.Add(b)
}

// count counts a line that came, and says what is new.
func (r *logReader) count(line []byte) {
	for _, f := range r.addBlock(r.scanner.Scan(bytes.TrimRight(line, "\r\n"))) {
		if !r.live || r.form != "text" {
			continue
		}
		e := f.Entry()
		fmt.Fprintln(r.std.Out, cli.Printable(fmt.Sprintf("%s  %s  %s  ->  %s",
			orDash(r.table.Time(f)), e.Fields["cause"], orDash(e.Fields["client"]), orDash(e.Fields["upstream"]))))
	}
}
