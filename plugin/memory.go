package plugin

import (
	"slices"
	"strings"
	"sync"

	"diag405/plugin/diagnose"
)

// Bounds of what is remembered of targets.
const (
	maxRemembered = 1024 // methods and paths of all services
	maxTargets    = 16   // of one method and path
)

// memory holds what each target of a service answered last to a method and path.
// It is bounded: when it is full it starts anew.
type memory struct {
	mu      sync.Mutex
	answers map[string][]diagnose.TargetAnswer
}

// note remembers who answered an exchange, and returns what is known of all
// targets for the same request.
func (m *memory) note(x diagnose.Exchange) []diagnose.TargetAnswer {
	if x.Target == "" || x.Service == nil {
		return nil
	}
	key := strings.Join([]string{x.Service.ID, x.Upstream.Method, x.Upstream.Path}, " ")
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers == nil || len(m.answers) >= maxRemembered && m.answers[key] == nil {
		m.answers = map[string][]diagnose.TargetAnswer{}
	}
	known := m.answers[key]
	i := slices.IndexFunc(known, func(a diagnose.TargetAnswer) bool { return a.Target == x.Target })
	switch {
	case i >= 0:
		known[i].Status = x.Response.Status
	case len(known) < maxTargets:
		known = append(known, diagnose.TargetAnswer{Target: x.Target, Status: x.Response.Status})
	}
	m.answers[key] = known
	return slices.Clone(known)
}
