package metrics

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diag405/plugin/diagnose"
)

// Plugin counts what one plugin does. Its methods are safe for concurrent use, wait
// for nobody and do not panic.
type Plugin struct {
	metrics *Metrics
	name    string
	phases  map[string]phase

	unexplained, probes, answers prometheus.Counter
}

// phase is what is counted in one, found once so that an event looks for no label.
type phase struct {
	durations      prometheus.Observer
	failed, panics prometheus.Counter
}

// Plugin counts what the plugin of this name does. It is called once for each.
func (m *Metrics) Plugin(name string) *Plugin {
	name = strings.ToValidUTF8(name, "\uFFFD") // it may be a file's
	return &Plugin{
		metrics:     m,
		name:        name,
		phases:      map[string]phase{},
		unexplained: m.unexplained.WithLabelValues(name),
		probes:      m.probes.WithLabelValues(name),
		answers:     m.answers.WithLabelValues(name),
	}
}

// Serving is called once, before any other: the plugin has these phases, and instances
// says how many configurations of it Kong has started.
func (p *Plugin) Serving(phases []string, instances func() int) {
	m := p.metrics
	for _, ph := range phases {
		p.phases[ph] = phase{m.durations.WithLabelValues(p.name, ph), m.failed.WithLabelValues(p.name, ph), m.panics.WithLabelValues(p.name, ph)}
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "diag405_instances",
		Help:        "Configurations of the plugin that Kong has started.",
		ConstLabels: prometheus.Labels{"plugin": p.name},
	}, func() float64 { return float64(instances()) }))
}

// Event counts one that Kong sent. It failed when no reply came from Kong.
func (p *Plugin) Event(name string, took time.Duration, failed bool) {
	ph, ok := p.phases[name]
	if !ok {
		return // no plugin here has such a phase
	}
	ph.durations.Observe(took.Seconds())
	if failed {
		ph.failed.Inc()
	}
}

// Panicked counts a panic in a phase.
func (p *Plugin) Panicked(name string) {
	if ph, ok := p.phases[name]; ok {
		ph.panics.Inc()
	}
}

// Explained counts an answer that was explained.
func (p *Plugin) Explained(x diagnose.Exchange, d diagnose.Diagnosis) {
	var route, service string
	if x.Route != nil {
		route = cmp.Or(x.Route.Name, x.Route.ID)
	}
	if x.Service != nil {
		service = cmp.Or(x.Service.Name, x.Service.ID)
	}
	c, err := p.metrics.diagnoses.GetMetricWithLabelValues(p.name, strconv.Itoa(x.Response.Status), string(d.Cause), string(d.Certainty),
		p.metrics.routes.label(route), p.metrics.services.label(service))
	if err == nil { // it is: the values are as many as the labels, and UTF-8
		c.Inc()
	}
}

// Unexplained counts an answer that could not be read.
func (p *Plugin) Unexplained() { p.unexplained.Inc() }

// Probed counts a request of a probe's.
func (p *Plugin) Probed(answered bool) {
	p.probes.Inc()
	if answered {
		p.answers.Inc()
	}
}
