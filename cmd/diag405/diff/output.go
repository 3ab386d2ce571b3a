package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/diff"
)

// kindWords say what changes, as a clause, for kinds that are no part of the request
// that an upstream gets; kindParts are those.
var (
	kindWords = map[diff.Kind]string{
		diff.Unreached: "no upstream gets it any more",
		diff.Reached:   "an upstream gets it now",
		diff.Answer:    "it gets another answer",
		diff.Upstream:  "another upstream gets it",
		diff.Plugin:    "a plugin on its way does something else",
		diff.Route:     "another route takes it",
	}
	kindParts = map[diff.Kind]string{diff.Path: "path", diff.Method: "method", diff.Host: "Host", diff.Query: "query"}
)

var kindStyles = map[diff.Kind]cli.Style{diff.Unreached: cli.Red, diff.Route: cli.Faint, diff.Plugin: cli.Faint}

func kindsText(c *diff.Change) string {
	var list []string
	for _, k := range c.Kinds {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}

// kindsWords is what changes, as a sentence.
func kindsWords(c *diff.Change) string {
	var clauses, parts []string
	for _, k := range c.Kinds {
		if part, ok := kindParts[k]; ok {
			parts = append(parts, part)
		} else {
			clauses = append(clauses, kindWords[k])
		}
	}
	switch {
	case len(parts) == 0:
	case c.Kinds[0] == diff.Upstream:
		clauses[0] += " with another " + list(parts)
	default:
		clauses = slices.Insert(clauses, 0, "the upstream gets another "+list(parts))
	}
	return strings.Join(clauses, ", ")
}

// list joins things as in a sentence: a, b and c.
func list(things []string) string {
	if len(things) < 2 {
		return strings.Join(things, "")
	}
	return strings.Join(things[:len(things)-1], ", ") + " and " + things[len(things)-1]
}

func printText(r *result, s *cli.Screen) error {
	for _, n := range r.notes {
		s.Println(s.Paint(cli.Faint, "note: "+cli.Printable(n)))
	}
	shown, left := r.few()
	for _, c := range shown {
		r.textChange(c, s)
	}
	for _, line := range left {
		s.Println(s.Paint(cli.Faint, line))
	}
	if len(r.Changes) > 0 {
		s.Println("")
	}
	for _, line := range r.aside() {
		s.Println(cli.Printable(line))
	}
	s.Println(r.summary())
	return nil
}

func (r *result) textChange(c *diff.Change, s *cli.Screen) {
	style := cli.Yellow
	if own, ok := kindStyles[c.Kinds[0]]; ok {
		style = own
	}
	head := s.Paint(style, kindsText(c)) + ": " + kindsWords(c)
	if c.Allowed {
		head = s.Paint(cli.Faint, "allowed, ") + head
	}
	s.Println(head)
	s.Println("   " + s.Paint(cli.Bold, cli.Printable(c.Witness.String())) + countText(c))
	s.Println("   before: " + cli.Printable(outcomeText(c.Before, r.hosts)))
	s.Println("   after:  " + cli.Printable(outcomeText(c.After, r.hosts)))
}

// most is how many changes in the same kinds are shown.
const most = 5

// few are the changes that a person is shown: a few of those in the same kinds. How many
// there are besides is a line each.
func (r *result) few() (shown []*diff.Change, left []string) {
	count := map[string]int{}
	var order []string
	for _, c := range r.Changes {
		key := kindsText(c)
		if c.Allowed {
			key = "allowed, " + key
		}
		count[key]++
		if count[key] <= most {
			shown = append(shown, c)
		} else if count[key] == most+1 {
			order = append(order, key)
		}
	}
	for _, key := range order {
		left = append(left, fmt.Sprintf("%s: %s more, which -o json has", key, cli.Plural(count[key]-most, "change")))
	}
	return shown, left
}

// countText is how many requests change so, where that is known from a log.
func countText(c *diff.Change) string {
	switch {
	case c.Logged > 0:
		return fmt.Sprintf("   (%d logged)", c.Logged)
	case c.Asked > 1:
		return fmt.Sprintf("   (and %d more like it)", c.Asked-1)
	}
	return ""
}

// outcomeText is what becomes of a request, as in a sentence.
func outcomeText(o diff.Outcome, hosts bool) string {
	route := "no route"
	if o.Route != "" {
		route = "route " + o.Route
	}
	u := o.Upstream
	if u == nil {
		return route + ": " + o.By + " answers " + cmp.Or(strings.TrimPrefix(fmt.Sprint(o.Status), "0"), "by itself")
	}
	text := fmt.Sprintf("%s → %s %s://%s%s", route, u.Method, u.Scheme, u.Address, u.URI)
	if name, _, _ := strings.Cut(u.Address, ":"); u.Host != u.Address && (hosts || u.Host != name) {
		text += " with Host " + u.Host
	}
	for _, words := range u.Uncertain {
		text += " (" + words + ")"
	}
	return text
}

// aside is what else there is to say, a line each.
func (r *result) aside() []string {
	var lines []string
	for _, n := range r.Renamed {
		lines = append(lines, fmt.Sprintf("renamed: route %s is %s now, and does the same", n.Old, n.New))
	}
	if len(r.Added) > 0 {
		lines = append(lines, "added: "+routesText(r.Added))
	}
	if len(r.Removed) > 0 {
		lines = append(lines, "removed: "+routesText(r.Removed))
	}
	for _, words := range r.Sampled {
		lines = append(lines, "only examples were asked: "+words)
	}
	return lines
}

func routesText(names []string) string {
	if len(names) > 6 {
		return fmt.Sprintf("%d routes, among them %s", len(names), strings.Join(names[:6], ", "))
	}
	return "route " + strings.Join(names, ", ")
}

func (r *result) name() string { return r.old.Name() + " → " + r.new.Name() }

func (r *result) summary() string {
	text := r.name() + ": no request changes"
	if n := len(r.Changes); n > 0 {
		text = r.name() + ": " + cli.Plural(n, "change")
	}
	allowed := 0
	for _, c := range r.Changes {
		if c.Allowed {
			allowed++
		}
	}
	if allowed > 0 {
		text += fmt.Sprintf(", %d allowed", allowed)
	}
	if t := r.Traffic; t != nil {
		text += fmt.Sprintf("; %d of %s in the log", t.Changed, cli.Plural(t.Requests, "request"))
	}
	return text + fmt.Sprintf(" (%d made from the routes)", r.Asked)
}

// jsonReport is the form of -o json.
type jsonReport struct {
	Old   string   `json:"old"`
	New   string   `json:"new"`
	Notes []string `json:"notes,omitempty"`
	*diff.Report
}

func printJSON(r *result, s *cli.Screen) error {
	return cli.PrintJSON(s.Out, jsonReport{r.old.Name(), r.new.Name(), r.notes, r.Report})
}

// printMarkdown is a comment on a merge request.
func printMarkdown(r *result, s *cli.Screen) error {
	s.Println("**" + markdown(r.summary()) + "**")
	if len(r.Changes) > 0 {
		s.Println("\n| what changes | such a request | before | after |\n| --- | --- | --- | --- |")
	}
	shown, left := r.few()
	for _, c := range shown {
		what := "**" + kindsText(c) + "**"
		if c.Allowed {
			what += " (allowed)"
		}
		s.Println(fmt.Sprintf("| %s | %s%s | %s | %s |", what, code(c.Witness.String()), markdown(countText(c)),
			code(outcomeText(c.Before, r.hosts)), code(outcomeText(c.After, r.hosts))))
	}
	if lines := slices.Concat(left, r.notes, r.aside()); len(lines) > 0 {
		s.Println("")
		for _, line := range lines {
			s.Println("- " + markdown(line))
		}
	}
	return nil
}

// markdown is text that means nothing but itself.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "|", `\|`, "<", "&lt;", "[", `\[`).Replace(cli.Printable(text))
}

// code is text in a cell of a table. A bar would end the cell even there.
func code(text string) string {
	text = strings.ReplaceAll(cli.Printable(text), "|", `\|`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + text + fence
}
