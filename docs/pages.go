// Package docs holds the pages that the program shows, and holds what the documents say
// of the project against the project.
package docs

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed lint.md causes/*.md zh-CN/causes/*.md
var pages embed.FS

// The languages that the pages of the causes are in. The rest of this folder is English.
const (
	English = "en"
	Chinese = "zh-CN"
)

// Languages are all languages of the causes' pages.
func Languages() []string { return []string{English, Chinese} }

// folder is where the pages of a language are.
func folder(language string) string {
	if language == English {
		return "causes/"
	}
	return language + "/causes/"
}

// row is a row of the table in causes/README.md: a cause, and what the 405 came because
// of.
var row = regexp.MustCompile(`(?m)^\| \[([a-z-]+)\]\([a-z-]+\.md\) \| (.*?) \|`)

// Cause is a cause that has a page.
type Cause struct {
	Name    string
	Because string // the 405 came because of this, as a clause in Markdown
}

// Causes are all causes in a language of [Languages], in the order of causes/README.md.
func Causes(language string) []Cause {
	overview, _ := pages.ReadFile(folder(language) + "README.md") // it is in the binary
	var all []Cause
	for _, m := range row.FindAllSubmatch(overview, -1) {
		all = append(all, Cause{string(m[1]), string(m[2])})
	}
	return all
}

// CauseNames are the names of [Causes].
func CauseNames() []string {
	var names []string
	for _, c := range Causes(English) {
		names = append(names, c.Name)
	}
	return names
}

// Finding is what begins the name of a page about a finding of lint.
const Finding = "lint/"

// Page is the page of a cause in a language of [Languages], or of a finding of lint such
// as lint/literal-star, which is in English whatever the language; in Markdown without
// pictures, and its path in this folder.
func Page(language, name string) (page, path string, err error) {
	if id, isFinding := strings.CutPrefix(name, Finding); isFinding {
		page, err = section("lint.md", id)
		return page, "lint.md", err
	}
	if !slices.Contains(CauseNames(), name) {
		return "", "", fmt.Errorf("no cause is called %q", name)
	}
	path = folder(language) + name + ".md"
	data, err := pages.ReadFile(path)
	return onScreen(string(data)), path, err
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
	return onScreen("# " + heading + "\n" + strings.TrimRight(text, "\n") + "\n"), nil
}

var (
	// comment is a line of a page that is for its tests.
	comment = regexp.MustCompile(`(?m)^<!--.*-->\n`)
	// picture is a picture in a page, which a terminal cannot show.
	picture = regexp.MustCompile(`(?s)<picture>.*?</picture>\n\n?`)
)

// onScreen is a page without what is not for reading on a screen.
func onScreen(page string) string { return picture.ReplaceAllString(withoutComments(page), "") }

func withoutComments(page string) string { return comment.ReplaceAllString(page, "") }
