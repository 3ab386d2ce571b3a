package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/logread"
)

// print prints what was found.
func (o *options) print(s logread.Summary, out io.Writer) error {
	switch o.form {
	case "json":
		return o.printJSON(s, out)
	case "html":
		return o.page(s, out)
	}
	screen := cli.NewScreen(out)
	return screen.Print(o.text(s, screen))
}

// grouped is what -o json prints with -by.
type grouped struct {
	logread.Summary
	Groups []logread.Group `json:"groups,omitempty"` // they stand in their rows
	By     string          `json:"by"`
	Rows   []logread.Row   `json:"rows"`
}

func (o *options) printJSON(s logread.Summary, out io.Writer) error {
	if o.by == "" {
		return cli.PrintJSON(out, s)
	}
	return cli.PrintJSON(out, grouped{Summary: s, By: o.by, Rows: s.Rows(o.by)})
}

// text is the table for people: a summary, and for each group a row with its
// example and its fix.
func (o *options) text(s logread.Summary, screen *cli.Screen) string {
	var b strings.Builder
	if s.Failures == 0 {
		fmt.Fprintf(&b, "no 405 in %s%s\n", cli.Plural(s.Lines, "line"), accessNote(s.Access))
		b.WriteString(o.notes(s))
		return b.String()
	}
	fmt.Fprintln(&b, screen.Paint(cli.Bold, cli.Plural(s.Failures, "diagnosis")+" in "+cli.Plural(s.Lines, "line")+": "+causes(s.Causes)))
	all := len(s.Groups)
	if o.by == "" {
		b.WriteString(table(screen, s.Groups[:o.shown(all)]))
	} else {
		rows := s.Rows(o.by)
		all = len(rows)
		b.WriteString(o.byTable(screen, rows[:o.shown(all)]))
	}
	if left := all - o.shown(all); left > 0 {
		fmt.Fprintf(&b, "\nand %s more; -n 0 shows all\n", cli.Plural(left, "row"))
	}
	b.WriteString(o.notes(s))
	return b.String()
}

// shown is how many of the rows are shown.
func (o *options) shown(all int) int {
	if o.rows == 0 {
		return all
	}
	return min(all, o.rows)
}

func causes(all []logread.CauseCount) string {
	var out []string
	for _, c := range all {
		out = append(out, fmt.Sprintf("%s %d", orDash(c.Cause), c.Count))
	}
	return strings.Join(out, ", ")
}

// notes are what to know of the numbers, a line each behind an empty one.
func (o *options) notes(s logread.Summary) string {
	var b strings.Builder
	for _, words := range o.noteWords(s) {
		fmt.Fprintf(&b, "\n%s\n", words)
	}
	return b.String()
}

func (o *options) noteWords(s logread.Summary) []string {
	var out []string
	if s.Cut > 0 {
		out = append(out, fmt.Sprintf("the log cut %s short; what is left of them is counted", cli.Plural(s.Cut, "diagnosis")))
	}
	if s.Again > 0 {
		out = append(out, "left out "+cli.Plural(s.Again, "line")+" of requests that another line tells of, too")
	}
	if s.Earlier > 0 {
		words := fmt.Sprintf("left out %s from before %s", cli.Plural(s.Earlier, "line"), o.since.In(time.Local).Format(time.DateTime))
		if s.Timeless > 0 {
			words += fmt.Sprintf(", %d of them without a time", s.Timeless)
		}
		out = append(out, words)
	}
	return out
}

func accessNote(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of access by diag405)", cli.Plural(n, "line"))
}

// table lines up the rows of groups.
func table(s *cli.Screen, groups []logread.Group) string {
	rows := [][]string{{"count", "cause", "certainty", "route", "upstream got", "first", "last"}}
	for _, g := range groups {
		rows = append(rows, []string{fmt.Sprint(g.Count), orDash(g.Cause), orDash(g.Certainty), short(orDash(g.Route)), short(orDash(g.Upstream)), orDash(g.First), orDash(g.Last)})
	}
	lines, indent := aligned(rows)
	var b strings.Builder
	for i, line := range lines {
		if i == 0 {
			fmt.Fprintf(&b, "\n%s\n", s.Paint(cli.Faint, line))
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", line)
		b.WriteString(details(s, groups[i-1], strings.Repeat(" ", indent)))
	}
	return b.String()
}

// details are what stands below a group.
func details(s *cli.Screen, g logread.Group, indent string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s  %s\n", indent, s.Paint(cli.Faint, "client"), orDash(g.Example)) // in its own words
	if g.From != logread.Diagnosis {
		fmt.Fprintf(&b, "%s%s    %s\n", indent, s.Paint(cli.Faint, "from"), froms[g.From])
	}
	if g.Cause == "unknown" {
		fmt.Fprintf(&b, "%s%s     %s\n", indent, s.Paint(cli.Faint, "why"), orDash(g.Reason))
	}
	fmt.Fprintf(&b, "%s%s     %s\n", indent, s.Paint(cli.Faint, "fix"), s.Paint(cli.Green, orDash(g.Fix)))
	for _, key := range g.FromClient {
		fmt.Fprintf(&b, "%s%s    %s has a value of the client's: set it only if you know it\n", indent, s.Paint(cli.Yellow, "mind"), orDash(key))
	}
	return b.String()
}

// froms say what something is known from.
var froms = map[logread.Source]string{
	logread.AccessLog: "access log: what came of the request is not in there",
	logread.LogRecord: "a log plugin's record",
	logread.Diagnosis: "diag405",
}

// maxParts is how many groups of a row are shown.
const maxParts = 3

// byTable lines up rows of groups, each with the most frequent of them.
func (o *options) byTable(s *cli.Screen, rows []logread.Row) string {
	cells := [][]string{{"count", o.by, "first", "last"}}
	for _, r := range rows {
		cells = append(cells, []string{fmt.Sprint(r.Count), short(orDash(r.Key)), orDash(r.First), orDash(r.Last)})
	}
	lines, indent := aligned(cells)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", s.Paint(cli.Faint, lines[0]))
	for i, r := range rows {
		fmt.Fprintf(&b, "\n%s\n", lines[i+1])
		in := strings.Repeat(" ", indent)
		for _, g := range r.Groups[:min(len(r.Groups), maxParts)] {
			fmt.Fprintf(&b, "%s%d %s (%s) on route %s: the upstream got %s\n", in, g.Count, orDash(g.Cause), orDash(g.Certainty), orDash(g.Route), orDash(g.Upstream))
			b.WriteString(details(s, g, in+"  "))
		}
		if left := len(r.Groups) - maxParts; left > 0 {
			fmt.Fprintf(&b, "%sand %d more of other kinds\n", in, left)
		}
	}
	return b.String()
}

// aligned lines up the columns of rows, and says where the second begins.
func aligned(rows [][]string) (lines []string, second int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		lines = append(lines, strings.TrimRight(lineUp(row, widths), " "))
	}
	return lines, widths[0] + 2
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
