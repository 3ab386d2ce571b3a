package plugin

import (
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"diag405/plugin/diagnose"
)

// Bounds of what an instance remembers of targets. Each service has its own, so that
// one with ids in its paths takes nothing from another. Full, with two targets for each
// request, it takes 18 MiB (measured).
const (
	maxServices = 64
	maxRequests = 1024 // methods and paths of a service
	maxTargets  = 16   // of a method and path
)

// memory holds what each target of a service answered last to a method and path. What
// was not asked for longest is forgotten first.
type memory struct {
	mu       sync.Mutex
	services *simplelru.LRU[string, *answers] // by the service's id
}

// answers are those of a service's targets by request, the latest first.
type answers = simplelru.LRU[requestKey, []diagnose.TargetAnswer]

// requestKey stands for a method and a path. It is a hash since paths hold ids,
// addresses and tokens of people, which are not to be kept, and may be long.
type requestKey [sha256.Size]byte

func keyOf(l diagnose.Line) requestKey { return hashed(l.Method, l.Path) }

// note remembers who answered an exchange, and returns what is known of all
// targets for the same request.
func (m *memory) note(x diagnose.Exchange) []diagnose.TargetAnswer {
	if x.Target == "" || x.Service == nil {
		return nil
	}
	key := keyOf(x.Upstream.Line())
	m.mu.Lock()
	defer m.mu.Unlock()
	service := m.of(x.Service.ID)
	known, _ := service.Get(key)
	known = slices.DeleteFunc(known, func(a diagnose.TargetAnswer) bool { return a.Target == x.Target })
	known = slices.Insert(known, 0, diagnose.TargetAnswer{Target: x.Target, Status: x.Response.Status})
	known = known[:min(len(known), maxTargets)]
	service.Add(key, known)
	return slices.Clone(known)
}

// of is what is known of a service.
func (m *memory) of(id string) *answers {
	if m.services == nil {
		m.services = newLRU[string, *answers](maxServices)
	}
	service, ok := m.services.Get(id)
	if !ok {
		service = newLRU[requestKey, []diagnose.TargetAnswer](maxRequests)
		m.services.Add(id, service)
	}
	return service
}

func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	l, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic("bug: " + err.Error()) // a size that is not positive
	}
	return l
}
