package realkong

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// logCopy copies Kong's error log to a writer while Kong writes it.
type logCopy struct {
	file  *os.File
	to    io.Writer
	hide  string // lines with this in them are about our own requests
	rest  []byte // a line that has no end yet
	quit  chan struct{}
	ended chan struct{}
	err   error
}

func followLog(path string, to io.Writer, hide string) (*logCopy, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if to == nil {
		to = io.Discard
	}
	l := &logCopy{file: file, to: to, hide: hide, quit: make(chan struct{}), ended: make(chan struct{})}
	go l.follow()
	return l, nil
}

func (l *logCopy) follow() {
	defer close(l.ended)
	for {
		select {
		case <-l.quit:
			l.copy()
			l.write(l.rest)
			return
		case <-time.After(20 * time.Millisecond):
			l.copy()
		}
	}
}

// copy hands on the whole lines that have come since the last time.
func (l *logCopy) copy() {
	more, err := io.ReadAll(l.file)
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("reading kong's error log: %w", err)
	}
	l.rest = append(l.rest, more...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	for line := range bytes.Lines(l.rest[:end]) {
		l.write(line)
	}
	l.rest = bytes.Clone(l.rest[end:])
}

func (l *logCopy) write(line []byte) {
	if len(line) == 0 || l.err != nil || bytes.Contains(line, []byte(l.hide)) {
		return
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		line = append(line, '\n')
	}
	if _, err := l.to.Write(line); err != nil {
		l.err = fmt.Errorf("copying kong's error log: %w", err)
	}
}

func (l *logCopy) close() error {
	close(l.quit)
	<-l.ended
	return errors.Join(l.err, l.file.Close())
}
