package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"diag405/kong/lint"
)

// count is how many findings there are of each severity.
func (r *lintResult) count() map[lint.Severity]int {
	n := map[lint.Severity]int{}
	for _, f := range r.findings {
		n[f.Severity]++
	}
	return n
}

// severityStyles are the colours of severities on a terminal.
var severityStyles = map[lint.Severity]string{lint.Error: red, lint.Warning: yellow, lint.Info: faint}

func lintText(r *lintResult, s *screen) error {
	for _, f := range r.findings {
		where := r.file
		if line := r.lines[f.Object]; line > 0 {
			where = fmt.Sprintf("%s:%d", where, line)
		}
		s.println(fmt.Sprintf("%s: %s: %s: %s: %s", where, s.paint(severityStyles[f.Severity], string(f.Severity)), s.paint(bold, f.ID), f.Object, f.Sentence))
		s.println("   fix: " + f.Fix.Words + setText(f.Fix))
		s.println("   see: " + s.paint(faint, pagesOf(f)))
	}
	if len(r.findings) > 0 {
		s.println("")
	}
	r.textProofs(s)
	s.println(r.summary())
	return nil
}

// setText is a fix as data, behind its words.
func setText(fix lint.Fix) string {
	if len(fix.Set) == 0 {
		return ""
	}
	return " " + lintSet(fix.Set)
}

// compactText is JSON in one line, with <, > and & as they are.
func lintSet(v any) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(out.String())
}

func pagesOf(f lint.Finding) string {
	if f.Cause == "" {
		return f.Page
	}
	return f.Page + ", " + f.Cause
}

func (r *lintResult) summary() string {
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
		return r.file + ": nothing found"
	}
	return r.file + ": " + strings.Join(parts, ", ")
}

func (r *lintResult) textProofs(s *screen) {
	if !r.operations {
		return
	}
	s.println(fmt.Sprintf("The operations of %s through service %s:", r.openapi, r.service))
	width := 0
	for _, p := range r.proofs {
		width = max(width, len(p.Operation.String()))
	}
	for _, p := range r.proofs {
		style := ""
		if p.Outcome != lint.Reached {
			style = yellow
		}
		text := proofText(p)
		if style != "" {
			text = s.paint(style, text)
		}
		s.println(fmt.Sprintf("   %-*s  %s", width, p.Operation, text))
	}
	s.println("")
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

// lintReport is the form of -o json.
type lintReport struct {
	File       string        `json:"file"`
	Findings   []lineFinding `json:"findings"`
	Operations []lint.Proof  `json:"operations,omitempty"`
}

// lineFinding is a finding with where it is.
type lineFinding struct {
	lint.Finding
	Line int `json:"line,omitempty"`
}

func lintJSON(r *lintResult, s *screen) error {
	report := lintReport{File: r.file, Findings: []lineFinding{}, Operations: r.proofs}
	for _, f := range r.findings {
		report.Findings = append(report.Findings, lineFinding{f, r.lines[f.Object]})
	}
	return writeLintJSON(s.out, report)
}

func writeLintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
