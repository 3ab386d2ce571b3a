// Package nginxlog writes an error log as nginx and Kong do.
package nginxlog

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Level is a level of the error log, in nginx's order: smaller is worse.
type Level int

// The levels that Kong's PDK can write at.
const (
	Alert Level = iota + 2
	Crit
	Error
	Warn
	Notice
	Info
	Debug
)

// threshold is Kong's default log_level (kong.conf.default); what is less
// important is not written.
const threshold = Notice

func (l Level) String() string {
	return [...]string{"stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}[l]
}

// Log writes lines as nginx does, whole ones, from any goroutine.
type Log struct {
	mu sync.Mutex
	w  io.Writer
}

// New makes a log that is written to w; nil: nobody reads it.
func New(w io.Writer) *Log { return &Log{w: w} }

// Write adds a line: msg is all that stands behind the process and connection
// numbers. conn 0 is a line of no connection.
func (l *Log) Write(lv Level, conn int64, msg string) {
	if l.w == nil || lv > threshold {
		return
	}
	number := ""
	if conn != 0 {
		number = fmt.Sprintf("*%d ", conn)
	}
	line := fmt.Sprintf("%s [%s] %d#0: %s%s\n", time.Now().Format("2006/01/02 15:04:05"), lv, os.Getpid(), number, msg)
	l.mu.Lock()
	defer l.mu.Unlock()
	io.WriteString(l.w, line) // there is nowhere to report a failing error log
}

// Event writes a line of the gateway itself, outside of any request.
func (l *Log) Event(lv Level, source, format string, args ...any) {
	l.Write(lv, 0, "[kong] "+source+" "+fmt.Sprintf(format, args...)+", context: ngx.timer")
}
