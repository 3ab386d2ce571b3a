// Package cause is the command that shows the page of a cause, which is in the binary.
package cause

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/docs"
)

const usage = `Usage: diag405 cause [flags] [CAUSE]

Prints what is known of a cause, as X-Diag names it: what it looks like, why it happens,
how to confirm it by hand and how to fix it. Without CAUSE it lists them all. A finding
of diag405 lint is lint/ID, in English.

Flags:
  -lang en|zh-CN   the language of the page; without it Chinese where the environment's
                   locale is zh_CN or zh_SG in UTF-8, and English elsewhere

Examples:
  diag405 cause strip-path
  diag405 cause -lang zh-CN strip-path
`

// words are the command's own, by language.
var words = map[string]struct{ because, also string }{
	docs.English: {"The 405 came because", "See also"},
	docs.Chinese: {"405 的由来", "另见"},
}

// Run prints the page of a cause, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	flags := cli.NewFlags("cause")
	language := flags.String("lang", preferred(os.Getenv), "")
	asked, err := cli.Parse(flags, args)
	switch {
	case err != nil:
	case len(asked) > 1:
		err = fmt.Errorf("unexpected argument %q", asked[1])
	case !slices.Contains(docs.Languages(), *language):
		err = fmt.Errorf("-lang: want one of %s, got %q", strings.Join(docs.Languages(), ", "), *language)
	}
	if err != nil {
		return std.BadArguments("cause", usage, err)
	}
	text := ""
	if len(asked) == 0 {
		text = list(*language)
	} else if text, err = page(*language, asked[0]); err != nil {
		return std.Cannot("cause: %v; diag405 cause lists them%s", err, cli.Meant(asked[0], docs.CauseNames()))
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

// preferred is the language of the pages that a locale asks for: the first that is set of
// LC_ALL, LC_MESSAGES and LANG (POSIX.1-2024, XBD 8.2). The pages are in simplified
// Chinese, and in UTF-8, which glibc takes zh_CN alone not to be.
func preferred(getenv func(string) string) string {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"))
	locale, _, _ = strings.Cut(locale, "@")
	place, charset, _ := strings.Cut(locale, ".")
	isUTF8 := strings.EqualFold(charset, "UTF-8") || strings.EqualFold(charset, "UTF8")
	if isUTF8 && slices.Contains([]string{"zh", "zh_CN", "zh_SG"}, place) {
		return docs.Chinese
	}
	return docs.English
}

// list names the causes, each with what it is.
func list(language string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", words[language].because)
	for _, c := range docs.Causes(language) {
		fmt.Fprintf(&b, "%-22s  %s\n", c.Name, link.ReplaceAllString(c.Because, "$1"))
	}
	return b.String()
}

// link is a link in Markdown: its text, and where it leads.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)

// page is a cause's page, with its links at the end, where a terminal can use them.
func page(language, name string) (string, error) {
	if strings.HasPrefix(name, docs.Finding) {
		language = docs.English
	}
	page, file, err := docs.Page(language, name)
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
		page += "\n## " + words[language].also + "\n    " + strings.Join(also, "\n    ") + "\n"
	}
	return page, nil
}
