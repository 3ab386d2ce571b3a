package explain

import (
	"cmp"
	"fmt"

	"diag405/kong/forecast"
	"diag405/plugin/diagnose"
	"diag405/plugin/logread"
	"diag405/plugin/record"
)

// failure is a request that failed, as a log or its client has it.
type failure struct {
	asked    forecast.Request
	exchange diagnose.Exchange
	// told is the diagnosis in a line of the error log or in the answer's headers. They
	// name the route but not its paths, so that without the configuration it cannot be
	// made again.
	told   *Verdict
	pasted bool // it is an answer, which does not name the route
	times  int  // how often it was read
}

// lineFailure reads a diagnosis in the error log.
func lineFailure(e logread.Entry) (*failure, error) {
	x, err := e.Exchange()
	if err != nil {
		return nil, fmt.Errorf("the line's diagnosis is cut short: %w", err)
	}
	told := &Verdict{Cause: e.Fields["cause"], Certainty: e.Fields["certainty"], Reason: e.Fields["reason"]}
	if allow, ok := e.Fields["allow"]; ok {
		told.Allow = &allow
	}
	fix := fixData{Words: e.Fields["fix"]}
	if change, err := e.Change(); err == nil {
		fix.Set, _ = change["set"].(map[string]any)
		fix.Client, _ = change["client"].(map[string]any)
	}
	fix.Forms = formsOf(nil, x, diagnose.Fix{Set: fix.Set})
	told.Fixes = []fixData{fix}
	return &failure{asked: logread.Asked(x.Client), exchange: x, told: told, times: e.Times()}, nil
}

// explain explains the failure from the log alone.
func (f *failure) explain(api *diagnose.API) *Explanation {
	x := f.exchange
	e := &Explanation{
		Request: requestOf(f.asked), Upstream: loggedUpstream(x), forms: []string{formDeclarative, formAdmin},
	}
	e.setTimes(f.times)
	if x.Route != nil {
		e.Route = &entityData{x.Route.Name, x.Route.ID}
	}
	if x.Service != nil {
		e.Service = &entityData{x.Service.Name, x.Service.ID}
	}
	if x.Source == "exit" || x.Source == "error" {
		e.Answer = &answerData{Status: x.Response.Status, By: "Kong", Words: "the record says that the answer is not the upstream's"}
		e.Upstream = nil
	}
	if f.pasted {
		e.unrouted, e.Diagnosis = true, f.told
		return e
	}
	if f.told != nil {
		e.Path = []forecast.Term{{Term: forecast.TermClient, Path: x.Client.Path, Words: "the client's path"}}
		if x.Stripped != "" {
			e.Path = append(e.Path, forecast.Term{Term: forecast.TermStripped, Path: x.Stripped, Words: "strip_path"})
		}
		e.Path = append(e.Path, forecast.Term{Term: forecast.TermUpstream, Path: x.Upstream.Path, Words: "what the upstream got"})
		e.Diagnosis = f.told
		return e
	}
	if x.Route != nil && e.Upstream != nil {
		e.Path = loggedPath(x)
	}
	e.Diagnosis = newVerdict(nil, x, diagnose.Explain(x, diagnose.Offers{API: api}))
	return e
}

func loggedUpstream(x diagnose.Exchange) *forecast.Upstream {
	u := &forecast.Upstream{
		Method: x.Upstream.Method, URI: x.Upstream.Path, Scheme: x.Upstream.Scheme, Host: x.Upstream.Host,
		Address: cmp.Or(x.Target, x.Upstream.Host), Prefix: x.Stripped, ForwardedPath: x.Client.Path,
	}
	if x.Upstream.Query != "" {
		u.URI += "?" + x.Upstream.Query
	}
	return u
}

// loggedPath is the arithmetic that a record's own route and service give.
func loggedPath(x diagnose.Exchange) []forecast.Term {
	m := record.Match(x)
	terms := forecast.Arithmetic(m)
	if got := x.Upstream.Path; got != m.UpstreamPath {
		terms = append(terms, forecast.Term{Term: forecast.TermPlugin, Path: got, Words: "what the upstream got: a plugin replaced it"})
	}
	return terms
}

// within is the failure with what a configuration knows of its route. Where that
// sends the request another way than the log says, the log counts, and it is said.
func (f *failure) within(q *Inquiry) diagnose.Exchange {
	x, found := diagnose.Within(f.exchange, q.cfg.Routes)
	switch {
	case q.out.Upstream == nil:
		q.watch("with this configuration the upstream does not get the request any more; the log has " + x.Upstream.Line().String())
	case lineOf(q.out.Upstream) != x.Upstream.Line():
		q.watch("this configuration sends " + lineOf(q.out.Upstream).String() + ", and the log has " + x.Upstream.Line().String() +
			": it has changed since, or a plugin did it")
	}
	if p := q.kong.Buffered; p != nil && x.Buffered {
		x.BufferedBy = p.Name
	}
	if !found && x.Route.ID == "" {
		q.watch("route " + x.Route.Name + " of the log is not in this configuration")
		x.Route, x.Service = nil, nil
	}
	return x
}
