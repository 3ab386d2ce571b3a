// Package metrics counts what the plugins do, and shows it to Prometheus.
//
//	m := metrics.New("0.1.0")
//	p := m.Plugin("diag405") // is told what happens, as a server.Watcher and a plugin.Watcher
//	http.Handle("/metrics", m.Handler())
//
// What a label may say is bounded: causes, certainties, statuses and phases are few, and
// of routes and services the first [MaxNames] that had an answer to explain are told by
// name.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// MaxNames is how many routes, and how many services, are told by name.
	MaxNames = 100
	// Others is what all further ones are called, and None an answer's that has none.
	// No entity of Kong's has a name with parentheses (utf8_name in
	// kong/db/schema/typedefs.lua).
	Others = "(others)"
	None   = "(none)"
)

const (
	// maxScrapes is how many are answered at once, and scrapeTimeout for how long.
	maxScrapes    = 4
	scrapeTimeout = 5 * time.Second
)

// seconds are the upper bounds of the durations that are told apart. An event takes
// some 100 microseconds, an answer that waits for a probe up to probe_timeout, which is
// at most 5 s.
var seconds = []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}

// Metrics are those of one process, whichever plugins it serves.
type Metrics struct {
	registry         *prometheus.Registry
	routes, services names

	diagnoses   *prometheus.CounterVec
	unexplained *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	failed      *prometheus.CounterVec
	panics      *prometheus.CounterVec
	probes      *prometheus.CounterVec
	answers     *prometheus.CounterVec
}

// New makes the metrics of a process, of which nothing has happened yet. Version is
// that of diag405.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		diagnoses: counter("diagnoses_total", "Answers that were explained.",
			"plugin", "status", "cause", "certainty", "route", "service"),
		unexplained: counter("unexplained_total", "Answers, or requests, that could not be read and so were not explained.", "plugin"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "diag405_event_duration_seconds",
			Help:    "How long the events took that Kong sent, with what Kong was asked in them.",
			Buckets: seconds,
		}, []string{"plugin", "phase"}),
		failed:  counter("failed_replies_total", "Events that ended because no reply came from Kong, or none could be read.", "plugin", "phase"),
		panics:  counter("panics_total", "Panics in a phase, each of which ended the phase and not the request.", "plugin", "phase"),
		probes:  counter("probe_requests_total", "Requests that a probe sent to an upstream.", "plugin"),
		answers: counter("probe_answers_total", "Of the requests that a probe sent, those that were answered.", "plugin"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "diag405_build_info", Help: "The version of diag405; the value is 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.diagnoses, m.unexplained, m.durations, m.failed, m.panics, m.probes, m.answers, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diag405_" + name, Help: help}, labels)
}

// Handler answers a scrape, in the format that the client asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes,
		Timeout:             scrapeTimeout,
		EnableOpenMetrics:   true,
	})
}
