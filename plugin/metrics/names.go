package metrics

import (
	"strings"
	"sync"
)

// names are the values of a label: of the first so many that come each its own, and
// one for the rest. A configuration may have any number of routes, and each would be
// kept for as long as the process lives.
type names struct {
	mu    sync.Mutex
	known map[string]string
}

// label is what stands for a name; "" is none.
func (n *names) label(name string) string {
	if name == "" {
		return None
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if known, ok := n.known[name]; ok {
		return known
	}
	if len(n.known) >= MaxNames {
		return Others
	}
	if n.known == nil {
		n.known = map[string]string{}
	}
	value := strings.ToValidUTF8(name, "\uFFFD") // or the label is refused
	n.known[name] = value
	return value
}
