package report

import (
	"fmt"
	"io"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/logread"
)

// print prints the table.
func (o *options) print(r *logReader, out io.Writer) error {
	if o.form == "json" {
		return cli.PrintJSON(out, r.summary())
	}
	screen := cli.NewScreen(out)
	return screen.Print(r.text(screen))
}

// logSummary is what -o json prints.
type logSummary struct {
	Lines     int                  `json:"lines"`
	Access    int                  `json:"access_lines"`
	Diagnoses int                  `json:"diagnoses"`
	Cut       int                  `json:"cut_short"`
	Causes    []logread.CauseCount `json:"causes"`
	Groups    []logread.Group      `json:"groups"`
}

func (r *logReader) summary() logSummary {
	t := r.table
	s := logSummary{t.Lines, t.Access, t.Diagnoses, t.Cut, t.Causes(), t.Groups()}
	if s.Causes == nil {
		s.Causes = []logread.CauseCount{}
	}
	return s
}

// text is the table for people: a summary, and for each group a row with its
// example and its fix.
func (r *logReader) text(s *cli.Screen) string {
	var b strings.Builder
	t := r.table
	if t.Diagnoses == 0 {
		fmt.Fprintf(&b, "no diagnosis of diag405 in %s%s\n", plural(t.Lines, "line"), accessNote(t.Access))
		return b.String()
	}
	var causes []string
	for _, c := range t.Causes() {
		causes = append(causes, fmt.Sprintf("%s %d", orDash(c.Cause), c.Count))
	}
	fmt.Fprintln(&b, s.Paint(cli.Bold, plural(t.Diagnoses, "diagnosis")+" in "+plural(t.Lines, "line")+": "+strings.Join(causes, ", ")))
	groups := t.Groups()
	shown := groups
	if r.rows > 0 {
		shown = groups[:min(len(groups), r.rows)]
	}
	b.WriteString(table(s, shown))
	if left := len(groups) - len(shown); left > 0 {
		fmt.Fprintf(&b, "\nand %s more; -n 0 shows all\n", plural(left, "row"))
	}
	if t.Cut > 0 {
		fmt.Fprintf(&b, "\nthe log cut %s short; what is left of them is counted\n", plural(t.Cut, "diagnosis"))
	}
	return b.String()
}

func accessNote(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of access by it)", plural(n, "line"))
}

// plural counts: 1 line, 2 lines, 2 diagnoses.
func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "is"):
		return fmt.Sprintf("%d %ses", n, strings.TrimSuffix(what, "is"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// table lines up the rows of groups.
func table(s *cli.Screen, groups []logread.Group) string {
	rows := [][]string{{"count", "cause", "route", "upstream got", "first", "last"}}
	for _, g := range groups {
		rows = append(rows, []string{fmt.Sprint(g.Count), orDash(g.Cause), short(orDash(g.Route)), short(orDash(g.Upstream)), orDash(g.First), orDash(g.Last)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		line := strings.TrimRight(lineUp(row, widths), " ")
		if i == 0 {
			fmt.Fprintf(&b, "\n%s\n", s.Paint(cli.Faint, line))
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", line)
		g, indent := groups[i-1], strings.Repeat(" ", widths[0]+2)
		fmt.Fprintf(&b, "%s%s  %s\n", indent, s.Paint(cli.Faint, "client"), orDash(g.Example)) // in its own words
		fmt.Fprintf(&b, "%s%s     %s\n", indent, s.Paint(cli.Faint, "fix"), s.Paint(cli.Green, orDash(g.Fix)))
		for _, key := range g.FromClient {
			fmt.Fprintf(&b, "%s%s    %s has a value of the client's: set it only if you know it\n", indent, s.Paint(cli.Yellow, "mind"), orDash(key))
		}
	}
	return b.String()
}

// maxCell is how wide a column may get; -o json has everything.
const maxCell = 60

func short(cell string) string {
	if r := []rune(cell); len(r) > maxCell {
		return string(r[:maxCell-3]) + "..."
	}
	return cell
}

// lineUp puts the count to the right and the rest to the left of their columns.
func lineUp(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		space := strings.Repeat(" ", widths[i]-len([]rune(cell)))
		if i == 0 {
			b.WriteString(space + cell + "  ")
			continue
		}
		b.WriteString(cell + space + "  ")
	}
	return b.String()
}

// orDash is a word of the log's as it is shown.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return cli.Printable(s)
}
