package report

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"diag405/cmd/diag405/cli"
)

// pollEvery is how often followed files are looked at.
const pollEvery = 200 * time.Millisecond

// followAll reads the files as they grow, until ctx ends or, of stdin alone, until
// that does.
func (r *logReader) followAll(ctx context.Context) error {
	var files []*followed
	var piped <-chan []byte
	for _, name := range r.files {
		if name == "-" {
			piped = pipe(ctx, r.std.In)
			continue
		}
		f := &followed{name: name}
		defer f.close(r.add)
		files = append(files, f)
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if err := r.look(files); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case line, ok := <-piped:
			if ok {
				r.add(line)
			} else if piped = nil; len(files) == 0 {
				return nil
			}
		}
	}
}

// look reads what the files have got. What comes after the first look is news.
func (r *logReader) look(files []*followed) error {
	for _, f := range files {
		if err := r.catchUp(f); err != nil {
			return err
		}
	}
	r.live = true
	return nil
}

// pipe reads lines in the background, since a read of a pipe cannot be given up.
func pipe(ctx context.Context, in io.Reader) <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		reader := bufio.NewReaderSize(in, maxLine)
		for {
			line, err := reader.ReadSlice('\n')
			for errors.Is(err, bufio.ErrBufferFull) {
				line = bytes.Clone(line)
				_, err = reader.ReadSlice('\n')
			}
			if len(line) > 0 {
				select {
				case lines <- bytes.Clone(line):
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

// followed is a file that grows. It is known by its name: another file under that
// name, and one that got shorter, is read from its start.
type followed struct {
	name    string
	file    *os.File // nil while there is none
	offset  int64
	partial []byte // a line whose end has not been written yet
	zipped  bool   // was read whole: a compressed log does not grow
}

// catchUp reads what a file has got since it was read last.
func (r *logReader) catchUp(f *followed) error {
	if f.zipped {
		return nil
	}
	if f.file == nil {
		if err := r.open(f); err != nil || f.file == nil {
			return err
		}
	}
	if err := f.readMore(r.buf, r.add); err != nil {
		return err
	}
	now, err := os.Stat(f.name)
	if err != nil {
		return nil // moved away; until there is another, it may still be written to
	}
	mine, err := f.file.Stat()
	switch {
	case err != nil:
		return err
	case !os.SameFile(now, mine):
		if err := f.readMore(r.buf, r.add); err != nil { // what came in between
			return err
		}
		f.close(r.add)
		return r.catchUp(f)
	case mine.Size() < f.offset:
		f.close(r.add)
		return r.catchUp(f)
	}
	return nil
}

// open opens a file at its start. One that is not there yet is waited for.
func (r *logReader) open(f *followed) error {
	file, err := os.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	magic := make([]byte, 2)
	if n, _ := file.ReadAt(magic, 0); n == 2 && cli.IsGzip(magic) {
		defer file.Close()
		f.zipped = true
		blocks := newPipeline(r.judge, r.addBlock)
		defer blocks.end()
		return r.readAll(f.name, file, blocks)
	}
	f.file, f.offset = file, 0
	return nil
}

func (f *followed) readMore(buf []byte, add func([]byte)) error {
	for {
		n, err := f.file.Read(buf)
		f.offset += int64(n)
		f.feed(buf[:n], add)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// feed adds the lines that are complete, and keeps the rest.
func (f *followed) feed(data []byte, add func([]byte)) {
	for {
		end := bytes.IndexByte(data, '\n')
		part := data
		if end >= 0 {
			part = data[:end]
		}
		f.partial = append(f.partial, part[:min(len(part), maxLine-len(f.partial))]...)
		if end < 0 {
			return
		}
		add(f.partial)
		f.partial, data = f.partial[:0], data[end+1:]
	}
}

// close ends a file: what it has no newline for is a line, too.
func (f *followed) close(add func([]byte)) {
	if len(f.partial) > 0 {
		add(f.partial)
		f.partial = f.partial[:0]
	}
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
