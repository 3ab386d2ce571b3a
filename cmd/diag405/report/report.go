// Package report is the command that shows what went wrong, from the logs that people
// have.
package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/plugin/logread"
)

var usage = `Usage: diag405 report [flags] [FILE...]

Reads logs and shows which requests ended in a 405 and why, with how often and when,
what a client asked in its own words, and the fix. FILE may be gzipped; without one, or
for -, it is stdin. What a line is, it is known by itself:

  Kong's error log       diagnoses that diag405 wrote, if it is installed
  records in JSON        of http-log, file-log, tcp-log and their like, one a line: each
                         405 is diagnosed, diag405 need not be installed
  access logs            Kong's own and the combined format: what a client asked and the
                         status; -config adds Kong's routing
  docker's json-file     with any of these inside

One request is counted once, be it in several lines.

  -f, -follow   follow the files as they grow, through rotation too, until interrupted
  -since TIME   leave out what failed before: a time, 2026-11-25 or 2026-11-25T08:00:00Z,
                or how long ago, 90m, 24h or 7d
  -by KEY       put together what has the same cause, route or upstream (its request)
  -n ROWS       how many rows to show, 0 for all (default 20, of html 200; json has all)
  -o FORM       text, json or html, one page that needs nothing else (default text)

What is known beside the logs:
  -config FILE            Kong's configuration, for lines of an access log (repeatable)
` + source.Usage + `  -host HOST              the Host of all requests in access logs, which do not have it
  -openapi FILE           what the application offers: its paths name the ids

Examples:
  diag405 report /usr/local/kong/logs/error.log
  kubectl logs deploy/kong | diag405 report -config kong.yml -since 24h -
  diag405 report -o html /var/log/kong/*.log.gz > 405s.html
`

// options are the flags.
type options struct {
	now     time.Time
	follow  bool
	since   time.Time
	by      string
	rows    int
	form    string
	config  cli.Texts
	source  source.Flags
	host    string
	openAPI string
	files   []string
}

// Run reports on logs, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args, time.Now())
	if err != nil {
		return std.BadArguments("report", usage, err)
	}
	judge, err := o.judge(std)
	if err != nil {
		return std.Fail("report", err)
	}
	r := newReader(o, judge, std)
	if err := r.read(); err != nil {
		return std.Cannot("report: %v", err)
	}
	if err := o.print(r.table.Summary(), std.Out); err != nil {
		return std.Cannot("report: printing: %v", err)
	}
	return cli.OK
}

func parse(args []string, now time.Time) (*options, error) {
	o := &options{now: now}
	flags := cli.NewFlags("report")
	flags.BoolVar(&o.follow, "f", false, "")
	flags.BoolVar(&o.follow, "follow", false, "")
	flags.Func("since", "", func(s string) (err error) {
		o.since, err = sinceOf(s, now)
		return err
	})
	flags.StringVar(&o.by, "by", "", "")
	flags.IntVar(&o.rows, "n", unset, "")
	flags.StringVar(&o.form, "o", "text", "")
	flags.Var(&o.config, "config", "")
	o.source.Add(flags)
	flags.StringVar(&o.host, "host", "", "")
	flags.StringVar(&o.openAPI, "openapi", "", "")
	files, err := cli.Parse(flags, args)
	if err != nil {
		return nil, err
	}
	if o.files = files; len(o.files) == 0 {
		o.files = []string{"-"}
	}
	return o, o.check()
}

// unset is no number of rows that anybody can ask for.
const unset = -1 << 31

// How many rows are shown unless another number is asked for.
var defaultRows = map[string]int{"text": 20, "html": 200}

// check checks the flags against each other.
func (o *options) check() error {
	if !slices.Contains([]string{"text", "json", "html"}, o.form) {
		return fmt.Errorf("-o %q is not one of text, json, html", o.form)
	}
	if o.rows == unset {
		o.rows = defaultRows[o.form]
	}
	switch {
	case o.rows < 0:
		return fmt.Errorf("-n %d is negative", o.rows)
	case o.by != "" && !logread.IsKey(o.by):
		return fmt.Errorf("-by %q is not one of cause, route, upstream", o.by)
	case len(o.config) > 0 && o.source.Admin != "":
		return errors.New("-config and -admin are two configurations; want one")
	case slices.Contains(o.config, "-") && slices.Contains(o.files, "-"):
		return errors.New("a log comes from stdin, so the configuration cannot come from there")
	case o.host != "" && len(o.config) == 0 && o.source.Admin == "":
		return errors.New("-host chooses among the routes of a configuration: want -config FILE or -admin URL")
	}
	return o.source.Check()
}

// sinceOf is a time, or how long ago it was.
func sinceOf(s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		if err == nil && d >= 0 {
			return now.Add(-24 * d), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("want a time such as 2026-11-25 or 2026-11-25T08:00:00Z, or how long ago: 90m, 24h, 7d")
}

// judge takes what is known beside the logs.
func (o *options) judge(std cli.Streams) (*logread.Judge, error) {
	api, err := source.API(o.openAPI)
	if err != nil {
		return nil, err
	}
	known := logread.Options{Host: o.host, API: api}
	if len(o.config) > 0 || o.source.Admin != "" {
		ctx, stop := cli.Interruptible()
		defer stop()
		from, err := o.source.Load(ctx, o.config, std.In, "")
		if err != nil {
			return nil, err
		}
		known.Config = from.Config
	}
	return logread.NewJudge(known)
}
