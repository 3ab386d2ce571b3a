package server

import "time"

// Watcher is told what a server does. Event and Panicked are called by many at once,
// and Kong waits: they return at once, and never panic.
type Watcher interface {
	// Serving is called once, before any other, with the phases that the plugin has and
	// with what counts the configurations that Kong has started.
	Serving(phases []string, instances func() int)
	// Event tells of an event that came to its end, and how long it took. It failed
	// when a reply that the handler waited for did not come, or its end could not be
	// told to Kong.
	Event(phase string, took time.Duration, failed bool)
	// Panicked tells of a panic in a phase, beside its event.
	Panicked(phase string)
}

// watched handles an event, and tells whoever watches.
func (s *session) watched(i *instance, p *phase, sequence uint64) error {
	w := s.server.plugin.Watch
	if w == nil {
		return s.handle(i, p, sequence)
	}
	began := time.Now()
	err := s.handle(i, p, sequence)
	w.Event(p.name, time.Since(began), err != nil)
	return err
}

func (s *server) panicked(p *phase) {
	if w := s.plugin.Watch; w != nil {
		w.Panicked(p.name)
	}
}

func (all *instances) count() int {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return len(all.byID)
}
