package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"diag405/cmd/diag405/source"
	"diag405/kong/adminapi"
	"diag405/kong/config"
	"diag405/plugin"
)

// configuration is what was read at the start, or when the page asked to read again.
// It is never changed: a page with changes has a copy made for each question.
type configuration struct {
	load func(ctx context.Context, consumer string) (*source.Source, error)

	mu   sync.Mutex
	base *source.Source
	last []step // the copies that were asked for last
}

// step is a copy with one change more than the step before.
type step struct {
	change string // as JSON
	with   *source.Source
}

func newConfiguration(load func(ctx context.Context, consumer string) (*source.Source, error)) *configuration {
	return &configuration{load: load}
}

// read reads the configuration where it comes from. When that fails, the one that was
// read before stays.
func (c *configuration) read(ctx context.Context) error {
	from, err := c.load(ctx, "")
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.last = from, nil
	return nil
}

// change is what the page sets on a route and its service, as a diagnosis or a finding
// names it.
type change struct {
	RouteID     string         `json:"route_id,omitempty"`
	RouteName   string         `json:"route_name,omitempty"`
	ServiceID   string         `json:"service_id,omitempty"`
	ServiceName string         `json:"service_name,omitempty"`
	Set         map[string]any `json:"set"`
}

// maxChanges bounds what a page lays on its copy.
const maxChanges = 20

// copies are the configuration as it was read, and with each of a page's changes more;
// the last one has them all.
func (c *configuration) copies(changes []change) ([]*source.Source, error) {
	if c == nil {
		return nil, errors.New("diag405 ui was started without a configuration: want -config FILE or -admin URL")
	}
	if len(changes) > maxChanges {
		return nil, fmt.Errorf("a page may have %d changes, and this one has %d", maxChanges, len(changes))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	copies := []*source.Source{c.base}
	for i, one := range changes {
		next, err := c.step(i, copies[i], one)
		if err != nil {
			return nil, err
		}
		copies = append(copies, next)
	}
	return copies, nil
}

// step is one change more, made anew where it is another than last time.
func (c *configuration) step(i int, from *source.Source, one change) (*source.Source, error) {
	key, err := json.Marshal(one)
	if err != nil {
		return nil, err
	}
	if i < len(c.last) && c.last[i].change == string(key) {
		return c.last[i].with, nil
	}
	from, err = from.With(changesOf([]change{one})...)
	if err != nil {
		return nil, fmt.Errorf("the change cannot be made: %w", err)
	}
	c.last = append(c.last[:i], step{string(key), from})
	return from, nil
}

func changesOf(changes []change) []config.Change {
	var out []config.Change
	for _, one := range changes {
		out = append(out, config.Change{
			RouteID: one.RouteID, RouteName: one.RouteName,
			ServiceID: one.ServiceID, ServiceName: one.ServiceName, Set: one.Set,
		})
	}
	return out
}

// withConsumer also has the groups of who asks: an Admin API is asked for those of one
// consumer at a time.
func (c *configuration) withConsumer(ctx context.Context, from *source.Source, changes []change, name string) (*source.Source, error) {
	if name == "" || from.Kong == nil || from.Consumer(name) != nil {
		return from, nil
	}
	known, err := c.load(ctx, name)
	if err != nil {
		return nil, err
	}
	return known.With(changesOf(changes)...)
}

// about is what the page shows at its top.
type about struct {
	Version       string      `json:"version"`
	Configuration *configured `json:"configuration,omitempty"`
	Log           []string    `json:"log,omitempty"` // the files that are followed
}

type configured struct {
	Name      string         `json:"name"`
	Kong      *adminapi.Kong `json:"kong,omitempty"`
	Flavor    config.Flavor  `json:"flavor"`
	Routes    int            `json:"routes"`
	Services  int            `json:"services"`
	Consumers []string       `json:"consumers,omitempty"` // the first of them by name
}

// maxConsumers bounds those that the page offers; another can be typed.
const maxConsumers = 200

func (p *page) about(*http.Request, struct{}) (about, error) {
	a := about{Version: plugin.Version}
	if p.log != nil {
		a.Log = p.log.files
	}
	if p.configuration == nil {
		return a, nil
	}
	copies, err := p.configuration.copies(nil)
	if err != nil {
		return a, err
	}
	from := copies[0]
	a.Configuration = &configured{Name: from.Name(), Kong: from.Kong, Flavor: from.Flavor, Routes: len(from.Routes), Services: len(from.Services)}
	for _, c := range from.Consumers[:min(len(from.Consumers), maxConsumers)] {
		a.Configuration.Consumers = append(a.Configuration.Consumers, c.Name())
	}
	return a, nil
}

// readAgain reads the configuration anew, which its owner may have changed.
func (p *page) readAgain(r *http.Request, _ struct{}) (about, error) {
	if p.configuration == nil {
		return about{}, errors.New("there is no configuration to read")
	}
	if err := p.configuration.read(r.Context()); err != nil {
		return about{}, err
	}
	return p.about(r, struct{}{})
}
