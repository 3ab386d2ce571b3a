package explain

import (
	"fmt"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/forecast"
)

// page is text in parts, each headed by a word in a column of its own.
type page struct {
	strings.Builder
	screen *cli.Screen
	last   string
}

// part writes a line of a part; the head is shown once.
func (p *page) part(head string, style cli.Style, format string, args ...any) {
	shown := head
	if head == p.last {
		shown = ""
	}
	p.last = head
	text := p.screen.Paint(style, cli.Printable(fmt.Sprintf(format, args...)))
	fmt.Fprintf(p, "%s%s\n", p.screen.Paint(cli.Faint, fmt.Sprintf("%-10s", shown)), text)
}

// text is the explanation for people.
func (e *Explanation) text(s *cli.Screen) string {
	p := &page{screen: s}
	if e.Kong != nil {
		p.part("kong", cli.Plain, "%s", e.Kong)
	}
	for _, n := range e.Notes {
		p.part("note", cli.Yellow, "%s: %s", n.At, n.Words)
	}
	p.request(e)
	p.route(e)
	p.path(e)
	p.upstream(e)
	p.verdict(e)
	return p.String()
}

// Judgement is the end of the text: what to watch, the verdict and the fixes.
func (e *Explanation) Judgement(s *cli.Screen) string {
	p := &page{screen: s}
	for _, words := range e.Watch {
		p.part("watch", cli.Yellow, "%s", words)
	}
	p.verdict(e)
	return p.String()
}

func (p *page) request(e *Explanation) {
	r := e.Request
	p.part("request", cli.Bold, "%s %s", r.Method, r.Target)
	p.part("request", cli.Plain, "%s, Host: %s", r.Scheme, r.Host)
	if r.Consumer != "" {
		p.part("request", cli.Plain, "consumer %s", r.Consumer)
	}
	if e.Times > 0 {
		p.part("request", cli.Plain, "%d times", e.Times)
	}
}

func (p *page) route(e *Explanation) {
	if e.Route != nil {
		p.part("route", cli.Plain, "%s%s", e.Route, because(e.MatchedBy))
	} else if !e.unrouted && (e.Answer == nil || e.Answer.Status == 404) {
		p.part("route", cli.Red, "none")
	}
	if e.Service != nil {
		p.part("service", cli.Plain, "%s", e.Service)
	}
	for _, n := range e.Nearest {
		if n.Behind != "" {
			p.part("not", cli.Plain, "%s: it matches as well, but %s", &n.Route, n.Behind)
			continue
		}
		p.part("not", cli.Plain, "%s%s", &n.Route, because(n.Failed))
	}
}

// because puts reasons behind a name.
func because(reasons []reasonData) string {
	if len(reasons) == 0 {
		return ""
	}
	var words []string
	for _, r := range reasons {
		words = append(words, r.Words)
	}
	return ": " + strings.Join(words, "; ")
}

// path writes the arithmetic in one line, with its signs.
func (p *page) path(e *Explanation) {
	if len(e.Path) == 0 {
		return
	}
	var line strings.Builder
	for _, t := range e.Path {
		switch t.Term {
		case forecast.TermClient:
			line.WriteString(t.Path)
		case forecast.TermNormalised:
			fmt.Fprintf(&line, " (%s: %s)", t.Words, t.Path)
		case forecast.TermStripped:
			fmt.Fprintf(&line, "  - %s (%s)", orNothing(t.Path), t.Words)
		case forecast.TermService:
			fmt.Fprintf(&line, "  + %s (%s)", orNothing(t.Path), t.Words)
		case forecast.TermUpstream:
			fmt.Fprintf(&line, "  = %s", t.Path)
		}
	}
	p.part("path", cli.Plain, "%s", line.String())
	for _, t := range e.Path {
		if t.Term == forecast.TermPlugin {
			p.part("path", cli.Yellow, "then %s (%s)", t.Path, t.Words)
		}
	}
}

func orNothing(path string) string {
	if path == "" {
		return "nothing"
	}
	return path
}

func (p *page) upstream(e *Explanation) {
	for _, d := range e.Plugins {
		p.part("plugin", cli.Yellow, "%s on %s %s", d.Name, d.On, d.Words)
	}
	if u := e.Upstream; u != nil {
		if u.Address == "" {
			p.part("upstream", cli.Bold, "%s %s", u.Method, u.URI)
		} else {
			p.part("upstream", cli.Bold, "%s %s://%s%s", u.Method, u.Scheme, AddressOf(u), u.URI)
			p.part("upstream", cli.Plain, "Host: %s", u.Host)
		}
		for _, words := range u.Uncertain {
			p.part("unsure", cli.Yellow, "%s", words)
		}
	}
	if a := e.Answer; a != nil {
		p.part("answer", cli.Red, "%sby %s: %s", statusWord(a.Status), a.By, a.Words)
	}
	for _, words := range e.Watch {
		p.part("watch", cli.Yellow, "%s", words)
	}
	p.probe(e.Probe)
}

func statusWord(status int) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprintf("%d ", status)
}

// AddressOf is the upstream's address, without the port that its scheme has anyway.
func AddressOf(u *forecast.Upstream) string {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return strings.TrimSuffix(u.Address, port)
}

func (p *page) probe(d *probeData) {
	if d == nil {
		return
	}
	p.part("probe", cli.Bold, "%s", d.Words)
	for _, a := range d.Paths {
		p.part("probe", cli.Plain, "OPTIONS %s: %d%s", a.Path, a.Status, allowed(a))
	}
}

func allowed(a probedData) string {
	switch {
	case len(a.Allow) == 0:
		return ""
	case a.Complete:
		return ", takes " + strings.Join(a.Allow, ", ")
	case len(a.Methods) > 0:
		return ", takes " + strings.Join(a.Methods, ", ") + " and maybe more"
	}
	return ", Allow: " + strings.Join(a.Allow, ", ") + ", which it says of any path"
}

func (p *page) verdict(e *Explanation) {
	switch {
	case e.Diagnosis != nil:
		p.part("cause", cli.Red, "%s (%s)", e.Diagnosis.Cause, e.Diagnosis.Certainty)
		p.part("because", cli.Plain, "%s", e.Diagnosis.Reason)
		for _, fact := range e.Diagnosis.Facts {
			p.part("facts", cli.Plain, "%s", fact)
		}
		p.fixes(e.Diagnosis, e.forms)
		for _, c := range e.Diagnosis.Considered {
			p.part("or", cli.Faint, "%s (%s)", c.Cause, c.Certainty)
		}
		p.part("more", cli.Faint, "%s", cli.CauseLink(e.Diagnosis.Cause))
	case e.If405 != nil:
		p.foreseen(e)
		p.fixes(e.If405, e.forms)
		p.part("more", cli.Faint, "%s", cli.CauseLink(e.If405.Cause))
	case e.Upstream != nil && e.Upstream.Uncertain == nil && (e.Probe == nil || e.Probe.Verdict == "unknown"):
		p.unforeseen(e)
	}
}

// unforeseen: nothing on the way makes a 405 likely.
func (p *page) unforeseen(e *Explanation) {
	if len(e.Possible) == 0 {
		p.part("if 405", cli.Green, "nothing on the way through Kong explains one: it would be the application's word on %s", lineOf(e.Upstream))
		return
	}
	p.part("if 405", cli.Plain, "it would most likely be the application's word on %s", lineOf(e.Upstream))
	for _, c := range e.Possible {
		p.part("or", cli.Plain, "%s: %s", c.Cause, c.Reason)
	}
}

// foreseen writes the verdict on a failure that has not come: one that the probe
// says is going to, or a 405 that may.
func (p *page) foreseen(e *Explanation) {
	v, expected := e.If405, 0
	if e.Probe != nil {
		expected = map[string]int{"refuses": 405, "missing": 404}[e.Probe.Verdict]
	}
	switch {
	case expected > 0:
		p.part("cause", cli.Red, "a %d is to be expected, because of %s (%s):", expected, v.Cause, v.Certainty)
		p.part("cause", cli.Plain, "%s", v.Reason)
		return
	case v.Allow == nil:
		p.part("if 405", cli.Yellow, "the cause is %s (%s):", v.Cause, v.Certainty)
	default:
		p.part("if 405", cli.Yellow, "with Allow: %s, the cause is %s (%s):", *v.Allow, v.Cause, v.Certainty)
	}
	p.part("if 405", cli.Plain, "%s", v.Reason)
}

// fixes writes all fixes, and the forms of the first.
func (p *page) fixes(v *Verdict, forms []string) {
	for i, f := range v.Fixes {
		p.part("fix", cli.Green, "%s", f.Words)
		if i > 0 {
			continue
		}
		if len(f.At) > 0 {
			p.part("fix", cli.Plain, "    # %s", strings.Join(f.At, ", "))
		}
		for _, form := range f.Forms {
			if !slices.Contains(forms, form.Name) {
				continue
			}
			for line := range strings.Lines(form.Text) {
				p.part("fix", cli.Plain, "    %s", strings.TrimSuffix(line, "\n"))
			}
		}
	}
}
