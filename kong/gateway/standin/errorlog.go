package standin

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// level is a level of the error log, in nginx's order: smaller is worse.
type level int

const (
	levelAlert level = iota + 2
	levelCrit
	levelError
	levelWarn
	levelNotice
	levelInfo
	levelDebug
)

// logLevel is Kong's default log_level (kong.conf.default); what is less
// important is not written.
const logLevel = levelNotice

func (l level) String() string {
	return [...]string{"stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}[l]
}

// errorLog writes lines as nginx does.
type errorLog struct {
	mu sync.Mutex
	w  io.Writer // nil: nobody reads it
}

// write adds a line: msg is all that stands behind the process and connection
// numbers. conn 0 is a line of no connection.
func (l *errorLog) write(lv level, conn int64, msg string) {
	if l.w == nil || lv > logLevel {
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

// event is a line of the gateway itself, outside of any request.
func (l *errorLog) event(lv level, source, format string, args ...any) {
	l.write(lv, 0, "[kong] "+source+" "+fmt.Sprintf(format, args...)+", context: ngx.timer")
}
