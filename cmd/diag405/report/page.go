package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/kong/picture"
	"diag405/plugin/logread"
	"diag405/plugin/report"
)

//go:embed page.html
var pageText string

// pageTemplate is the page. What came from a log goes through html/template, which
// escapes it for where it stands; only pictures are put in as they are, and package
// picture escapes what is in them.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"plural": cli.Plural, "orDash": orDash}).Parse(pageText))

// page is what -o html prints: one file that needs nothing else.
func (o *options) page(s logread.Summary, out io.Writer) error {
	p := pageData{Summary: s, Files: o.names(), Notes: o.noteWords(s), Made: o.now.Format("2006-01-02 15:04 MST"), Chart: newChart(s, time.Local)}
	if o.by == "" {
		all := len(s.Groups)
		p.Sections = []pageSection{{Rows: pageRows(s.Groups[:o.shown(all)])}}
		p.Left = all - o.shown(all)
		return pageTemplate.Execute(out, p)
	}
	rows := s.Rows(o.by)
	for _, r := range rows[:o.shown(len(rows))] {
		p.Sections = append(p.Sections, pageSection{By: o.by, Row: r, Rows: pageRows(r.Groups[:min(len(r.Groups), maxPageParts)])})
	}
	p.Left = len(rows) - o.shown(len(rows))
	return pageTemplate.Execute(out, p)
}

// maxPageParts is how many groups of a section are on the page.
const maxPageParts = 50

// names are the logs' names as they may be shown.
func (o *options) names() string {
	var names []string
	for _, name := range o.files {
		if name == "-" {
			name = "stdin"
		}
		names = append(names, report.Clean(name))
	}
	return strings.Join(names, ", ")
}

// pageData is what the page shows.
type pageData struct {
	logread.Summary
	Files, Made string
	Notes       []string
	Chart       *chart
	Sections    []pageSection
	Left        int // rows that are not shown
}

// pageSection is the rows that have something in common.
type pageSection struct {
	By string // what they have in common, "" for nothing
	logread.Row
	Rows []pageRow
}

// pageRow is a group with what is shown when it is opened.
type pageRow struct {
	logread.Group
	Share   float64 // of the most frequent, in percent
	Picture template.HTML
	Forms   []report.Form
	From    string
}

func pageRows(groups []logread.Group) []pageRow {
	var rows []pageRow
	for _, g := range groups {
		// The text of an SVG in which everything is escaped: see package picture.
		drawn := template.HTML(picture.Path(g.Parts()))
		rows = append(rows, pageRow{
			Group: g, Share: 100 * float64(g.Count) / float64(groups[0].Count), Picture: drawn, Forms: g.Forms(), From: froms[g.From],
		})
	}
	return rows
}

// formNames are the forms of a fix by what people call them.
var formNames = map[string]string{
	"admin_api":   "Admin API",
	"declarative": "kong.yml or decK",
	"kubernetes":  "Kubernetes",
}

// FormName is what to call a form.
func (pageRow) FormName(f report.Form) string { return formNames[f.Name] }

// chart is a line of how many requests failed over time.
type chart struct {
	Line, Area  template.HTMLAttr
	First, Last string
	Most        int
	Every       string // what a point stands for
}

// The size of the chart, in its own units.
const (
	chartWidth  = 1000.0
	chartHeight = 120.0
)

// newChart is nil where nothing has a time, or all the same.
func newChart(s logread.Summary, zone *time.Location) *chart {
	n := len(s.Timeline)
	if n < 2 {
		return nil
	}
	c := &chart{Every: every(s.Seconds)}
	for _, p := range s.Timeline {
		c.Most = max(c.Most, p.Count)
	}
	var line strings.Builder
	for i, p := range s.Timeline {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", command, chartWidth*float64(i)/float64(n-1), chartHeight*(1-float64(p.Count)/float64(c.Most)))
	}
	c.Line = template.HTMLAttr(fmt.Sprintf(`d="%s"`, line.String()))
	c.Area = template.HTMLAttr(fmt.Sprintf(`d="%sL%.0f %.0fL0 %.0fZ"`, line.String(), chartWidth, chartHeight, chartHeight))
	at := func(p logread.Point) string { return time.Unix(p.From, 0).In(zone).Format("2006-01-02 15:04") }
	c.First, c.Last = at(s.Timeline[0]), at(s.Timeline[n-1])
	return c
}

// every says a number of seconds in words.
func every(seconds int64) string {
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"day", 86400}, {"hour", 3600}, {"minute", 60}} {
		if seconds%unit.seconds == 0 {
			return cli.Plural(int(seconds/unit.seconds), unit.name)
		}
	}
	return cli.Plural(int(seconds), "second")
}
