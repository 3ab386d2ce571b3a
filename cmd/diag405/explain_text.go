package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// printJSON prints one object, indented, as people and machines read it.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false) // "<" and "&" are common in URLs
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// page is text in parts, each headed by a word in a column of its own.
type page struct {
	strings.Builder
	screen *screen
	last   string
}

// part writes a line of a part; the head is shown once.
func (p *page) part(head, style, format string, args ...any) {
	shown := head
	if head == p.last {
		shown = ""
	}
	p.last = head
	text := printable(fmt.Sprintf(format, args...))
	if style != "" {
		text = p.screen.paint(style, text)
	}
	fmt.Fprintf(p, "%s%s\n", p.screen.paint(faint, fmt.Sprintf("%-10s", shown)), text)
}

// printable takes what moves a cursor out of text that came from a log, a
// configuration or the network.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// explainText is the explanation for people. Of a fix's forms those named are
// shown.
func explainText(e *explanation, s *screen, forms []string) string {
	p := &page{screen: s}
	p.request(e)
	p.route(e)
	p.path(e)
	p.upstream(e)
	p.verdict(e, forms)
	return p.String()
}

func (p *page) request(e *explanation) {
	r := e.Request
	p.part("request", bold, "%s %s", r.Method, r.Target)
	p.part("request", "", "%s, Host: %s", r.Scheme, r.Host)
}

func (p *page) route(e *explanation) {
	if e.Route != nil {
		p.part("route", "", "%s%s", e.Route, because(e.MatchedBy))
	} else if e.Answer == nil || e.Answer.Status == 404 {
		p.part("route", red, "none")
	}
	if e.Service != nil {
		p.part("service", "", "%s", e.Service)
	}
	for _, n := range e.Nearest {
		if n.Behind != "" {
			p.part("not", "", "%s: it matches as well, but %s", &n.Route, n.Behind)
			continue
		}
		p.part("not", "", "%s%s", &n.Route, because(n.Failed))
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
func (p *page) path(e *explanation) {
	if len(e.Path) == 0 {
		return
	}
	var line strings.Builder
	for _, t := range e.Path {
		switch t.Term {
		case "client":
			line.WriteString(t.Path)
		case "normalised":
			fmt.Fprintf(&line, " (%s: %s)", t.Words, t.Path)
		case "stripped":
			fmt.Fprintf(&line, "  - %s (%s)", orNothing(t.Path), t.Words)
		case "service":
			fmt.Fprintf(&line, "  + %s (%s)", orNothing(t.Path), t.Words)
		case "upstream":
			fmt.Fprintf(&line, "  = %s", t.Path)
		}
	}
	p.part("path", "", "%s", line.String())
	for _, t := range e.Path {
		if t.Term == "plugin" {
			p.part("path", yellow, "then %s (%s)", t.Path, t.Words)
		}
	}
}

func orNothing(path string) string {
	if path == "" {
		return "nothing"
	}
	return path
}

func (p *page) upstream(e *explanation) {
	for _, d := range e.Plugins {
		p.part("plugin", yellow, "%s on %s %s", d.Name, d.On, d.Words)
	}
	if u := e.Upstream; u != nil {
		p.part("upstream", bold, "%s %s://%s%s", u.Method, u.Scheme, withoutPort(u), u.URI)
		p.part("upstream", "", "Host: %s", u.Host)
		for _, words := range u.Uncertain {
			p.part("unsure", yellow, "%s", words)
		}
	}
	if a := e.Answer; a != nil {
		p.part("answer", red, "%d by %s: %s", a.Status, a.By, a.Words)
	}
	for _, words := range e.Watch {
		p.part("watch", yellow, "%s", words)
	}
	p.probe(e.Probe)
}

// withoutPort is the upstream's address, without the port that its scheme has
// anyway.
func withoutPort(u *upstreamData) string {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return strings.TrimSuffix(u.Address, port)
}

func (p *page) probe(d *probeData) {
	if d == nil {
		return
	}
	p.part("probe", bold, "%s", d.Words)
	for _, a := range d.Paths {
		p.part("probe", "", "OPTIONS %s: %d%s", a.Path, a.Status, allowed(a))
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

func (p *page) verdict(e *explanation, forms []string) {
	switch {
	case e.Diagnosis != nil:
		p.part("cause", red, "%s (%s)", e.Diagnosis.Cause, e.Diagnosis.Certainty)
		p.part("because", "", "%s", e.Diagnosis.Reason)
		for _, fact := range e.Diagnosis.Facts {
			p.part("facts", "", "%s", fact)
		}
		p.fixes(e.Diagnosis, forms)
		for _, c := range e.Diagnosis.Considered {
			p.part("or", faint, "%s (%s)", c.Cause, c.Certainty)
		}
	case e.If405 != nil:
		p.foreseen(e)
		p.fixes(e.If405, forms)
	case e.Upstream != nil && e.Upstream.Uncertain == nil && (e.Probe == nil || e.Probe.Verdict == "unknown"):
		p.unforeseen(e)
	}
}

// unforeseen: nothing on the way makes a 405 likely.
func (p *page) unforeseen(e *explanation) {
	if len(e.Possible) == 0 {
		p.part("if 405", green, "nothing on the way through Kong explains one: it would be the application's word on %s", e.Upstream.line())
		return
	}
	p.part("if 405", "", "it would most likely be the application's word on %s", e.Upstream.line())
	for _, c := range e.Possible {
		p.part("or", "", "%s: %s", c.Cause, c.Reason)
	}
}

// foreseen writes the verdict on a failure that has not come: one that the probe
// says is going to, or a 405 that may.
func (p *page) foreseen(e *explanation) {
	v, expected := e.If405, 0
	if e.Probe != nil {
		expected = map[string]int{"refuses": 405, "missing": 404}[e.Probe.Verdict]
	}
	switch {
	case expected > 0:
		p.part("cause", red, "a %d is to be expected, because of %s (%s):", expected, v.Cause, v.Certainty)
		p.part("cause", "", "%s", v.Reason)
		return
	case v.Allow == nil:
		p.part("if 405", yellow, "the cause is %s (%s):", v.Cause, v.Certainty)
	default:
		p.part("if 405", yellow, "with Allow: %s, the cause is %s (%s):", *v.Allow, v.Cause, v.Certainty)
	}
	p.part("if 405", "", "%s", v.Reason)
}

// fixes writes all fixes, and the forms of the first.
func (p *page) fixes(v *verdictData, forms []string) {
	for i, f := range v.Fixes {
		p.part("fix", green, "%s", f.Words)
		if i > 0 {
			continue
		}
		for _, form := range f.Forms {
			if !slices.Contains(forms, form.Name) {
				continue
			}
			for line := range strings.Lines(form.Text) {
				p.part("fix", "", "    %s", strings.TrimSuffix(line, "\n"))
			}
		}
	}
}
