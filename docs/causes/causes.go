// Package causes holds the pages of this folder, for a program that shows them.
package causes

import (
	"embed"
	"fmt"
	"regexp"
)

//go:embed *.md
var pages embed.FS

// row is a row of the table in README.md: a cause, and what the 405 came because of.
var row = regexp.MustCompile(`(?m)^\| \[([a-z-]+)\]\([a-z-]+\.md\) \| (.*?) \|`)

// Cause is a cause that has a page.
type Cause struct {
	Name    string
	Because string // the 405 came because of this, as a clause in Markdown
}

// All are the causes, in the order of README.md.
func All() []Cause {
	overview, _ := pages.ReadFile("README.md") // it is in the binary
	var all []Cause
	for _, m := range row.FindAllSubmatch(overview, -1) {
		all = append(all, Cause{string(m[1]), string(m[2])})
	}
	return all
}

// Names are the names of [All].
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	return names
}

// Page is a cause's page, in Markdown.
func Page(name string) (string, error) {
	for _, c := range All() {
		if c.Name == name {
			page, err := pages.ReadFile(name + ".md")
			return string(page), err
		}
	}
	return "", fmt.Errorf("no cause is called %q", name)
}
