// Package background reads files for those who must not wait for a disk: what a file
// says is there as it was last read, and is read anew behind their backs.
package background

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// patience is how long a file is waited for that nobody has read yet, by all who ask
// for it together: long enough for one of some hundred kilobytes on a disk that works,
// and too short for a client to mind one that hangs. After that nobody waits.
const patience = 100 * time.Millisecond

// File is what a file says, decoded, which may change. It is safe for concurrent use.
type File[T any] struct {
	path   string
	limit  int64
	decode func([]byte) (T, error)

	mu      sync.Mutex
	looking bool // one goroutine looks at the file, never two
	version version
	value   T
	problem string // the last error, "" after a success
	untold  error  // that error while nobody has got it yet

	begun time.Time     // when the file was first looked at; zero is not yet
	first chan struct{} // closed when that ended
}

// version tells whether a file has changed.
type version struct {
	modified time.Time
	size     int64
}

// New returns the file at a path, which nobody has read yet. At most limit bytes and
// one are read; decode, which is called by one goroutine at a time, refuses those.
func New[T any](path string, limit int64, decode func([]byte) (T, error)) *File[T] {
	return &File[T]{path: path, limit: limit, decode: decode, first: make(chan struct{})}
}

// Get returns what the file says, as far as that is known, and has somebody look
// whether it has changed. It reads nothing itself. Only what nobody has read yet is
// waited for: until ctx ends, and no longer than 100 ms after it was first looked at.
//
// A file that is missing or broken leaves what was read before. Its error comes with
// one call, and not again while it stays the same, so that it can be logged as it comes.
func (f *File[T]) Get(ctx context.Context) (T, error) {
	f.await(ctx, f.Look())
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.untold
	f.untold = nil
	return f.value, err
}

// Look has somebody look at the file, and returns until when it is waited for. It
// spares the first who asks the waiting.
func (f *File[T]) Look() (until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun.IsZero() {
		f.begun = time.Now()
	}
	if !f.looking {
		f.looking = true
		go f.look(f.version)
	}
	return f.begun.Add(patience)
}

// await waits for the first look.
func (f *File[T]) await(ctx context.Context, until time.Time) {
	select {
	case <-f.first:
		return
	default:
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	select {
	case <-f.first:
	case <-ctx.Done():
	}
}

// look reads the file if it has changed.
func (f *File[T]) look(last version) {
	value, now, err := f.read(last)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looking = false
	if now != last || err != nil {
		f.version = now
		f.note(err)
		if err == nil {
			f.value = value
		}
	}
	select {
	case <-f.first:
	default:
		close(f.first)
	}
}

// read returns what the file says now, and its version; the zero version where
// nothing was seen of it, so that it is tried again. The value of one that has not
// changed is not read.
func (f *File[T]) read(last version) (value T, now version, err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return value, now, err
	}
	// The version is taken before the reading: a change in between is met next time.
	now = version{info.ModTime(), info.Size()}
	if now == last {
		return value, now, nil
	}
	data, err := f.contents(info)
	if err != nil {
		return value, version{}, err
	}
	value, err = f.decoded(data)
	return value, now, err
}

// contents are those of a file, of one that is too large as much as shows that it is.
func (f *File[T]) contents(info fs.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, f.limit+1))
}

// decoded calls decode where nobody is above to catch a panic, which would end the
// plugin server for the sake of a file. What it panics with may quote the file.
func (f *File[T]) decoded(data []byte) (value T, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("bug: reading it panics")
		}
	}()
	return f.decode(data)
}

// note remembers an error for the next caller, unless one has been told already.
func (f *File[T]) note(err error) {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err // without the path, which is named once
	}
	if err == nil {
		f.problem, f.untold = "", nil
		return
	}
	if err.Error() != f.problem {
		f.problem = err.Error()
		f.untold = fmt.Errorf("%q: %w", f.path, err)
	}
}
