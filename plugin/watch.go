package plugin

import "diag405/plugin/diagnose"

// Watcher is told what the plugins find. Its methods are called by many at once, on
// the way of a client's answer: they return at once, and never panic.
type Watcher interface {
	// Explained tells of an answer that was explained.
	Explained(diagnose.Exchange, diagnose.Diagnosis)
	// Unexplained tells of one that could not be read.
	Unexplained()
	// Probed tells of a request that a probe sent, and whether it was answered.
	Probed(answered bool)
}

// Watched is a constructor, of those that [Constructor] and [LogConstructor] make,
// whose configurations tell w.
func Watched(construct func() any, w Watcher) func() any {
	return func() any {
		c := construct()
		c.(interface{ watchedBy(Watcher) }).watchedBy(w)
		return c
	}
}

func (c *Common) watchedBy(w Watcher) { c.watcher = w }

func (c *Common) explained(x diagnose.Exchange, d diagnose.Diagnosis) {
	if c.watcher != nil {
		c.watcher.Explained(x, d)
	}
}

func (c *Common) unexplained() {
	if c.watcher != nil {
		c.watcher.Unexplained()
	}
}

// probed tells of probes; nil when nobody listens.
func (c *Common) probed() func(answered bool) {
	if c.watcher == nil {
		return nil
	}
	return c.watcher.Probed
}
