package forecast

import (
	"fmt"

	"diag405/kong/config"
	"diag405/kong/router"
)

// A Forecaster answers for many requests to one configuration, and remembers what
// they have in common. It is for one goroutine.
type Forecaster struct {
	cfg    *config.Config
	routes *router.Router
	broken []*router.RouteError
	early  []*config.Plugin                   // global ones, in Kong's order
	some   []*config.Plugin                   // for some consumers or groups only
	runs   map[*config.Route][]*config.Plugin // whoever asks, in Kong's order
}

// New compiles a configuration. A route that cannot be compiled is left out, and named
// in Watch where it may take a request. An error is one of the configuration beyond its
// routes.
func New(cfg *config.Config) (*Forecaster, error) {
	routes, err := router.New(cfg)
	broken, err := router.Broken(err)
	if err != nil {
		return nil, fmt.Errorf("reading the routes: %w", err)
	}
	k := &Forecaster{cfg: cfg, routes: routes, broken: broken, early: config.Applying(cfg.Plugins, config.Scope{}), runs: map[*config.Route][]*config.Plugin{}}
	inOrder(k.early)
	for _, p := range cfg.Plugins {
		if p.Enabled && p.ForSome() {
			k.some = append(k.some, p)
		}
	}
	return k, nil
}

// Of is as the function of that name.
func (k *Forecaster) Of(r Request) *Forecast { return k.follow(r, false) }

// Held holds every route against a request, as [router.Router.Why] does, but for those
// that cannot be compiled. A forecast has the nearest.
func (k *Forecaster) Held(r Request) []router.Reason { return k.routes.Why(r.routed()) }

// Outcome is [Of] without what is there for people alone: the routes held against
// the request, what to know of Kong's age, and why no route matches.
func (k *Forecaster) Outcome(r Request) *Forecast { return k.follow(r, true) }

// running are the plugins that run for a request, in Kong's order.
func (k *Forecaster) running(s config.Scope) []*config.Plugin {
	anybody := s.Consumer == "" && len(s.Groups) == 0
	if known, ok := k.runs[s.Route]; ok && anybody {
		return known
	}
	list := config.Applying(k.cfg.Plugins, s)
	inOrder(list)
	if anybody {
		k.runs[s.Route] = list
	}
	return list
}
