package ui

import (
	"net/http"
	"slices"
	"strings"

	lintcmd "diag405/cmd/diag405/lint"
	"diag405/cmd/diag405/source"
	"diag405/kong/config"
	"diag405/kong/lint"
)

// linted are the findings, and the lines of the files that they are about.
type linted struct {
	Findings []finding `json:"findings"` // the gravest first
	Total    int       `json:"total"`
	Files    []text    `json:"files"`
	Notes    []note    `json:"notes,omitempty"`
}

// finding is a finding at a line.
type finding struct {
	lint.Finding
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // 0 where there is none
	// Change is what its fix sets, where the page can try it.
	Change *change `json:"change,omitempty"`
}

// text is a file, or the parts of a long one that findings are about.
type text struct {
	Name  string `json:"name"`
	Lines int    `json:"lines"`
	Parts []part `json:"parts"`
}

// part are lines that follow each other.
type part struct {
	First   int      `json:"first"` // from 1
	Lines   []string `json:"lines"`
	Changed []int    `json:"changed,omitempty"` // the numbers of those that the page's changes added
}

// note is what was found in reading.
type note struct {
	At    string `json:"at"`
	Words string `json:"words"`
}

// Bounds of what is shown: findings, lines of a file that is shown whole, lines around
// a finding in a longer one, and the length of a line in bytes.
const (
	maxFindings = 200
	wholeFile   = 1500
	around      = 8
	maxWidth    = 400
)

// changing is a question about the configuration with what the page has changed.
type changing struct {
	Changes []change `json:"changes"`
}

// lint answers with the findings in the configuration with the page's changes.
func (p *page) lint(_ *http.Request, ask changing) (*linted, error) {
	copies, err := p.configuration.copies(ask.Changes)
	if err != nil {
		return nil, err
	}
	base, from := copies[0], copies[len(copies)-1]
	out := &linted{Findings: findingsOf(from)}
	out.Total = len(out.Findings)
	out.Findings = out.Findings[:min(out.Total, maxFindings)]
	for i, file := range from.Files {
		out.Files = append(out.Files, textOf(file, base.Files[i], out.Findings))
	}
	for _, n := range base.Notes {
		out.Notes = append(out.Notes, note{n.At.String(), n.Words})
	}
	return out, nil
}

func findingsOf(from *source.Source) []finding {
	places := lintcmd.Places(from.Config)
	out := []finding{}
	for _, f := range lint.Lint(from.Config, lint.Options{}) {
		at := places[f.Object]
		out = append(out, finding{Finding: f, File: at.File, Line: lineIn(from.Files, at), Change: changeOf(f)})
	}
	return out
}

// lineIn is the line of a place that is in one of the files, else 0: a text inside a
// file counts its own lines.
func lineIn(files []config.File, at config.Place) int {
	if slices.ContainsFunc(files, func(f config.File) bool { return f.Name == at.File }) {
		return at.Line
	}
	return 0
}

// changeOf is a fix as a change, nil for one that only says in words what to do or is
// about neither a route nor a service.
func changeOf(f lint.Finding) *change {
	o := f.Object
	switch {
	case len(f.Fix.Set) == 0:
		return nil
	case o.Kind == "route":
		return &change{RouteID: o.ID, RouteName: o.Name, Set: f.Fix.Set}
	case o.Kind == "service":
		return &change{ServiceID: o.ID, ServiceName: o.Name, Set: f.Fix.Set}
	}
	return nil
}

// textOf is a file as it is shown.
func textOf(file, before config.File, findings []finding) text {
	lines, added := linesOf(file.Data), map[int]bool{}
	for _, d := range placesOf(linesOf(before.Data), lines) {
		for i := range d.Added {
			added[d.Line+i] = true
		}
	}
	out := text{Name: file.Name, Lines: len(lines)}
	for _, r := range shown(file.Name, len(lines), findings) {
		p := part{First: r[0]}
		for n := r[0]; n <= r[1]; n++ {
			p.Lines = append(p.Lines, clipped(lines[n-1]))
			if added[n] {
				p.Changed = append(p.Changed, n)
			}
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}

// shown are the first and last lines of the parts that are shown.
func shown(name string, lines int, findings []finding) [][2]int {
	if lines <= wholeFile {
		if lines == 0 {
			return nil
		}
		return [][2]int{{1, lines}}
	}
	var at []int
	for _, f := range findings {
		if f.File == name && f.Line > 0 {
			at = append(at, f.Line)
		}
	}
	slices.Sort(at)
	var parts [][2]int
	for _, line := range at {
		first, last := max(1, line-around), min(lines, line+around)
		if n := len(parts); n > 0 && first <= parts[n-1][1]+1 {
			parts[n-1][1] = max(parts[n-1][1], last)
			continue
		}
		parts = append(parts, [2]int{first, last})
	}
	return parts
}

// clipped is a line, the beginning of a very long one.
func clipped(line string) string {
	if len(line) <= maxWidth {
		return line
	}
	return strings.ToValidUTF8(line[:maxWidth], "") + "…"
}
