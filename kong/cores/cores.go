// Package cores does what has to be done to each of many things on all processors.
package cores

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// perCore is how many spans there are for each processor: they take different times,
// and other processes may hold up one of the processors.
const perCore = 4

// Map calls f with spans of 0 to n, each with its beginning and the end behind it,
// side by side, and returns what it makes of them in their order. A span has least
// elements and more, so that a short list is one, for which f is called as it is.
// A panic in f is one of Map's.
func Map[R any](n, least int, f func(from, to int) R) []R {
	spans := min(n/max(least, 1), perCore*runtime.GOMAXPROCS(0))
	if spans < 2 {
		return []R{f(0, n)}
	}
	out := make([]R, spans)
	var next atomic.Int64
	var failed atomic.Pointer[any]
	work := func() {
		defer func() {
			if cause := recover(); cause != nil {
				failed.CompareAndSwap(nil, &cause)
			}
		}()
		for i := int(next.Add(1)) - 1; i < spans; i = int(next.Add(1)) - 1 {
			out[i] = f(n*i/spans, n*(i+1)/spans)
		}
	}
	var all sync.WaitGroup
	for range min(spans, runtime.GOMAXPROCS(0)) {
		all.Go(work)
	}
	all.Wait()
	if cause := failed.Load(); cause != nil {
		panic(*cause)
	}
	return out
}

// Each is Map for what makes nothing.
func Each(n, least int, f func(from, to int)) {
	Map(n, least, func(from, to int) struct{} {
		f(from, to)
		return struct{}{}
	})
}
