package standin

import "strings"

// phase is a set of phases of a request.
type phase int

const (
	accessPhase phase = 1 << iota
	responsePhase
	logPhase // "log" to plugins
)

const anyPhase = accessPhase | responsePhase | logPhase

func (p phase) String() string {
	var names []string
	for _, x := range []struct {
		phase
		name string
	}{{accessPhase, "access"}, {responsePhase, "response"}, {logPhase, "log"}} {
		if p&x.phase != 0 {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ", ")
}
