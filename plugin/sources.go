package plugin

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
	"diag405/plugin/probe"
)

// sources is where an instance learns more about an upstream than its answer
// says: a probe, and the application's OpenAPI document. A nil field is a source
// that is not switched on. Each instance has its own, so that what was learned
// ends with the configuration under which it was.
type sources struct {
	prober   *probe.Prober
	safe     bool // it may ask with HEAD and GET, too
	document *openapi.File
	timeout  time.Duration
}

// probesPerSecond is for how many 405s of a second an instance may ask: each is at
// most probe.MaxRequests requests, and eight more where HEAD and GET are asked, too.
const probesPerSecond = 10

func newSources(prefix string, c *Config) *sources {
	s := &sources{timeout: time.Duration(c.ProbeTimeout) * time.Millisecond}
	if c.Probe != "off" {
		s.safe = c.Probe == "safe"
		s.prober = probe.New(probe.Options{
			Timeout:   s.timeout,
			PerSecond: probesPerSecond * probe.MaxRequests,
			Dial:      kongNames{prefix}.dial,
		})
	}
	if c.OpenAPI != "" {
		s.document = openapi.NewFile(c.OpenAPI)
	}
	return s
}

// offers asks every source. An error is worth a line in the log, and comes beside
// what was learned.
func (s *sources) offers(x diagnose.Exchange) (seen diagnose.Offers, err error) {
	if s.document != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		defer cancel()
		seen.API, err = s.document.API(ctx)
		if err != nil {
			err = fmt.Errorf("openapi: %w", err)
		}
	}
	if s.prober != nil && !probe.IsProbe(x.Client.Header) {
		seen.Paths = s.ask(x)
	}
	return seen, err
}

// ask probes the service's own address, never one that came with a request.
func (s *sources) ask(x diagnose.Exchange) map[string]diagnose.Offer {
	if x.Service == nil {
		return nil
	}
	upstream := probe.Upstream{
		Scheme:  x.Upstream.Scheme,
		Address: net.JoinHostPort(x.Service.Host, strconv.Itoa(x.Service.Port)),
		Host:    x.Upstream.Host,
	}
	return probe.Offers(s.prober.Ask(context.Background(), upstream, probe.Question{
		Refused: x.Upstream.Line(), Status: x.Response.Status, Paths: diagnose.Candidates(x), Base: x.Service.Path, Safe: s.safe,
	}))
}
