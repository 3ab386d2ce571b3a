package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"diag405/examples/trial"
	"diag405/kong/config"
)

// outcome is what became of a case.
type outcome struct {
	id        string
	c         *Case
	fail      error        // why it could not be run
	answer    trial.Answer // the one that is explained
	differs   []string     // what is not as the case says, diagnosis apart
	diagnosis trial.Diagnosis
	fix       fixOutcome
}

// fixOutcome is what became of the suggested fix.
type fixOutcome struct {
	fail   error // why it was not tried
	status int   // of the second answer; 0: not tried
}

// works reports whether the request went through with the fix.
func (f fixOutcome) works() bool { return f.status > 0 && f.status < 400 }

// causeRight reports whether the diagnosis names a cause that is right.
func (o outcome) causeRight() bool {
	return o.c != nil && o.diagnosis.Cause != "" &&
		(o.diagnosis.Cause == o.c.Expect.Cause || slices.Contains(o.c.Expect.Accept, o.diagnosis.Cause))
}

// run runs a case in the world: its applications, its request, the diagnosis, and
// the request again with the fix.
func (w *world) run(ctx context.Context, c *Case) outcome {
	o := outcome{id: c.ID, c: c}
	a, err := w.prepare(c)
	if err != nil {
		o.fail = err
		return o
	}
	defer a.stage.stop()
	o.fail = a.run(ctx, &o)
	return o
}

// attempt is a case under way.
type attempt struct {
	*world
	c      *Case
	stage  *stage
	record string // file-log's file
	doc    []byte // the configuration
}

// prepare starts the applications of a case and makes its configuration ready.
func (w *world) prepare(c *Case) (*attempt, error) {
	dir, err := os.MkdirTemp(w.dir, "case-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the case: %w", err)
	}
	a := &attempt{world: w, c: c, record: filepath.Join(dir, "record")}
	settings, err := a.settings(filepath.Join(dir, "openapi.json"))
	if err != nil {
		return nil, err
	}
	if a.stage, err = startApps(c, w.hosts); err != nil {
		return nil, err
	}
	if err := a.configure(settings); err != nil {
		a.stage.stop()
		return nil, err
	}
	return a, nil
}

// settings are the plugin's: its defaults, and what is switched on. What it leaves
// unbuffered (event streams, upgrades, methods that Kong's buffered hop does not know)
// the second plugin explains.
func (a *attempt) settings(openAPI string) (map[string]any, error) {
	s := map[string]any{}
	if a.Probe {
		// How much is found must not depend on how busy the machine is.
		s["probe"], s["probe_timeout"] = "options", 5000
	}
	if a.openAPI {
		s["openapi"] = openAPI
		if err := os.WriteFile(openAPI, a.c.openAPI(), 0o644); err != nil {
			return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
		}
	}
	return s, nil
}

// logSettings are those of the second plugin, which has fewer.
func logSettings(settings map[string]any) map[string]any {
	out := map[string]any{"log_requests": "none"}
	if file, ok := settings["openapi"]; ok {
		out["openapi"] = file
	}
	return out
}

// configure makes the configuration to load.
func (a *attempt) configure(settings map[string]any) error {
	doc, err := newDocument(a.c.Kong)
	if err != nil {
		return err
	}
	doc.identify()
	doc.move(a.stage.moved)
	doc.addPlugin("diag405", settings)
	doc.addPlugin("diag405-log", logSettings(settings))
	doc.addPlugin("file-log", map[string]any{"path": a.record, "reopen": true})
	a.doc = doc.bytes()
	return nil
}

// exchanged is an answer, and what reached an application for it.
type exchanged struct {
	trial.Answer
	upstream *received // nil: nothing did
	earlier  []string  // ids of the requests before it that were the same, and refused
}

// send sends a request through the gateway with a configuration in force.
func (a *attempt) send(ctx context.Context, doc []byte, r trial.Request) (exchanged, error) {
	mark := a.stage.journal.mark()
	got, err := a.gateway.Send(ctx, doc, r)
	if err != nil {
		return exchanged{}, err
	}
	x := exchanged{Answer: got}
	if reached := a.stage.journal.since(mark); len(reached) > 0 {
		x.upstream = &reached[0] // a probe would come behind
	}
	return x, nil
}

// run does what the client did, and then what the diagnosis says. Its error says
// why the case could not be run.
func (a *attempt) run(ctx context.Context, o *outcome) error {
	for _, b := range a.c.Before {
		if _, err := a.send(ctx, a.doc, b.Request); err != nil {
			return fmt.Errorf("an earlier request: %w", err)
		}
	}
	x, err := a.sendUntilRefused(ctx)
	if err != nil {
		return err
	}
	if x.Status != a.c.Expect.Status {
		return fmt.Errorf("answered %d, not %d: there is nothing to explain", x.Status, a.c.Expect.Status)
	}
	o.answer, o.differs = x.Answer, a.c.Expect.compare(x)
	d, err := trial.FindDiagnosis(ctx, x.Answer, a.record, a.gateway.Errors, x.earlier...)
	if err != nil {
		return err
	}
	o.diagnosis = *d
	o.fix, err = a.try(ctx, d)
	return err
}

// sendUntilRefused sends the case's request. Where a service has several targets,
// only some of which may refuse, it is sent as often as all of them take to answer,
// and the last refusal counts.
func (a *attempt) sendUntilRefused(ctx context.Context) (exchanged, error) {
	var refused *exchanged
	var earlier []string
	for left := a.c.rounds(); ; left-- {
		x, err := a.send(ctx, a.doc, a.c.Request)
		if err != nil {
			return x, err
		}
		if x.Status == a.c.Expect.Status {
			x.earlier = slices.Clone(earlier)
			earlier = append(earlier, x.Header.Get("X-Kong-Request-Id"))
			refused = &x
		}
		switch {
		case left > 1:
		case refused != nil:
			return *refused, nil
		default:
			return x, nil
		}
	}
}

// rounds is how often to send the case's request to reach every target behind its
// service: twice around the balancer's wheel, in which a target stands as often as
// its weight says.
func (c *Case) rounds() int {
	cfg, service := c.destination()
	if service == nil {
		return 1
	}
	weights, divisor := 0, 0
	for _, u := range cfg.Upstreams {
		if u.Name != service.Host || len(u.Targets) < 2 {
			continue
		}
		for _, t := range u.Targets {
			weights += t.Weight
			divisor = gcd(divisor, t.Weight)
		}
	}
	if divisor == 0 {
		return 1
	}
	return min(2*weights/divisor, 200)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// compare says what of an exchange is not as expected.
func (e Expect) compare(x exchanged) []string {
	var list []string
	want, got := "none", "none"
	if e.Allow != nil {
		want = fmt.Sprintf("%q", *e.Allow)
	}
	allow, sent := x.Header["Allow"]
	if sent {
		got = fmt.Sprintf("%q", strings.Join(allow, ", "))
	}
	if sent != (e.Allow != nil) || sent && !slices.Equal(methodSet(strings.Join(allow, ",")), methodSet(*e.Allow)) {
		list = append(list, fmt.Sprintf("Allow %s, not %s", got, want))
	}
	want, got = "nothing", "nothing"
	if e.Upstream != nil {
		want = *e.Upstream
	}
	if x.upstream != nil {
		got = x.upstream.line()
	}
	if got != want {
		list = append(list, fmt.Sprintf("upstream got %s, not %s", got, want))
	}
	return list
}

// methodSet is an Allow header as a set.
func methodSet(allow string) []string {
	list := strings.FieldsFunc(allow, func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(list)
	return slices.Compact(list)
}

// try applies the suggested fix and sends the request again: once, or where there
// are several targets often enough for each; the worst answer counts. Its error
// says why the case could not be run to its end.
func (a *attempt) try(ctx context.Context, d *trial.Diagnosis) (fixOutcome, error) {
	doc, r, err := d.Apply(a.doc, a.c.Request)
	if err != nil {
		return fixOutcome{fail: err}, nil
	}
	if _, err := config.Parse(doc); err != nil {
		return fixOutcome{fail: err}, nil
	}
	var out fixOutcome
	for range a.c.rounds() {
		x, err := a.send(ctx, doc, r)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			return fixOutcome{fail: err}, nil // a gateway that refuses the change, say
		}
		out.status = max(out.status, x.Status)
	}
	return out, nil
}
