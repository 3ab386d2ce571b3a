package server

import (
	"sync"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// watcher remembers what it is told.
type watcher struct {
	mu        sync.Mutex
	phases    []string
	instances func() int
	events    []string
	took      time.Duration
	panics    []string
}

func (w *watcher) Serving(phases []string, instances func() int) {
	w.phases, w.instances = phases, instances
}

func (w *watcher) Event(phase string, took time.Duration, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if failed {
		phase += " failed"
	}
	w.events, w.took = append(w.events, phase), w.took+took
}

func (w *watcher) Panicked(phase string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.panics = append(w.panics, phase)
}

func TestWatcherIsTold(t *testing.T) {
	w := &watcher{}
	handler := func(*pdk.PDK) {}
	scripted := script(func(kong *pdk.PDK) { handler(kong) })
	scripted.Watch = w
	p, _ := connect(t, scripted)
	assert.Equal(t, []string{"access", "response"}, w.phases)
	assert.Zero(t, w.instances())
	require.EqualValues(t, 1, started(t, p, `{"__seq__":1}`))
	require.EqualValues(t, 2, started(t, p, `{"__seq__":2}`))
	assert.Equal(t, 2, w.instances())
	_, err := p.rpc(closeCall(2))
	require.NoError(t, err)
	assert.Equal(t, 1, w.instances())

	run(t, p, &handler, func(*pdk.PDK) { time.Sleep(time.Millisecond) })
	run(t, p, &handler, func(*pdk.PDK) { panic("on demand") })
	p.raiseAt = "kong.nginx.get_var"
	handler = func(kong *pdk.PDK) { _, _ = kong.Nginx.GetVar("v") }
	require.Error(t, p.event(eventCall(1, "access")))

	require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.events) == 3 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, []string{"access", "access", "access failed"}, w.events)
	assert.GreaterOrEqual(t, w.took, time.Millisecond)
	assert.Equal(t, []string{"access"}, w.panics)
}
