// Package explain is the command that says what Kong does with a request, and why
// it ends in a 405 or a 404.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
)

var usage = `Usage: diag405 explain [flags] METHOD PATH
       diag405 explain -record [flags] < RECORD

Says what Kong does with a request: which route matches and which nearly did, how
the upstream's path comes about, what the upstream gets, and what would break.
The request itself is not sent.

Where the configuration comes from:
  -config FILE            Kong's own, decK's, or an ingress controller's dump, YAML or
                          JSON; a folder, a URL, or - for stdin (repeatable)
` + source.Usage + `
The request (PATH may be a whole URL):
  -host HOST              its Host (default localhost)
  -scheme SCHEME          http or https (default http)
  -H 'Name: value'        a header (repeatable)
  -consumer NAME          who asks, as authentication finds out: plugins may be for some

The answer, when there is one to explain:
  -status STATUS          its status, 405 or 404
  -allow METHODS          its Allow header
  -header 'Name: value'   any other header of it (repeatable)
  -record                 read the failure from stdin: a record of http-log or file-log,
                          or a line of Kong's error log with a diagnosis of diag405

What else is asked:
  -probe                  ask the upstream with OPTIONS which methods it takes there
  -openapi FILE           what the application says that it offers
  -o text|json            how to print it (default text)

Examples:
  diag405 explain -config kong.yml POST /api/sendWeather
  diag405 explain -admin http://localhost:8001 -status 405 -allow GET -header 'Server: uvicorn' POST /api/sendWeather
`

// options are the flags.
type options struct {
	config         cli.Texts
	source         source.Flags
	host, scheme   string
	consumer       string
	requestHeaders cli.Texts
	status         int
	allow          *string // nil: the answer has no Allow
	answerHeaders  cli.Texts
	record, probe  bool
	openAPI, form  string
	asked          forecast.Request
	answer         diagnose.Response
}

// Run explains one request, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("explain", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	e, err := o.explain(ctx, std)
	if err != nil {
		return std.Fail("explain", err)
	}
	if err := o.print(e, std); err != nil {
		return std.Cannot("explain: printing: %v", err)
	}
	return cli.OK
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("explain")
	flags.Var(&o.config, "config", "")
	o.source.Add(flags)
	flags.StringVar(&o.consumer, "consumer", "", "")
	flags.StringVar(&o.host, "host", "", "")
	flags.StringVar(&o.scheme, "scheme", "", "")
	flags.Var(&o.requestHeaders, "H", "")
	flags.IntVar(&o.status, "status", 0, "")
	flags.Func("allow", "", func(s string) error { o.allow = &s; return nil })
	flags.Var(&o.answerHeaders, "header", "")
	flags.BoolVar(&o.record, "record", false, "")
	flags.BoolVar(&o.probe, "probe", false, "")
	flags.StringVar(&o.openAPI, "openapi", "", "")
	flags.StringVar(&o.form, "o", "text", "")
	words, err := cli.Parse(flags, args)
	if err != nil {
		return nil, err
	}
	if err := o.check(words); err != nil {
		return nil, err
	}
	return o, nil
}

// check checks the flags against each other, and reads what they hold.
func (o *options) check(words []string) error {
	if err := cli.TextOrJSON(o.form); err != nil {
		return err
	}
	if len(o.config) > 0 && o.source.Admin != "" {
		return errors.New("-config and -admin are two configurations; want one")
	}
	if err := o.source.Check(); err != nil {
		return err
	}
	if o.record {
		return o.checkRecord(words)
	}
	if !o.isConfigured() {
		return errors.New("want a configuration: -config FILE or -admin URL")
	}
	if err := o.readRequest(words); err != nil {
		return err
	}
	return o.readAnswer()
}

func (o *options) isConfigured() bool { return len(o.config) > 0 || o.source.Admin != "" }

// checkRecord: a record brings the request and the answer along.
func (o *options) checkRecord(words []string) error {
	switch {
	case len(words) > 0:
		return fmt.Errorf("unexpected argument %q: -record brings the request along", words[0])
	case o.status != 0 || o.allow != nil || len(o.answerHeaders) > 0:
		return errors.New("-status, -allow and -header are for an answer that is pasted: -record brings its own along")
	case slices.Contains(o.config, "-"):
		return errors.New("-record reads stdin, so the configuration cannot come from there")
	case o.probe && !o.isConfigured():
		return errors.New("-probe asks the service that a configuration names: want -config FILE or -admin URL")
	}
	return nil
}

// readRequest reads METHOD PATH and what belongs to the request.
func (o *options) readRequest(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("want METHOD PATH, got %q", words)
	}
	method, target := words[0], words[1]
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return fmt.Errorf("METHOD %q is not upper case letters, such as POST", method)
	}
	if strings.ContainsAny(target, " \t\r\n") {
		return fmt.Errorf("PATH %q has white space, which no request line can carry", target)
	}
	header, err := source.Headers("-H", o.requestHeaders)
	if err != nil {
		return err
	}
	o.asked = forecast.Request{Method: method, Target: target, Host: o.host, Scheme: o.scheme, Header: header}
	if err := readURL(&o.asked); err != nil {
		return err
	}
	o.asked.Host = cmp.Or(o.asked.Host, header.Get("Host"), "localhost")
	o.asked.Scheme = cmp.Or(o.asked.Scheme, "http")
	header.Del("Host")
	if !slices.Contains([]string{"http", "https"}, o.asked.Scheme) {
		return fmt.Errorf("-scheme %q is not http or https", o.asked.Scheme)
	}
	return nil
}

// readURL takes scheme and host out of a target that is a whole URL.
func readURL(r *forecast.Request) error {
	if strings.HasPrefix(r.Target, "/") {
		return nil
	}
	u, err := url.Parse(r.Target)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("PATH %q should start with /, or be a whole URL", r.Target)
	}
	r.Scheme, r.Host = cmp.Or(r.Scheme, u.Scheme), cmp.Or(r.Host, u.Host)
	uri, _ := router.OriginForm(r.Target)
	r.Target = "/" + strings.TrimPrefix(uri, "/") // which clients put in front of a query
	return nil
}

// readAnswer reads the answer that somebody pasted.
func (o *options) readAnswer() error {
	if o.status == 0 {
		if o.allow != nil || len(o.answerHeaders) > 0 {
			return errors.New("-allow and -header describe an answer: want its -status, too")
		}
		return nil
	}
	if !diagnose.Explains(o.status) {
		return fmt.Errorf("-status %d: diag405 explains 405 and 404", o.status)
	}
	header, err := source.Headers("-header", o.answerHeaders)
	if err != nil {
		return err
	}
	if o.allow != nil {
		header.Set("Allow", *o.allow)
	}
	o.answer = diagnose.Response{Status: o.status, Header: header}
	return nil
}

// explain does what the flags say.
func (o *options) explain(ctx context.Context, std cli.Streams) (*explanation, error) {
	api, err := o.endpoints()
	if err != nil {
		return nil, err
	}
	var failed *failure
	if o.record {
		if failed, err = readFailure(std.In); err != nil {
			return nil, err
		}
	}
	if !o.isConfigured() {
		return failed.explain(api), nil
	}
	from, err := o.source.Load(ctx, o.config, std.In, o.consumer)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		o.asked = failed.asked
	}
	if o.consumer != "" {
		if o.asked.Consumer = from.Consumer(o.consumer); o.asked.Consumer == nil {
			return nil, fmt.Errorf("-consumer %q is not among the consumers of %s", o.consumer, from.Name())
		}
	}
	q, err := predict(from, o.asked)
	if err != nil {
		return nil, err
	}
	o.judge(ctx, q, failed, diagnose.Offers{API: api})
	return &q.out, nil
}

func (o *options) endpoints() (*diagnose.API, error) {
	if o.openAPI == "" {
		return nil, nil
	}
	data, err := os.ReadFile(o.openAPI)
	if err != nil {
		return nil, err
	}
	api, err := openapi.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("-openapi %q: %w", o.openAPI, err)
	}
	return diagnose.NewAPI(api), nil
}

// judge adds the verdict: on the answer that is known, else on one that may come.
func (o *options) judge(ctx context.Context, q *inquiry, failed *failure, seen diagnose.Offers) {
	x := q.exchange()
	x.Response = o.answer
	if failed != nil {
		x = failed.within(q)
	}
	if o.probe && q.out.Upstream != nil {
		seen.Paths = q.ask(ctx, x).Paths
	}
	switch {
	case failed != nil:
		q.out.Diagnosis = q.verdict(x, diagnose.Explain(x, seen))
	case o.status != 0:
		q.diagnosePasted(x, seen)
	case q.out.Upstream != nil:
		q.foresee(x, seen)
	}
}

func (o *options) print(e *explanation, std cli.Streams) error {
	if o.form == "json" {
		return cli.PrintJSON(std.Out, e)
	}
	forms := []string{formDeclarative, formAdmin}
	switch {
	case len(o.config) > 0:
		forms = forms[:1]
	case e.Kong != nil && e.Kong.IsDBLess():
		forms = []string{formDeclarative, formPost}
	case e.Kong != nil:
		forms = forms[1:]
	}
	screen := cli.NewScreen(std.Out)
	return screen.Print(text(e, screen, forms))
}
