package standin

import "strings"

// phase is a set of phases of a request.
type phase int

const (
	access phase = 1 << iota
	response
	logging // "log" to plugins
)

const anyPhase = access | response | logging

func (p phase) String() string {
	var names []string
	for _, x := range []struct {
		phase
		name string
	}{{access, "access"}, {response, "response"}, {logging, "log"}} {
		if p&x.phase != 0 {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ", ")
}
