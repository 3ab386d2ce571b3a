// Package docs holds the pages that the program shows, and holds what the documents say
// of the project against the project.
package docs

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed lint.md causes/*.md
var pages embed.FS

// row is a row of the table in causes/README.md: a cause, and what the 405 came because
// of.
var row = regexp.MustCompile(`(?m)^\| \[([a-z-]+)\]\([a-z-]+\.md\) \| (.*?) \|`)

// Cause is a cause that has a page.
type Cause struct {
	Name    string
	Because string // the 405 came because of this, as a clause in Markdown
}

// Causes are all causes, in the order of causes/README.md.
func Causes() []Cause {
	overview, _ := pages.ReadFile("causes/README.md") // it is in the binary
	var all []Cause
	for _, m := range row.FindAllSubmatch(overview, -1) {
		all = append(all, Cause{string(m[1]), string(m[2])})
	}
	return all
}

// CauseNames are the names of [Causes].
func CauseNames() []string {
	var names []string
	for _, c := range Causes() {
		names = append(names, c.Name)
	}
	return names
}

// Finding is what begins the name of a page about a finding of lint.
const Finding = "lint/"

// Page is the page of a cause, or of a finding of lint such as lint/literal-star, in
// Markdown, and its path in this folder.
func Page(name string) (page, path string, err error) {
	if id, isFinding := strings.CutPrefix(name, Finding); isFinding {
		page, err = section("lint.md", id)
		return page, "lint.md", err
	}
	for _, c := range Causes() {
		if c.Name == name {
			path = "causes/" + name + ".md"
			data, err := pages.ReadFile(path)
			return string(data), path, err
		}
	}
	return "", "", fmt.Errorf("no cause is called %q", name)
}

// section is the part of a page below a heading.
func section(file, heading string) (string, error) {
	data, err := pages.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, text, ok := strings.Cut(string(data), "\n### "+heading+"\n")
	if !ok {
		return "", fmt.Errorf("no finding of lint is called %q", heading)
	}
	if end := regexp.MustCompile(`(?m)^##`).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return "# " + heading + "\n" + strings.TrimRight(text, "\n") + "\n", nil
}
