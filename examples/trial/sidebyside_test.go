package trial

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tasks come out in their order whoever is done first, and a worker has one at a time.
func TestSideBySide(t *testing.T) {
	const tasks, workers = 50, 3
	var busy [workers]atomic.Bool
	second := make(chan struct{})
	got := slices.Collect(SideBySide(t.Context(), tasks, workers, func(_ context.Context, worker, task int) int {
		assert.True(t, busy[worker].CompareAndSwap(false, true), "worker %d has two tasks", worker)
		defer busy[worker].Store(false)
		switch task {
		case 0:
			<-second
		case 1:
			close(second)
		}
		return task
	}))
	require.Len(t, got, tasks)
	assert.True(t, slices.IsSorted(got))
	assert.Empty(t, slices.Collect(SideBySide(t.Context(), 0, workers, func(context.Context, int, int) int { return 1 })))
}

// Who stops looking ends what is under way, and nothing runs on behind it.
func TestSideBySideIsLeft(t *testing.T) {
	var running atomic.Int32
	for first := range SideBySide(t.Context(), 20, 4, func(ctx context.Context, _, task int) error {
		running.Add(1)
		defer running.Add(-1)
		if task == 0 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}) {
		assert.NoError(t, first)
		break
	}
	assert.Zero(t, running.Load())
}
