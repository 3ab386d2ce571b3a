package server

import (
	"fmt"
	"log"
	"path"
	"runtime"
	"strings"

	"github.com/Kong/go-pdk"
)

// maxStack is how many functions of a stack are told: a line of Kong's error log
// holds 4,096 bytes (NGX_MAX_ERROR_STR in Kong's build of nginx).
const maxStack = 12

// report tells an operator what went wrong, in Kong's error log. What the server
// prints is seen at level info only, but stays when the connection is gone.
func report(kong *pdk.PDK, text string) {
	log.Print(printable(text))
	_ = kong.Log.Err(strings.ToValidUTF8(text, "?"))
}

// printable is text for what may be a terminal. What somebody panics with may have a
// client's words in it; what goes to Kong is cleaned on its way.
func printable(text string) string {
	b := []byte(strings.ToValidUTF8(text, "?"))
	blank(b)
	return string(b)
}

// Stack tells where a panic came from, as stack does, in a goroutine of a handler's own.
func Stack() string { return stack() }

// stack tells where a panic came from, for a deferred function that recovered it:
// the functions from the one that panicked to the handler, in one line.
func stack() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var names []string
	panicked := false
	for {
		f, more := frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
			panicked = panicked || f.Function == "runtime.gopanic"
		case !panicked: // this function and the deferred one
		case strings.HasSuffix(f.Function, "(*event).run"):
			more = false
		default:
			names = append(names, fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line))
		}
		if !more || len(names) == maxStack {
			return strings.Join(names, ", ")
		}
	}
}
