package lint

import (
	"fmt"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/adminapi"
	"diag405/kong/lint"
)

// count is how many findings there are of each severity.
func (r *result) count() map[lint.Severity]int {
	n := map[lint.Severity]int{}
	for _, f := range r.findings {
		n[f.Severity]++
	}
	return n
}

// severityStyles are the colours of severities on a terminal.
var severityStyles = map[lint.Severity]cli.Style{lint.Error: cli.Red, lint.Warning: cli.Yellow, lint.Info: cli.Faint}

func printText(r *result, s *cli.Screen) error {
	if kong := r.from.Kong; kong != nil {
		s.Println(cli.Printable(fmt.Sprintf("Kong %s", kong)))
	}
	for _, n := range r.from.Notes {
		s.Println(fmt.Sprintf("%s: %s: %s", cli.Printable(n.At.String()), s.Paint(cli.Faint, "note"), cli.Printable(n.Words)))
	}
	for _, f := range r.fixed() {
		s.Println(fmt.Sprintf("%s: %s: %s: %s: %s", cli.Printable(r.place(f.Object).String()), s.Paint(cli.Green, "fixed"),
			s.Paint(cli.Bold, f.ID), cli.Printable(f.Object.String()), cli.Printable(f.Fix.Words+setText(f.Fix))))
	}
	for _, f := range r.findings {
		s.Println(fmt.Sprintf("%s: %s: %s: %s", cli.Printable(r.place(f.Object).String()), s.Paint(severityStyles[f.Severity], string(f.Severity)),
			s.Paint(cli.Bold, f.ID), cli.Printable(fmt.Sprintf("%s: %s", f.Object, f.Sentence))))
		s.Println("   fix: " + cli.Printable(f.Fix.Words+setText(f.Fix)))
		if why := r.whyLeft(f); why != "" {
			s.Println("   not fixed: " + cli.Printable(why))
		}
		s.Println("   see: " + s.Paint(cli.Faint, pagesOf(f)))
	}
	if len(r.findings) > 0 {
		s.Println("")
	}
	r.textProofs(s)
	s.Println(cli.Printable(r.summary()))
	return nil
}

// setText is a fix as data, behind its words.
func setText(fix lint.Fix) string {
	if len(fix.Set) == 0 {
		return ""
	}
	return " " + cli.Compact(fix.Set)
}

// pagesOf is where more is said of a finding.
func pagesOf(f lint.Finding) string {
	own := cli.Link(strings.TrimPrefix(f.Page, "docs/"))
	if f.Cause == "" {
		return own
	}
	return own + ", " + cli.Link(strings.TrimPrefix(f.Cause, "docs/"))
}

func (r *result) summary() string {
	var parts []string
	n := r.count()
	for _, severity := range lint.Severities() {
		switch {
		case n[severity] == 1:
			parts = append(parts, "1 "+string(severity))
		case n[severity] > 1 && severity == lint.Info:
			parts = append(parts, fmt.Sprintf("%d info", n[severity]))
		case n[severity] > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n[severity], severity))
		}
	}
	if len(parts) == 0 {
		return r.from.Name() + ": nothing found"
	}
	return r.from.Name() + ": " + strings.Join(parts, ", ")
}

func (r *result) textProofs(s *cli.Screen) {
	if !r.operations {
		return
	}
	s.Println(cli.Printable(fmt.Sprintf("The operations of %s through service %s:", r.openapi, r.service)))
	width := 0
	for _, p := range r.proofs {
		width = max(width, len(p.Operation.String()))
	}
	for _, p := range r.proofs {
		style := cli.Plain
		if p.Outcome != lint.Reached {
			style = cli.Yellow
		}
		s.Println(fmt.Sprintf("   %-*s  %s", width, cli.Printable(p.Operation.String()), s.Paint(style, cli.Printable(proofText(p)))))
	}
	s.Println("")
}

func proofText(p lint.Proof) string {
	switch p.Outcome {
	case lint.Reached:
		return fmt.Sprintf("← route %s (client %s)", p.Route, p.Client)
	case lint.Misrouted:
		text := fmt.Sprintf("route %s sends %s (client %s)", p.Route, p.Sends, p.Asked)
		if p.Client != nil {
			text += "; only " + p.Client.String() + " leads to it"
		}
		return text
	case lint.Unproven:
		return fmt.Sprintf("unknown: route %s, %s", p.Route, p.Note)
	}
	if p.Note != "" {
		return "no route (" + p.Note + ")"
	}
	return "no route"
}

// jsonReport is the form of -o json.
type jsonReport struct {
	File       string         `json:"file"`
	Kong       *adminapi.Kong `json:"kong,omitempty"`
	Notes      []noteData     `json:"notes,omitempty"`
	Fixed      []lineFinding  `json:"fixed,omitempty"`
	Findings   []lineFinding  `json:"findings"`
	Operations []lint.Proof   `json:"operations,omitempty"`
}

// noteData is what was found in reading the configuration.
type noteData struct {
	File  string `json:"file"`
	Line  int    `json:"line,omitempty"`
	Words string `json:"words"`
}

// lineFinding is a finding with where it is.
type lineFinding struct {
	lint.Finding
	File     string `json:"file,omitempty"` // where there are several
	Line     int    `json:"line,omitempty"`
	NotFixed string `json:"not_fixed,omitempty"` // why a certain fix was not made
}

func (r *result) withPlace(f lint.Finding) lineFinding {
	at := r.place(f.Object)
	found := lineFinding{Finding: f, Line: at.Line, NotFixed: r.whyLeft(f)}
	if at.File != r.from.Name() {
		found.File = at.File
	}
	return found
}

func printJSON(r *result, s *cli.Screen) error {
	report := jsonReport{File: r.from.Name(), Kong: r.from.Kong, Findings: []lineFinding{}, Operations: r.proofs}
	for _, n := range r.from.Notes {
		report.Notes = append(report.Notes, noteData{n.At.File, n.At.Line, n.Words})
	}
	for _, f := range r.fixed() {
		report.Fixed = append(report.Fixed, r.withPlace(f))
	}
	for _, f := range r.findings {
		report.Findings = append(report.Findings, r.withPlace(f))
	}
	return cli.PrintJSON(s.Out, report)
}
