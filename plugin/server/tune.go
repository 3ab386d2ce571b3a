package server

import (
	"os"
	"runtime"
	"runtime/debug"
)

// gcPercent is how much the heap may grow before it is collected, in percent of what is
// in use: there is little of that, a few MiB, and collecting it takes time from Kong
// (measured: BenchmarkProcess).
const gcPercent = 400

// Tune sets up Go's runtime for a process that serves Kong beside Kong. Kong's workers
// have a processor each, and a plugin server that uses more than it needs takes from
// them: it gets half of those that Go would use, which heeds a container's limit, and
// two where there are. GOMAXPROCS and GOGC in the environment count for more.
func Tune() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(processors(runtime.GOMAXPROCS(0)))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// processors is how many of so many a plugin server uses.
func processors(all int) int { return min(all, max(2, all/2)) }
