// Package cause is the command that shows the page of a cause, which is in the binary.
package cause

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/docs"
)

const usage = `Usage: diag405 cause [CAUSE]

Prints what is known of a cause, as X-Diag names it: what it looks like, why it happens,
how to confirm it by hand and how to fix it. Without CAUSE it lists them all. A finding
of diag405 lint is lint/ID.

Example:
  diag405 cause strip-path
`

// Run prints the page of a cause, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	words, err := cli.Parse(cli.NewFlags("cause"), args)
	if err == nil && len(words) > 1 {
		err = fmt.Errorf("unexpected argument %q", words[1])
	}
	if err != nil {
		return std.BadArguments("cause", usage, err)
	}
	text := ""
	if len(words) == 0 {
		text = list()
	} else if text, err = page(words[0]); err != nil {
		return std.Cannot("cause: %v; diag405 cause lists them%s", err, cli.Meant(words[0], docs.CauseNames()))
	}
	screen := cli.NewScreen(std.Out)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			line = screen.Paint(cli.Bold, line)
		}
		screen.Println(line)
	}
	return cli.OK
}

// list names the causes, each with what it is.
func list() string {
	var b strings.Builder
	b.WriteString("# The 405 came because\n")
	for _, c := range docs.Causes() {
		fmt.Fprintf(&b, "%-22s  %s\n", c.Name, link.ReplaceAllString(c.Because, "$1"))
	}
	return b.String()
}

// link is a link in Markdown: its text, and where it leads.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)

// page is a cause's page, with its links at the end, where a terminal can use them.
func page(name string) (string, error) {
	page, file, err := docs.Page(name)
	if err != nil {
		return "", err
	}
	var also []string
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		if to := cli.Link(path.Join(path.Dir(file), m[2])); to != "" && !slices.Contains(also, to) {
			also = append(also, to)
		}
	}
	page = link.ReplaceAllString(page, "$1")
	if len(also) > 0 {
		page += "\n## See also\n    " + strings.Join(also, "\n    ") + "\n"
	}
	return page, nil
}
