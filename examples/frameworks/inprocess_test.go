package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/examples/trial"
	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/probe"
	"diag405/plugin/report"
)

// inProcess is a gateway in front of an application without sockets between them:
// what Kong does, the replayed answer and the diagnosis are calls. Only a probe
// goes to the application where it listens.
type inProcess struct {
	app     *application
	address string        // host:port of the application
	prober  *probe.Prober // nil: nobody asks

	last       diagnose.Exchange
	redirected redirection // of the last answer that was one
	explained  explained   // by the last diagnosis
}

// redirection is an answer that sent a client elsewhere.
type redirection struct {
	method, to string
	status     int
}

// Send implements [gateway].
func (g *inProcess) Send(_ context.Context, doc []byte, r trial.Request) (trial.Answer, error) {
	cfg, err := config.Parse(doc)
	if err != nil {
		return trial.Answer{}, err
	}
	x, err := forward(cfg, r)
	g.last = x
	if err != nil || x.Source != "" {
		return trial.Answer{Status: x.Response.Status}, err
	}
	got := g.app.answer(x.Upstream.Method, target(x.Upstream), x.Client.Header)
	if got == nil {
		return trial.Answer{Status: http.StatusNotImplemented}, nil
	}
	x.Response = diagnose.Response{Status: got.Status, Header: got.headersFor(g.address)}
	if bodyAllowed(x.Upstream.Method, got.Status) {
		x.Response.Body = []byte(got.Body)
	}
	answer := trial.Answer{Status: got.Status, Header: x.Response.Header}
	if next, ok := follow(r, answer); ok {
		g.redirected = redirection{r.Method, next.Path, got.Status}
	}
	g.last = x
	return answer, nil
}

func target(r diagnose.Request) string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

// forward is what Kong makes of a request. Where it answers itself, the exchange has
// the status and a source.
func forward(cfg *config.Config, r trial.Request) (x diagnose.Exchange, err error) {
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	x.Client = diagnose.Request{Method: r.Method, Scheme: "http", Host: "localhost:8000", Header: header}
	x.Client.Path, x.Client.Query = router.SplitTarget(r.Path)
	kong, err := forecast.Of(cfg, forecast.Request{
		Method: r.Method, Target: r.Path, Host: x.Client.Host, Scheme: "http", Header: header, Body: []byte(r.Body),
	})
	switch {
	case err != nil:
		return x, err
	case kong.Answer != nil:
		x.Source, x.Response.Status = kong.Answer.Source, kong.Answer.Status
		return x, nil
	}
	up := kong.Upstream
	x.Upstream = diagnose.Request{Method: up.Method, Scheme: up.Scheme, Host: up.Host, Path: up.Path(), Query: up.Query()}
	x.Stripped, x.Route, x.Service = up.Prefix, kong.Match.Route, kong.Service
	return x, nil
}

// Diagnosis implements [gateway]: of the last request. What Kong answers itself has
// none. Neither has what diag405 leaves unbuffered, but that is explained all the same,
// as diag405-log does.
func (g *inProcess) Diagnosis(ctx context.Context, _ trial.Answer) (*trial.Diagnosis, error) {
	x := g.last
	if x.Source != "" {
		return &trial.Diagnosis{}, nil
	}
	e := diagnose.Explain(x, g.offers(ctx, x))
	g.explained = explained{exchange: x, explanation: e}
	if strings.Contains(x.Client.Header.Get("Accept"), "text/event-stream") {
		return &trial.Diagnosis{}, nil
	}
	first := e.Fixes[0]
	d := &trial.Diagnosis{
		Cause: string(e.Cause), Certainty: string(e.Certainty), Words: first.Words,
		Route: trial.Entity{ID: x.Route.ID, Name: x.Route.Name}, Service: trial.Entity{ID: x.Service.ID, Name: x.Service.Name},
	}
	fixes := report.Record(x, e, report.Options{})["fixes"].([]any)
	return d, json.Unmarshal([]byte(fixes[0].(map[string]any)["change"].(string)), &d.Change)
}

// offers is what the plugin would know of the upstream.
func (g *inProcess) offers(ctx context.Context, x diagnose.Exchange) (seen diagnose.Offers) {
	if r := g.redirected; r.to == target(x.Client) && x.Client.Method == http.MethodGet {
		seen.Redirected = &diagnose.Redirect{Method: r.method, Status: r.status}
	}
	if g.prober != nil {
		u := probe.Upstream{Scheme: x.Upstream.Scheme, Address: g.address, Host: x.Upstream.Host}
		seen.Paths = probe.Offers(g.prober.Ask(ctx, u, probe.Question{
			Refused: x.Upstream.Line(), Status: x.Response.Status, Paths: diagnose.Candidates(x), Base: x.Service.Path,
		}))
	}
	return seen
}

// explained is an outcome with the whole diagnosis.
type explained struct {
	outcome
	exchange    diagnose.Exchange
	explanation diagnose.Diagnosis
}

// String is the outcome with all that the diagnosis has to say.
func (e explained) String() string {
	text := fmt.Sprintf("%s, %s: %s, upstream %s, Allow %q: %s\n    %s", e.app.App, e.world.World, e.exchange.Client.Line(),
		e.exchange.Upstream.Line(), e.exchange.Response.Header.Values("Allow"), e.text(), e.explanation.Reason)
	for _, fact := range e.explanation.Facts {
		text += "\n      " + fact
	}
	return text
}

// measureInProcess tries the pairs and returns those that ended in the status.
func measureInProcess(t *testing.T, list []pair, probing bool, status int) []explained {
	t.Helper()
	// An application's pairs come one after the other, and share its listener.
	byApp := map[*application][]pair{}
	for _, p := range list {
		byApp[p.app] = append(byApp[p.app], p)
	}
	groups := slices.Collect(maps.Values(byApp))
	var all []explained
	for found := range trial.SideBySide(t.Context(), len(groups), 4, func(ctx context.Context, _, i int) []explained {
		return tryInProcess(ctx, t, groups[i], probing, status)
	}) {
		all = append(all, found...)
	}
	require.NotEmpty(t, all)
	return all
}

func tryInProcess(ctx context.Context, t *testing.T, list []pair, probing bool, status int) (all []explained) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if !assert.NoError(t, err) {
		return nil
	}
	defer list[0].app.serve(l).Close()
	var prober *probe.Prober
	if probing {
		prober = probe.New(probe.Options{Timeout: 5 * time.Second, PerSecond: 10_000})
	}
	at := l.Addr().(*net.TCPAddr)
	for _, p := range list {
		g := &inProcess{app: p.app, address: at.String(), prober: prober}
		doc, err := p.world.configuration(p.app, at.IP.String(), at.Port)
		if !assert.NoError(t, err) {
			return nil
		}
		o := p.try(ctx, g, doc, status)
		assert.NoError(t, o.fail, "%s, %s", p.app.App, p.world.World)
		if o.refused {
			g.explained.outcome = o
			all = append(all, g.explained)
		}
	}
	return all
}
