//go:build !linux

package diagnose

import "time"

// threadTime is how long a function takes.
func threadTime(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
