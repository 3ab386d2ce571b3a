// Package diff is the command that says what a change of configuration does to requests.
package diff

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/kong/config"
	"diag405/kong/diff"
)

var usage = `Usage: diag405 diff [flags] OLD NEW
       diag405 diff [flags] -admin ADDRESS NEW

Says what a change of Kong's configuration does to requests: which now take another
route, reach another upstream, path, method or Host there, or none at all, each with a
request to show it. docs/diff.md explains how it knows. OLD and NEW are each a file in
Kong's, decK's or an ingress controller's form, a folder, a URL, or - for stdin; with
-admin the running Kong is the old one.

` + source.Usage + `
  -traffic LOG           also ask with every request of a log: Kong's access log, or the
                         records of http-log or file-log; may be gzipped; repeatable
  -host HOST             the Host of requests whose line in the log does not say it
                         (default localhost)
  -allow KIND|ROUTE|KIND:ROUTE
                         a change that is meant, in one kind, of one route before or
                         after, or both; repeatable
  -o FORMAT              text, json or markdown, as for a comment (default text)

Kinds, the gravest first: unreached, reached, answer, upstream, path, method, host,
query, plugin, route.

Exit code: 0 nothing changes but what is allowed, 1 something does, 2 it cannot run.

Examples:
  git show main:kong.yml | diag405 diff - kong.yml
  diag405 diff -admin localhost:8001 kong.yml -traffic access.log -allow route
`

// options are the flags.
type options struct {
	source  source.Flags
	names   []string
	traffic cli.Texts
	host    string
	allow   []diff.Allow
	format  string
}

// result is everything that is shown.
type result struct {
	*diff.Report
	old, new *source.Source
	notes    []string
	hosts    bool // routes ask for a Host
}

// Run compares two configurations, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("diff", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	r, err := o.run(ctx, std.In)
	if err != nil {
		return std.Fail("diff", err)
	}
	if err := formats[o.format](r, cli.NewScreen(std.Out)); err != nil {
		return std.Cannot("diff: writing the changes: %v", err)
	}
	if r.Unmeant() {
		return cli.Failed
	}
	return cli.OK
}

// formats are what -o takes.
var formats = map[string]func(*result, *cli.Screen) error{
	"text":     printText,
	"json":     printJSON,
	"markdown": printMarkdown,
}

// parse reads flags before and behind the files.
func parse(args []string) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("diff")
	o.source.Add(flags)
	flags.Var(&o.traffic, "traffic", "")
	flags.StringVar(&o.host, "host", "localhost", "")
	flags.StringVar(&o.format, "o", "text", "")
	flags.Func("allow", "", func(s string) error {
		a, err := diff.ParseAllow(s)
		o.allow = append(o.allow, a)
		return err
	})
	names, err := cli.Parse(flags, args)
	if err != nil {
		return nil, err
	}
	o.names = names
	if err := o.source.Check(); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *options) check() error {
	want, what := 2, "want OLD and NEW"
	if o.source.Admin != "" {
		want, what = 1, "with -admin, want NEW alone"
	}
	stdin := 0
	for _, name := range slices.Concat(o.names, o.traffic) {
		if name == "-" {
			stdin++
		}
	}
	switch {
	case len(o.names) != want:
		return fmt.Errorf("%s, not %d arguments", what, len(o.names))
	case formats[o.format] == nil:
		return fmt.Errorf("-o %q is not text, json or markdown", o.format)
	case stdin > 1:
		return errors.New("only one of the files can be stdin")
	}
	return nil
}

func (o *options) run(ctx context.Context, stdin io.Reader) (*result, error) {
	r := &result{}
	if err := o.load(ctx, r, stdin); err != nil {
		return nil, err
	}
	before, after := r.old.Config, r.new.Config
	r.hosts = diff.NamesHosts(before, after)
	log := newTraffic(o.host, diff.RelevantHeaders(before, after))
	for _, name := range o.traffic {
		if err := log.readFile(name, stdin); err != nil {
			return nil, err
		}
	}
	r.noteTraffic(log)
	var err error
	r.Report, err = diff.Compare(before, after, diff.Options{Traffic: log.list(), Allow: o.allow})
	return r, err
}

// load loads both configurations. What one hints at of Kong's router holds for both.
func (o *options) load(ctx context.Context, r *result, stdin io.Reader) (err error) {
	names := o.names
	if o.source.Admin == "" {
		r.old, err = o.source.LoadFiles(ctx, names[:1], stdin)
		names = names[1:]
	} else {
		r.old, err = o.source.Load(ctx, nil, stdin, "")
	}
	if err != nil {
		return err
	}
	if r.new, err = o.source.LoadFiles(ctx, names, stdin); err != nil {
		return err
	}
	a, b := r.old.Config, r.new.Config
	if a.Flavor != b.Flavor && slices.Contains([]config.Flavor{a.Flavor, b.Flavor}, config.Expressions) {
		a.Flavor, b.Flavor = config.Expressions, config.Expressions
	}
	for _, s := range []*source.Source{r.old, r.new} {
		for _, n := range s.Notes {
			r.notes = append(r.notes, n.String())
		}
	}
	return nil
}

func (r *result) noteTraffic(t *traffic) {
	if t.strange > 0 {
		r.notes = append(r.notes, fmt.Sprintf("%s of the logs without a request", cli.Plural(t.strange, "line")))
	}
	if t.noHost > 0 && r.hosts {
		r.notes = append(r.notes, fmt.Sprintf("%s whose log does not say the Host: %s is taken, and -host says another", cli.Plural(t.noHost, "request"), t.host))
	}
}
