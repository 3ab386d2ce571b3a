package gateway

import (
	"bytes"
	"context"
	"strings"
	"sync"
)

// Lines keeps an error log for somebody who waits for what is in it: an
// [Options].ErrorLog. Its zero value is empty and ready, and safe for concurrent
// use.
type Lines struct {
	mu      sync.Mutex
	whole   []string
	partial []byte
	more    chan struct{} // closed when more lines have come; nil while nobody waits
}

// Write takes a piece of the log.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			break
		}
		l.whole = append(l.whole, string(line))
		l.partial = rest
	}
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return len(p), nil
}

// Find returns the first line that matches, and waits for one until ctx ends.
func (l *Lines) Find(ctx context.Context, match func(line string) bool) (string, error) {
	for from := 0; ; {
		lines, more := l.since(from)
		for _, line := range lines {
			if match(line) {
				return line, nil
			}
		}
		from += len(lines)
		select {
		case <-more:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// since returns the lines behind the first n, and what is closed when there are
// more.
func (l *Lines) since(n int) ([]string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return l.whole[n:len(l.whole):len(l.whole)], l.more
}

// String is the whole log so far.
func (l *Lines) String() string {
	lines, _ := l.since(0)
	return strings.Join(lines, "\n")
}
