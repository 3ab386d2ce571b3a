package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
)

const (
	// forgetAfter is how long an instance may be unused. Workers of Kong that crash
	// close none of theirs; one that is used after all is started again.
	forgetAfter = time.Hour
	// forgetClosedAfter is how long an instance may be unused once somebody has closed
	// it. Kong starts one again whose connection broke, and closes it only once, so
	// that the count of its users says too much.
	forgetClosedAfter = time.Minute
	// firstFreeID begins the numbers of instances that cannot have Kong's own.
	firstFreeID = 1 << 30
	// sweepEvery is how often unused instances are looked for: a Kong with thousands
	// starts them one after the other.
	sweepEvery = time.Second
	// maxConfig bounds a configuration that is decoded, in bytes.
	maxConfig = 8 << 20
)

// instance is one configuration of the plugin.
type instance struct {
	id      int32
	config  []byte // as Kong sent it
	phases  map[string]*phase
	problem problem
	started time.Time
	used    atomic.Int64 // Unix time of the last event, in seconds
	users   int          // workers of Kong that started it; guarded by instances.mu
	closed  bool         // by one of them at least; guarded by instances.mu
}

// phase is what an instance does in one of Kong's phases.
type phase struct {
	name    string
	handler func(*pdk.PDK)
	ahead   Prefetcher // nil: nothing is asked ahead
}

// newInstance decodes a configuration. One that does not decode leaves every
// default in force, and the instance says so at its first event: refusing it would
// end Kong's connection, and answer the client with 500.
func newInstance(p Plugin, config []byte) *instance {
	i := &instance{config: bytes.Clone(config), started: time.Now()}
	value := p.New()
	if err := decode(config, value); err != nil {
		value = p.New()
		i.problem.set(configProblem(err))
	}
	i.phases = phasesOf(value)
	i.used.Store(i.started.Unix())
	return i
}

// decode lays a configuration over its defaults.
func decode(config []byte, value any) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	if len(config) > maxConfig {
		return fmt.Errorf("%d bytes, more than %d", len(config), maxConfig)
	}
	return json.Unmarshal(config, value)
}

// configProblem names the field that is wrong, if the decoder knows.
func configProblem(err error) string {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		return fmt.Sprintf("config: %s: got %s, want %s; the defaults hold for every field", mismatch.Field, mismatch.Value, mismatch.Type)
	}
	return fmt.Sprintf("config: %s; the defaults hold for every field", strings.TrimPrefix(err.Error(), "json: "))
}

// problem is what is to be told in an instance's next event: only then is there a
// Kong to tell.
type problem struct{ text atomic.Pointer[string] }

func (p *problem) set(text string) { p.text.Store(&text) }

func (p *problem) tell(kong *pdk.PDK) {
	if p.text.Load() == nil { // which is cheaper
		return
	}
	if text := p.text.Swap(nil); text != nil {
		report(kong, *text)
	}
}

// handlers are go-pdk's, in its order.
var handlers = []struct {
	name string
	of   func(config any) func(*pdk.PDK)
}{
	{"certificate", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Certificate(*pdk.PDK) }); ok {
			return h.Certificate
		}
		return nil
	}},
	{"rewrite", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Rewrite(*pdk.PDK) }); ok {
			return h.Rewrite
		}
		return nil
	}},
	{"access", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Access(*pdk.PDK) }); ok {
			return h.Access
		}
		return nil
	}},
	{"response", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Response(*pdk.PDK) }); ok {
			return h.Response
		}
		return nil
	}},
	{"preread", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Preread(*pdk.PDK) }); ok {
			return h.Preread
		}
		return nil
	}},
	{"log", func(c any) func(*pdk.PDK) {
		if h, ok := c.(interface{ Log(*pdk.PDK) }); ok {
			return h.Log
		}
		return nil
	}},
}

// phasesOf binds a configuration's handlers.
func phasesOf(config any) map[string]*phase {
	out := map[string]*phase{}
	for _, h := range handlers {
		handler := h.of(config)
		if handler == nil {
			continue
		}
		ahead, _ := config.(Prefetcher)
		out[h.name] = &phase{h.name, handler, ahead}
	}
	return out
}

// instances are those that Kong has started, by their numbers.
type instances struct {
	mu    sync.RWMutex
	byID  map[int32]*instance
	free  int32     // how many numbers from firstFreeID on were given
	swept time.Time // when the unused ones were last looked for
}

// use returns an instance for an event, nil when there is none of that number.
func (all *instances) use(id int32) *instance {
	all.mu.RLock()
	i := all.byID[id]
	all.mu.RUnlock()
	if i != nil {
		i.used.Store(time.Now().Unix())
	}
	return i
}

// start starts an instance under the number that Kong gave its configuration
// (__seq__). Each worker of Kong counts for itself: when another one has this
// number in use, they share the instance if the configuration is the same, and
// this one gets a number of its own if it is not.
func (all *instances) start(p Plugin, name string, config []byte) *kong_plugin_protocol.InstanceStatus {
	var meta struct {
		Seq int32 `json:"__seq__"`
	}
	_ = decode(config, &meta) // without a number it gets one below

	all.mu.Lock()
	defer all.mu.Unlock()
	if now := time.Now(); now.Sub(all.swept) >= sweepEvery {
		all.forget(now)
	}
	i := all.byID[meta.Seq]
	if i == nil || !bytes.Equal(i.config, config) {
		taken := i != nil
		i = newInstance(p, config)
		i.id = meta.Seq
		if taken || i.id == 0 {
			i.id = all.freeID()
		}
		all.byID[i.id] = i
	}
	i.users++
	return i.status(name)
}

func (all *instances) freeID() int32 {
	for {
		id := firstFreeID + all.free
		all.free = (all.free + 1) % firstFreeID
		if all.byID[id] == nil {
			return id
		}
	}
}

// forget drops the instances that were not used for too long. It is for callers that
// hold the lock.
func (all *instances) forget(now time.Time) {
	all.swept = now
	for id, i := range all.byID {
		bound := forgetAfter
		if i.closed {
			bound = forgetClosedAfter
		}
		if i.used.Load() < now.Add(-bound).Unix() {
			delete(all.byID, id)
		}
	}
}

// status returns what go-pdk does for a running instance.
func (all *instances) status(id int32) (*kong_plugin_protocol.InstanceStatus, error) {
	all.mu.RLock()
	defer all.mu.RUnlock()
	i := all.byID[id]
	if i == nil {
		return nil, fmt.Errorf("no plugin instance %d", id)
	}
	return i.status("---"), nil
}

// close ends an instance when its last user closes it. An event that is running
// ends with it.
func (all *instances) close(id int32) (*kong_plugin_protocol.InstanceStatus, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	i := all.byID[id]
	if i == nil {
		return nil, fmt.Errorf("no plugin instance %d", id)
	}
	i.closed = true
	if i.users--; i.users <= 0 {
		delete(all.byID, id)
	}
	return i.status("---"), nil
}

func (i *instance) status(name string) *kong_plugin_protocol.InstanceStatus {
	return &kong_plugin_protocol.InstanceStatus{Name: name, InstanceId: i.id, StartedAt: i.started.Unix()}
}
