package openapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"diag405/plugin/diagnose"
)

// File is a document on disk that may change. It is safe for concurrent use.
type File struct {
	path string

	mu      sync.Mutex
	version version       // of the file that was read last, good or broken
	reading chan struct{} // closed when the reading that is under way ends, else nil
	api     *diagnose.API
	problem string // the last error, "" after a success
	untold  error  // that error while nobody has got it yet
}

// version tells whether a file has changed.
type version struct {
	modified time.Time
	size     int64
}

// NewFile returns the document at a path. Nothing is read yet; a caller that asks
// for API ahead of time spares the first request the waiting.
func NewFile(path string) *File { return &File{path: path} }

// API returns what the document offers, taken apart, nil while nothing is known. When the file's
// modification time or size has changed it is read again, which is waited for
// until ctx ends; the result is then what was known before. A large document
// takes a while: 4 MiB of YAML two seconds (measured).
//
// A file that is missing or broken leaves what was read before. Its error comes
// with one call, and not again while it stays the same, so that it can be logged
// as it comes.
func (f *File) API(ctx context.Context) (*diagnose.API, error) {
	if reading := f.refresh(); reading != nil {
		select {
		case <-reading:
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.untold
	f.untold = nil
	return f.api, err
}

// refresh starts to read the file if it has changed, and returns what is closed
// when the reading ends; nil when there is none.
func (f *File) refresh() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading != nil {
		return f.reading
	}
	info, err := os.Stat(f.path)
	if err != nil {
		f.version = version{}
		f.note(err)
		return nil
	}
	// The version is taken before the reading: a change in between is met next time.
	if now := (version{info.ModTime(), info.Size()}); now != f.version {
		f.reading = make(chan struct{})
		go f.read(info, now)
		return f.reading
	}
	return nil
}

// read reads the file and keeps what it says.
func (f *File) read(info os.FileInfo, now version) {
	data, err := contents(f.path, info)
	if err != nil {
		now = version{} // nothing was seen of it, so it is tried again
	}
	var api *diagnose.API
	if err == nil {
		api, err = parse(data)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version = now
	if err == nil {
		f.api = api
	}
	f.note(err)
	close(f.reading)
	f.reading = nil
}

// note remembers an error for the next caller, unless one has been told already.
func (f *File) note(err error) {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err // without the path, which is named once
	}
	if err == nil {
		f.problem, f.untold = "", nil
		return
	}
	if err.Error() != f.problem {
		f.problem = err.Error()
		f.untold = fmt.Errorf("openapi document %q: %w", f.path, err)
	}
}

// contents reads a file, of one that is too large as much as shows that it is.
func contents(path string, info os.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, MaxSize+1))
}

// parse is Parse where nobody is above to catch a panic, which would end the
// plugin server for the sake of a document. What it panics with may quote that.
func parse(data []byte) (api *diagnose.API, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("bug: reading it panics")
		}
	}()
	endpoints, err := Parse(data)
	return diagnose.NewAPI(endpoints), err
}
