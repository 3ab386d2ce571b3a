package plugin

import "sync"

// problems holds what was wrong with an instance's configuration until the first
// request comes: only then is there a Kong to tell.
type problems struct {
	once sync.Once
	err  error
}

// tell hands the problems to say, the first time only.
func (p *problems) tell(say func(error)) {
	if p == nil || p.err == nil {
		return
	}
	p.once.Do(func() { say(p.err) })
}
