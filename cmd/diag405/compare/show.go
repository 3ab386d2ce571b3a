package compare

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/explain"
)

func (c *comparison) print(form string, std cli.Streams) error {
	if form == "json" {
		return cli.PrintJSON(std.Out, c.data())
	}
	_, err := fmt.Fprint(std.Out, c.text(cli.NewScreen(std.Out), cli.Width(std.Out)))
	return err
}

// told is what the answer through Kong says in diag405's headers.
func (c *comparison) told() explain.Answer { return explain.AnswerOf(c.kong().answer) }

// text is the comparison for people, at most so many columns wide where words allow it.
func (c *comparison) text(s *cli.Screen, width int) string {
	t := &table{screen: s, width: width, columns: len(c.exchanges)}
	t.line("sent", cli.Plain, c.sent())
	if headers := c.headers(); headers != "" {
		t.line("headers", cli.Plain, headers)
	}
	for _, words := range c.notes {
		t.line("note", cli.Yellow, words)
	}
	t.WriteString("\n")
	t.row("", cli.Bold, c.each(func(x *exchange) string { return string(x.way) }))
	c.requests(t)
	c.answers(t)
	t.WriteString("\n")
	if len(c.differs) == 0 && len(c.exchanges) > 1 && !slices.ContainsFunc(c.exchanges, unanswered) {
		t.line("differs", cli.Plain, "nothing")
	}
	for _, words := range c.differs {
		t.line("differs", cli.Plain, words)
	}
	if c.verdict != nil {
		t.WriteString(c.verdict.Judgement(s))
	} else {
		t.line("cause", cli.Plain, c.unjudged())
	}
	return t.String()
}

// sent says that it was real.
func (c *comparison) sent() string {
	what := fmt.Sprintf("%d requests, for real", len(c.exchanges))
	if len(c.exchanges) == 1 {
		what = "1 request, for real"
	}
	for _, x := range c.exchanges {
		if mayWrite(x) {
			return what + ": what " + x.request.Method + " does at the application is done"
		}
	}
	return what
}

// unjudged says why there is no verdict.
func (c *comparison) unjudged() string {
	g := c.kong()
	switch {
	case g.problem != nil:
		return "no answer came from " + g.request.URL.Address + ", where Kong should be"
	case c.inquiry == nil && (g.answer.Status == 405 || g.answer.Status == 404):
		return "not known: with -config FILE or -admin URL it is looked for, or put diag405 on the route"
	}
	return fmt.Sprintf("none to look for: through Kong it is %d", g.answer.Status)
}

func (c *comparison) each(cell func(*exchange) string) []string {
	var cells []string
	for _, x := range c.exchanges {
		cells = append(cells, cell(x))
	}
	return cells
}

func (c *comparison) requests(t *table) {
	t.row("to", cli.Plain, c.each(func(x *exchange) string { return x.request.URL.Scheme + "://" + x.request.URL.Address }))
	t.row("request", cli.Plain, c.each(func(x *exchange) string { return x.request.Method + " " + x.request.URL.Target }))
	t.row("Host", cli.Plain, c.each(func(x *exchange) string { return x.request.Host }))
	t.row("body", cli.Plain, c.each(func(x *exchange) string { return bytesOf(int64(len(x.request.Body))) }))
	if line, how, ok := c.upstream(); ok {
		t.row("upstream", cli.Plain, c.each(func(x *exchange) string {
			if x.way == throughKong {
				return "got " + line.String() + ", " + how
			}
			return ""
		}))
	}
}

// shown are the answers' headers that tell something.
var shown = []string{"Allow", "Server", "Via", "Location", "Content-Type"}

func (c *comparison) answers(t *table) {
	var styles []cli.Style
	for _, x := range c.exchanges {
		styles = append(styles, styleOf(x))
	}
	t.styledRow("answer", styles, c.each(func(x *exchange) string {
		if x.problem != nil {
			return "none: " + x.problem.Error()
		}
		return strings.TrimSpace(fmt.Sprintf("%d %s", x.answer.Status, x.reason))
	}))
	for _, name := range shown {
		t.rowIfAny(strings.TrimPrefix(name, "Content-"), c.each(func(x *exchange) string { return headerOf(x, name) }))
	}
	t.rowIfAny("made by", c.each(madeBy))
	t.rowIfAny("says", c.each(func(x *exchange) string {
		if told := explain.AnswerOf(x.answer).Told; told != nil {
			return "diag405: " + told.Cause + " (" + told.Certainty + ")"
		}
		return ""
	}))
	t.rowIfAny("body", c.each(func(x *exchange) string {
		if x.problem != nil {
			return ""
		}
		return bytesOf(x.size)
	}))
	t.rowIfAny("time", c.each(func(x *exchange) string {
		if x.problem != nil {
			return ""
		}
		return x.took.Round(10 * time.Microsecond).String()
	}))
}

// styleOf is the colour of an answer.
func styleOf(x *exchange) cli.Style {
	switch status := x.answer.Status; {
	case status >= 200 && status < 300:
		return cli.Green
	case status >= 300 && status < 400:
		return cli.Yellow
	}
	return cli.Red
}

// madeBy is what Kong says of who made its answer (its headers in kong/globalpatterns
// are those of a proxied answer and of its own).
func madeBy(x *exchange) string {
	switch h := x.answer.Header; {
	case h.Get("X-Kong-Upstream-Latency") != "":
		return "the upstream"
	case h.Get("X-Kong-Response-Latency") != "":
		return "Kong or a plugin"
	}
	return ""
}

func bytesOf(n int64) string {
	switch {
	case n < 0:
		return "an event stream"
	case n >= maxRead:
		return fmt.Sprintf("%d MB or more", maxRead>>20)
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// headers are the request's, in one line. What may be a secret is left out: a screen is
// copied into a ticket.
func (c *comparison) headers() string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(c.kong().request.Header)) {
		for _, value := range c.kong().request.Header[name] {
			if !harmless[textproto.CanonicalMIMEHeaderKey(name)] {
				value = "(not shown)"
			}
			list = append(list, name+": "+value)
		}
	}
	return strings.Join(list, ", ")
}

// harmless are headers whose values are no secrets.
var harmless = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Content-Type": true, "Content-Encoding": true, "User-Agent": true,
	"Origin": true, "Range": true, "If-Match": true, "If-None-Match": true, "Access-Control-Request-Method": true, "Access-Control-Request-Headers": true,
	"X-Http-Method-Override": true, "X-Http-Method": true, "X-Method-Override": true, "Upgrade": true, "Connection": true, "Depth": true, "Prefer": true,
}
