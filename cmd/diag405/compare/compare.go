// Package compare is the command that sends a request through the gateway and directly
// to the application, and shows where the two part.
package compare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/curl"
	"diag405/cmd/diag405/explain"
	"diag405/cmd/diag405/source"
	"diag405/plugin/diagnose"
)

var usage = `Usage: diag405 compare [flags] [curl's arguments] URL
       diag405 compare [flags] -- curl ARGUMENTS

Sends a request through Kong, at URL, and to the application itself, and shows both
exchanges side by side, what differs and why. The requests are real: what one of them
does at the application is done. Those that may write are asked for on a terminal
first, and are refused without one, unless -yes says so beforehand.

The request is a curl command, as it is or in one quoted word. Behind -- or curl all
options are curl's, before it those below come first. Redirects are shown and not
followed.

What Kong does with it, and where the application is:
  -config FILE            Kong's own, decK's, or an ingress controller's dump, YAML or
                          JSON; a folder, a URL, or - for stdin (repeatable)
` + source.Usage + `  -consumer NAME          who asks, as authentication finds out: plugins may be for some
  -direct URL             the application, instead of the service's address. With a path
                          that is what is asked for there, and nothing else

What is sent to the application:
  -as kong|client|both    with the method and path that Kong sends, with those of the
                          client, or where the two differ both (default both)
  -yes                    send requests that may write, without asking

  -o text|json            how to print it (default text)

Exit code: 0 all were answered, 1 one was not or you said no, 2 nothing was sent.

Examples:
  diag405 compare -config kong.yml -X POST localhost:8000/api/sendWeather --json '{}'
  diag405 compare -admin localhost:8001 -direct http://localhost:8900 -- curl -X POST http://localhost:8000/api/sendWeather
`

// options are the flags.
type options struct {
	config   cli.Texts
	source   source.Flags
	consumer string
	direct   string
	as       string
	yes      bool
	form     string
	asked    *curl.Request
	app      *curl.URL // of -direct
}

// Run compares, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args, std)
	if err != nil {
		return std.BadArguments("compare", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	c, err := o.plan(ctx, std)
	if err != nil {
		return std.Fail("compare", err)
	}
	if err := o.consent(c, std); errors.Is(err, errUnwanted) {
		return cli.Failed
	} else if err != nil {
		return std.Fail("compare", err)
	}
	c.send(ctx)
	c.explain()
	if err := c.print(o.form, std); err != nil {
		return std.Cannot("compare: printing: %v", err)
	}
	if slices.ContainsFunc(c.exchanges, unanswered) {
		return cli.Failed
	}
	return cli.OK
}

func parse(args []string, std cli.Streams) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("compare")
	flags.Var(&o.config, "config", "")
	o.source.Add(flags)
	flags.StringVar(&o.consumer, "consumer", "", "")
	flags.StringVar(&o.direct, "direct", "", "")
	flags.StringVar(&o.as, "as", "both", "")
	flags.BoolVar(&o.yes, "yes", false, "")
	flags.StringVar(&o.form, "o", "text", "")
	own, others := cli.Own(flags, args, curl.IsCommand)
	if err := cli.ParseFlags(flags, own); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var err error
	o.asked, err = curl.Parse(others, std.In)
	return o, err
}

// check checks the flags against each other.
func (o *options) check() error {
	if err := cli.TextOrJSON(o.form); err != nil {
		return err
	}
	switch {
	case len(o.config) > 0 && o.source.Admin != "":
		return errors.New("-config and -admin are two configurations; want one")
	case o.direct == "" && !o.isConfigured():
		return errors.New("want -direct URL, or a configuration that says where the application is: -config FILE or -admin URL")
	case !slices.Contains([]string{"both", "kong", "client"}, o.as):
		return fmt.Errorf("-as %q is not kong, client or both", o.as)
	case o.as == "kong" && !o.isConfigured():
		return errors.New("-as kong: what Kong sends is known from a configuration alone: -config FILE or -admin URL")
	}
	if o.direct != "" {
		r, err := curl.Parse([]string{o.direct}, nil)
		if err != nil {
			return fmt.Errorf("-direct: %w", err)
		}
		o.app = &r.URL
	}
	return o.source.Check()
}

func (o *options) isConfigured() bool { return len(o.config) > 0 || o.source.Admin != "" }

func unanswered(x *exchange) bool { return x.problem != nil }

// comparison is a request, what is sent for it, and what came of it.
type comparison struct {
	inquiry   *explain.Inquiry // nil without a configuration
	exchanges []*exchange      // through Kong the first, then directly
	notes     []string         // what to know of it, a clause each
	differs   []string         // what is not the same, a clause each
	verdict   *explain.Explanation
}

// kong is what goes through the gateway.
func (c *comparison) kong() *exchange { return c.exchanges[0] }

// directly is the exchange with the application that went some way, nil where none did or
// none was answered.
func (c *comparison) directly(w way) *exchange {
	for _, x := range c.exchanges[1:] {
		if (x.way == w || x.way == asBoth) && x.problem == nil {
			return x
		}
	}
	return nil
}

func (c *comparison) send(ctx context.Context) {
	for _, x := range c.exchanges {
		x.send(ctx)
	}
}

// explain finds what differs, and why the gateway's answer is what it is.
func (c *comparison) explain() {
	c.differs = c.compare()
	answer := c.kong().answer
	if c.kong().problem != nil || !diagnose.Explains(answer.Status) {
		return
	}
	told := explain.AnswerOf(answer)
	if c.inquiry == nil {
		if told.Told != nil {
			c.verdict = explain.Told(c.kong().request.Asked(), told)
		}
		return
	}
	c.verdict = c.inquiry.Explain(told, c.seen())
}

// seen is what the application was seen to take, asked otherwise than Kong does.
func (c *comparison) seen() (seen diagnose.Offers) {
	for _, x := range c.exchanges[1:] {
		if x.way != asKong && x.problem == nil && x.answer.Status >= 200 && x.answer.Status < 300 {
			seen.Add(x.line())
		}
	}
	return seen
}

// safe are the methods that read only: those that IANA's registry of methods calls safe,
// without what nobody sends.
var safe = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH", "QUERY"}

// errUnwanted is the no of who was asked.
var errUnwanted = errors.New("nothing was sent")

// consent is asked for requests that may write: on a terminal of who sits there, else it
// has to be there already. An error says that nothing is sent.
func (o *options) consent(c *comparison, std cli.Streams) error {
	if o.yes || !slices.ContainsFunc(c.exchanges, mayWrite) {
		return nil
	}
	if !cli.IsTerminal(std.In) {
		return fmt.Errorf("nothing was sent, since this may change something, and nobody is there to ask; -yes sends it:\n%s", c.list())
	}
	fmt.Fprintf(std.Err, "%s\nThis is sent for real, and may change something. Send it? [y/N] ", c.list())
	var said string
	_, _ = fmt.Fscanln(std.In, &said) // nothing is a no
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(said)) {
		fmt.Fprintln(std.Err, "Nothing was sent.")
		return errUnwanted
	}
	return nil
}

func mayWrite(x *exchange) bool { return !slices.Contains(safe, x.request.Method) }

// list is what is sent, one a line.
func (c *comparison) list() string {
	return strings.Join(c.each(func(x *exchange) string {
		return cli.Printable(fmt.Sprintf("%s %s (%s)", x.request.Method, x.request.URL, x.way))
	}), "\n")
}
