package server

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProcessors(t *testing.T) {
	for all, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 2, 8: 4, 64: 32} {
		assert.Equal(t, want, processors(all), "%d", all)
	}
}

// What the environment says stands.
func TestTune(t *testing.T) {
	procs, percent := runtime.GOMAXPROCS(0), debug.SetGCPercent(100)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs); debug.SetGCPercent(percent) })
	t.Setenv("GOMAXPROCS", "3")
	t.Setenv("GOGC", "50")
	runtime.GOMAXPROCS(3)
	Tune()
	assert.Equal(t, 3, runtime.GOMAXPROCS(0))
	assert.Equal(t, 100, debug.SetGCPercent(100))
	t.Setenv("GOMAXPROCS", "")
	t.Setenv("GOGC", "")
	runtime.GOMAXPROCS(8)
	Tune()
	assert.Equal(t, 4, runtime.GOMAXPROCS(0))
	assert.Equal(t, gcPercent, debug.SetGCPercent(100))
}
