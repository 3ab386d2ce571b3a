package trial

import (
	"context"
	"iter"
	"sync"
)

// SideBySide does the tasks from 0 to n-1, as many at once as there are workers,
// and yields what came of each, in their order. do gets the number of the worker, of
// whom each does one task at a time. Who stops ranging ends the context of what is
// under way, and waits for it.
func SideBySide[T any](ctx context.Context, n, workers int, do func(ctx context.Context, worker, task int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var working sync.WaitGroup
		defer working.Wait()
		defer cancel()
		next := make(chan int, n)
		done := make([]chan T, n)
		for i := range done {
			done[i] = make(chan T, 1)
			next <- i
		}
		close(next)
		for worker := range min(workers, n) {
			working.Go(func() {
				for task := range next {
					done[task] <- do(ctx, worker, task)
				}
			})
		}
		for _, d := range done {
			if !yield(<-d) {
				return
			}
		}
	}
}
