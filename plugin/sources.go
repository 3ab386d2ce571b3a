package plugin

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
	"diag405/plugin/probe"
)

// sources is where an instance learns more about an upstream than its answer
// says: a probe, and the application's OpenAPI document. A nil field is a source
// that is not switched on.
type sources struct {
	prober   *probe.Prober // the process's
	scope    uint64        // of its answers: what was learned ends with the configuration under which it was
	safe     bool          // it may ask with HEAD and GET, too
	sent     func(answered bool)
	document *openapi.File
	timeout  time.Duration // for all of them together, and for the diagnosis
}

// What the process asks in a second. A 405 is at most probe.MaxRequests requests, and
// eight more where HEAD and GET are asked, too.
const (
	probesPerSecond = 10  // 405s, for each upstream address
	probesInAll     = 100 // 405s, for all upstreams together
	keptAnswers     = 8192
)

// newProber makes the Prober that all instances of a process share.
func newProber(prefix string) *probe.Prober {
	return probe.New(probe.Options{
		Timeout:   maxProbeTimeout * time.Millisecond, // each instance has its own, which is shorter
		PerSecond: probesPerSecond * probe.MaxRequests,
		InAll:     probesInAll * probe.MaxRequests,
		CacheSize: keptAnswers,
		Dial:      newKongNames(prefix).dial,
	})
}

// scopes counts the instances.
var scopes atomic.Uint64

func newSources(prober *probe.Prober, c *Config) *sources {
	s := &sources{timeout: time.Duration(c.ProbeTimeout) * time.Millisecond, scope: scopes.Add(1)}
	if c.Probe != "off" {
		s.prober, s.safe, s.sent = prober, c.Probe == "safe", c.probed()
	}
	if c.OpenAPI != "" {
		s.document = openapi.Open(c.OpenAPI)
	}
	return s
}

// deadline ends when an answer has been held back for as long as it may be, from now on.
func (s *sources) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.timeout)
}

// offers asks every source, all of them together, until a sixth of the time is left: that
// is for explaining what they say. An error is worth a line in the log, and comes beside
// what was learned.
func (s *sources) offers(ctx context.Context, x diagnose.Exchange) (seen diagnose.Offers, err error) {
	if s.prober == nil && s.document == nil {
		return seen, nil
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-s.timeout/6))
		defer cancel()
	}
	if s.prober != nil {
		seen.Paths = s.ask(ctx, x)
	}
	if s.document != nil { // which may be read meanwhile
		if seen.API, err = s.document.API(ctx); err != nil {
			err = fmt.Errorf("openapi: %w", err)
		}
	}
	return seen, err
}

// ask probes the service's own address, never one that came with a request.
func (s *sources) ask(ctx context.Context, x diagnose.Exchange) map[string]diagnose.Offer {
	marked, own := s.prober.Marked(x.Client.Header)
	if x.Service == nil || own {
		return nil
	}
	upstream := probe.Upstream{
		Scheme:  x.Upstream.Scheme,
		Address: net.JoinHostPort(x.Service.Host, strconv.Itoa(x.Service.Port)),
		Host:    x.Upstream.Host,
	}
	return probe.Offers(s.prober.Ask(ctx, upstream, probe.Question{
		Refused: x.Upstream.Line(), Status: x.Response.Status, Paths: diagnose.Candidates(x), Base: x.Service.Path, Safe: s.safe,
		Share: share(x), Marked: marked, Scope: s.scope, Sent: s.sent,
	}))
}

// share is what a client that floods has to itself: a route's paths that lie beside each
// other.
func share(x diagnose.Exchange) string {
	family := probe.Family(x.Client.Path)
	if x.Route == nil {
		return family
	}
	return x.Route.ID + family
}
