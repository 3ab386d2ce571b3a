// Package explain is the command that says what Kong does with a request, and why
// it ends in a 405 or a 404.
package explain

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/plugin/diagnose"
)

var usage = `Usage: diag405 explain [flags] METHOD PATH
       diag405 explain [flags] -- curl ARGUMENTS
       diag405 explain -answer [flags] [METHOD PATH] < ANSWER
       diag405 explain -record [flags] < RECORDS

Says what Kong does with a request: which route matches and which nearly did, how
the upstream's path comes about, what the upstream gets, and what would break.
The request itself is not sent.

Where the configuration comes from:
  -config FILE            Kong's own, decK's, or an ingress controller's dump, YAML or
                          JSON; a folder, a URL, or - for stdin (repeatable)
` + source.Usage + `
The request (PATH may be a whole URL; a curl command is taken as it is):
  -host HOST              its Host (default localhost)
  -scheme SCHEME          http or https (default http)
  -H 'Name: value'        a header (repeatable)
  -consumer NAME          who asks, as authentication finds out: plugins may be for some

The answer, when there is one to explain:
  -status STATUS          its status, 405 or 404
  -allow METHODS          its Allow header
  -header 'Name: value'   any other header of it (repeatable)
  -answer                 read it from stdin, as curl -i or curl -v prints it; where it
                          says what was asked, METHOD PATH may be left out
  -record                 read failures from stdin: records of http-log or file-log, or
                          lines of Kong's error log with a diagnosis of diag405

What else is asked:
  -probe                  ask the upstream with OPTIONS which methods it takes there
  -openapi FILE           what the application says that it offers
  -o text|json            how to print it (default text)

Examples:
  diag405 explain -config kong.yml POST /api/sendWeather
  diag405 explain -config kong.yml -- curl -X POST http://localhost:8000/api/sendWeather -d '{}'
  curl -si -X POST http://localhost:8000/api/sendWeather | diag405 explain -answer -config kong.yml POST /api/sendWeather
  diag405 explain -admin http://localhost:8001 -status 405 -allow GET -header 'Server: uvicorn' POST /api/sendWeather
`

// Run explains one request, or what is on stdin, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args, std)
	if err != nil {
		return std.BadArguments("explain", usage, err)
	}
	defer source.LeaveGarbage()()
	ctx, stop := cli.Interruptible()
	defer stop()
	told, err := o.explain(ctx, std)
	if err != nil {
		return std.Fail("explain", err)
	}
	if err := told.print(o.form, std); err != nil {
		return std.Cannot("explain: printing: %v", err)
	}
	return cli.OK
}

// explain does what the flags say.
func (o *options) explain(ctx context.Context, std cli.Streams) (*explained, error) {
	api, err := source.API(o.openAPI)
	if err != nil {
		return nil, err
	}
	out := &explained{}
	failures, err := o.readStdin(std.In, out)
	if err != nil {
		return nil, err
	}
	var from *source.Source
	if o.isConfigured() {
		if from, err = o.source.Load(ctx, o.config, std.In, o.consumer); err != nil {
			return nil, err
		}
	}
	for _, f := range failures {
		e, err := o.explainOne(ctx, from, f, diagnose.Offers{API: api})
		if err != nil {
			return nil, err
		}
		out.list = append(out.list, e)
	}
	return out, nil
}

// readStdin reads what is to be explained; a nil failure is the request of the flags.
func (o *options) readStdin(in io.Reader, out *explained) ([]*failure, error) {
	if o.record {
		r, err := readRecords(in)
		if err != nil {
			return nil, err
		}
		if r.read > 1 {
			out.records = r
		}
		return r.failures, nil
	}
	if !o.paste {
		return []*failure{nil}, nil
	}
	p, err := readPasted(in)
	if err != nil {
		return nil, err
	}
	if o.asked.Method == "" {
		words, host := p.asked()
		if len(words) == 0 {
			return nil, errors.New("the answer does not say what was asked: want METHOD PATH")
		}
		o.host = cmp.Or(o.host, host)
		if err := o.readRequest(words); err != nil {
			return nil, err
		}
	}
	if o.answer = p.Answer; o.isConfigured() {
		return []*failure{nil}, nil
	}
	f, err := p.failure(o.asked)
	return []*failure{f}, err
}

// explainOne explains a failure, or without one the request of the flags.
func (o *options) explainOne(ctx context.Context, from *source.Source, failed *failure, seen diagnose.Offers) (*Explanation, error) {
	if from == nil {
		return failed.explain(seen.API), nil
	}
	asked := o.asked
	if failed != nil {
		asked = failed.asked
	}
	var err error
	if asked.Consumer, err = from.Asking(o.consumer); err != nil {
		return nil, err
	}
	q, err := Predict(from, asked)
	if err != nil {
		return nil, err
	}
	o.judge(ctx, q, failed, seen)
	if failed != nil {
		q.out.setTimes(failed.times)
	}
	return &q.out, nil
}

// judge adds the verdict: on the answer that is known, else on one that may come.
func (o *options) judge(ctx context.Context, q *Inquiry, failed *failure, seen diagnose.Offers) {
	x := q.exchange()
	if o.answer.Status != 0 {
		x = q.answered(o.answer)
	}
	if failed != nil {
		x = failed.within(q)
	}
	if o.probe && q.out.Upstream != nil {
		seen.Paths = q.ask(ctx, x).Paths
	}
	switch {
	case failed != nil:
		q.out.Diagnosis = q.verdict(x, diagnose.Explain(x, seen))
	case o.answer.Status != 0:
		q.diagnose(x, seen)
	case q.out.Upstream != nil:
		q.foresee(x, seen)
	}
}

// explained is all that was asked for.
type explained struct {
	list    []*Explanation
	records *records // where there were several
}

func (t *explained) print(form string, std cli.Streams) error {
	switch {
	case form == "json" && t.records != nil:
		return cli.PrintJSON(std.Out, t.list)
	case form == "json":
		return cli.PrintJSON(std.Out, t.list[0])
	}
	screen := cli.NewScreen(std.Out)
	var text strings.Builder
	if t.records != nil {
		p := &page{screen: screen}
		p.part("records", cli.Plain, "%s", t.records)
		text.WriteString(p.String())
	}
	for _, e := range t.list {
		if t.records != nil {
			text.WriteString("\n")
		}
		text.WriteString(e.text(screen))
	}
	return screen.Print(text.String())
}
