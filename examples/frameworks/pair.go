package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"diag405/examples/trial"
	"diag405/kong/config"
)

// pair is an application behind a set-up.
type pair struct {
	app   *application
	world *world
}

// pairs are all applications behind all set-ups.
func pairs(apps []*application, worlds []*world) []pair {
	var list []pair
	for _, a := range apps {
		for _, w := range worlds {
			list = append(list, pair{a, w})
		}
	}
	return list
}

// outcome is what became of a pair.
type outcome struct {
	pair
	fail      error           // why it could not be tried
	refused   bool            // the request ended in the status that is explained
	diagnosis trial.Diagnosis // without a cause: it was left unbuffered
	fix       fixOutcome
}

// fixOutcome is what became of the suggested fix.
type fixOutcome struct {
	tried  bool  // it is one of the gateway's configuration or of the request
	fail   error // why it could not be made
	status int   // of the second answer
}

// works reports whether the fix led to an answer of a handler.
func (f fixOutcome) works() bool { return f.tried && f.fail == nil && handled(f.status) }

// gateway is what pairs are tried on.
type gateway interface {
	// Send sends a request with a configuration in force.
	Send(ctx context.Context, doc []byte, r trial.Request) (trial.Answer, error)
	// Diagnosis is what was said about the request that got an answer.
	Diagnosis(ctx context.Context, a trial.Answer) (*trial.Diagnosis, error)
}

// try sends the request of a set-up to an application through a gateway with a
// configuration. Where it ends in the given status, it reads the diagnosis, makes the
// change that this suggests and sends the request again.
func (p pair) try(ctx context.Context, g gateway, doc []byte, status int) outcome {
	o := outcome{pair: p}
	r, got, err := p.ask(ctx, g, doc)
	if err != nil {
		o.fail = err
		return o
	}
	if got.Status != status {
		return o
	}
	o.refused = true
	d, err := g.Diagnosis(ctx, got)
	if err != nil {
		o.fail = fmt.Errorf("reading the diagnosis: %w", err)
		return o
	}
	o.diagnosis = *d
	if o.fix, err = tryFix(ctx, g, doc, r, d); err != nil {
		o.fail = fmt.Errorf("trying the fix: %w", err)
	}
	return o
}

// ask sends the request to explain and returns it with its answer: the set-up's own
// request, or the one that the client makes of a redirect. An answer without a status
// means that there was none to follow.
func (p pair) ask(ctx context.Context, g gateway, doc []byte) (trial.Request, trial.Answer, error) {
	r := p.world.requestTo(p.app)
	got, err := g.Send(ctx, doc, r)
	if err != nil || p.world.Follow == "" {
		return r, got, err
	}
	next, ok := follow(r, got)
	if !ok {
		return r, trial.Answer{}, nil
	}
	got, err = g.Send(ctx, doc, next)
	return next, got, err
}

// follow is the request that a client makes of a redirect whose method it changes, as
// most do (RFC 9110 sections 15.4.2 to 15.4.4): GET with the same headers, through the
// same gateway whatever host the Location names.
func follow(r trial.Request, got trial.Answer) (next trial.Request, ok bool) {
	location := got.Header.Get("Location")
	if location == "" || !slices.Contains([]int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther}, got.Status) {
		return r, false
	}
	from, err := url.ParseRequestURI(r.Path)
	if err != nil {
		return r, false
	}
	to, err := from.Parse(location)
	if err != nil {
		return r, false
	}
	r.Method, r.Path, r.Body = http.MethodGet, to.RequestURI(), ""
	return r, true
}

// tryFix makes the change that a diagnosis suggests and sends the request again. Its
// error says why the pair could not be tried to its end: a change that cannot be made
// is a fix that fails.
func tryFix(ctx context.Context, g gateway, doc []byte, r trial.Request, d *trial.Diagnosis) (fixOutcome, error) {
	if len(d.Change.Set) == 0 && len(d.Change.Client) == 0 {
		return fixOutcome{}, nil
	}
	doc, r, err := d.Apply(doc, r)
	if err == nil {
		_, err = config.Parse(doc)
	}
	if err != nil {
		return fixOutcome{tried: true, fail: err}, nil
	}
	got, err := g.Send(ctx, doc, r)
	if err != nil && ctx.Err() != nil {
		return fixOutcome{}, errors.Join(err, ctx.Err())
	}
	return fixOutcome{tried: true, fail: err, status: got.Status}, nil
}
