package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is in two languages says the same in both, as far as that can be seen without
// knowing Chinese: headings, commands, settings, headers, figures and links.
func TestLanguages(t *testing.T) {
	pairs := bilingual(t)
	assert.Greater(t, len(pairs), len(CauseNames()), "pages in both languages")
	for _, english := range pairs {
		t.Run(english, func(t *testing.T) {
			a, b := readPage(t, english), readPage(t, twin(english))
			require.Equal(t, a.levels(), b.levels(), "levels of the headings")
			for i := range a.sections {
				compareSections(t, a.sections[i], b.sections[i])
			}
		})
	}
}

func compareSections(t *testing.T, a, b pageSection) {
	t.Helper()
	where := "below " + a.heading
	if isCode(a.heading) {
		assert.Equal(t, a.heading, b.heading)
	}
	assert.Equal(t, a.blocks, b.blocks, "%s: blocks of code", where)
	assert.Equal(t, codeSpans(a.prose), codeSpans(b.prose), "%s: words in code", where)
	assert.Equal(t, a.targets(t), b.targets(t), "%s: what is linked to", where)
	assert.Subset(t, figuresIn(b.prose), figuresIn(a.prose), "%s: figures", where)
	assert.Equal(t, countItems(a.prose), countItems(b.prose), "%s: items of lists", where)
	if assert.Len(t, b.rows, len(a.rows), "%s: rows of tables", where) {
		for i := range a.rows {
			compareRows(t, where, a.rows[i], b.rows[i])
		}
	}
}

// compareRows wants cells that say something in code (a header, a setting, its default,
// a cause) to be the same, and of the others the code in them.
func compareRows(t *testing.T, where string, a, b []string) {
	t.Helper()
	if !assert.Len(t, b, len(a), "%s: cells of the row %q", where, a) {
		return
	}
	for i := range a {
		if isCode(a[i]) {
			assert.Equal(t, unlinked(a[i]), unlinked(b[i]), "%s: row %q", where, a)
			continue
		}
		assert.Equal(t, codeSpans(a[i]), codeSpans(b[i]), "%s: row %q, words in code", where, a)
		assert.Subset(t, figuresIn(b[i]), figuresIn(a[i]), "%s: row %q, figures", where, a)
	}
}

// bilingual are the English pages that have to have a Chinese one: every page of a cause,
// and the others of which there is one; paths in the project.
func bilingual(t *testing.T) []string {
	t.Helper()
	english, err := filepath.Glob("causes/*.md")
	require.NoError(t, err)
	for i, file := range english {
		english[i] = "docs/" + filepath.ToSlash(file)
	}
	require.NoError(t, filepath.WalkDir("zh-CN", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && file != filepath.FromSlash(glossary) {
			english = append(english, original("docs/"+filepath.ToSlash(file)))
		}
		return err
	}))
	if _, err := os.Stat(filepath.Join(root, twin("README.md"))); err == nil {
		english = append(english, "README.md")
	}
	slices.Sort(english)
	return slices.Compact(english)
}

// glossary has the terms of the Chinese pages, which English ones do without.
const glossary = "zh-CN/glossary.md"

// twin is the Chinese page of an English one.
func twin(english string) string {
	if name, ok := strings.CutPrefix(english, "docs/"); ok {
		return "docs/zh-CN/" + name
	}
	return strings.TrimSuffix(english, ".md") + ".zh-CN.md"
}

// original is the English page of a Chinese one, and of an English one itself.
func original(page string) string {
	page = strings.Replace(page, "docs/zh-CN/", "docs/", 1)
	return strings.Replace(page, ".zh-CN.md", ".md", 1)
}

// bilingualPage is a page as its headings part it.
type bilingualPage struct{ sections []pageSection }

func (p bilingualPage) levels() []int {
	var levels []int
	for _, s := range p.sections {
		levels = append(levels, s.level)
	}
	return levels
}

// pageSection is a heading and what stands below it, up to the next one.
type pageSection struct {
	page    string // its path in the project
	level   int    // how many # the heading has, 0 before the first one
	heading string
	blocks  []string   // of code, with their fences
	rows    [][]string // of tables, save the first and the line below it
	prose   string     // the rest, with the heading and the tables' first rows
}

func readPage(t *testing.T, file string) bilingualPage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	require.NoError(t, err, "%s has a page in the other language", original(file))
	return partPage(file, withoutComments(string(text)))
}

var (
	headingLine = regexp.MustCompile(`^(#+) (.*)$`)
	tableRule   = regexp.MustCompile(`^\|[ |:-]+\|$`)

	// afterParagraph is a line that ends a paragraph, with which an indented line would
	// only go on.
	afterParagraph = regexp.MustCompile("^#|^ *(```.*)?$")
)

func partPage(file, text string) bilingualPage {
	var page bilingualPage
	s := pageSection{page: file}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if n := blockLength(lines[i:], i == 0 || afterParagraph.MatchString(lines[i-1])); n > 0 {
			s.blocks = append(s.blocks, strings.TrimRight(strings.Join(lines[i:i+n], "\n"), "\n"))
			i += n - 1
			continue
		}
		m := headingLine.FindStringSubmatch(lines[i])
		switch {
		case m != nil:
			page.sections = append(page.sections, s)
			s = pageSection{page: file, level: len(m[1]), heading: m[2], prose: m[2] + "\n"}
		case tableRule.MatchString(lines[i]) && len(s.rows) > 0:
			s.prose += strings.Join(s.rows[len(s.rows)-1], " ") + "\n"
			s.rows = s.rows[:len(s.rows)-1]
		case strings.HasPrefix(lines[i], "|"):
			s.rows = append(s.rows, cellsOf(lines[i]))
		default:
			s.prose += lines[i] + "\n"
		}
	}
	page.sections = append(page.sections, s)
	return page
}

// blockLength is how many lines the block of code has that begins here, 0 where none
// does.
func blockLength(lines []string, mayIndent bool) int {
	if strings.HasPrefix(strings.TrimSpace(lines[0]), "```") {
		end := slices.IndexFunc(lines[1:], func(line string) bool { return strings.TrimSpace(line) == "```" })
		if end < 0 {
			return len(lines)
		}
		return end + 2
	}
	n := 0
	for mayIndent && n < len(lines) && (strings.HasPrefix(lines[n], "    ") || n > 0 && lines[n] == "") {
		n++
	}
	return n
}

// cellsOf are those of a table's row; an escaped | parts none.
func cellsOf(row string) []string {
	const escaped = "\x00"
	row = strings.ReplaceAll(strings.Trim(row, "|"), `\|`, escaped)
	var cells []string
	for cell := range strings.SplitSeq(row, "|") {
		cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), escaped, `\|`))
	}
	return cells
}

var (
	span   = regexp.MustCompile("`[^`]+`")
	figure = regexp.MustCompile(`\d[\d,.]*\d|\d`)
	bullet = regexp.MustCompile(`(?m)^ *(-|\d+\.) `)
	letter = regexp.MustCompile(`\pL`)
	toPage = regexp.MustCompile(`\[([^\]]+)\]\([^)\s]+\)`)
)

// codeSpans are the words that stand in code, once each, in the alphabet's order: word
// order is another in another language.
func codeSpans(text string) []string {
	return sortedOnce(span.FindAllString(strings.ReplaceAll(text, "\n", " "), -1))
}

// figuresIn are the numbers outside of code, once each. Chinese may have more of them, as
// in 10 秒 for ten seconds.
func figuresIn(text string) []string {
	return sortedOnce(figure.FindAllString(toPage.ReplaceAllString(span.ReplaceAllString(text, ""), "$1"), -1))
}

func countItems(text string) int { return len(bullet.FindAllString(text, -1)) }

func sortedOnce(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// isCode says whether a text has nothing to translate: a cause, or code and figures.
func isCode(text string) bool {
	text = unlinked(text)
	return slices.Contains(CauseNames(), text) || text != "" && !letter.MatchString(span.ReplaceAllString(text, ""))
}

// unlinked is a text without where its links lead.
func unlinked(text string) string { return toPage.ReplaceAllString(text, "$1") }

// targets are what a section links to, the same for a page in either language: the
// English page, and of a heading its place among those of the page.
func (s pageSection) targets(t *testing.T) []string {
	t.Helper()
	text := s.prose
	for _, row := range s.rows {
		text += strings.Join(row, " ") + "\n"
	}
	var targets []string
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		to, err := url.Parse(m[1] + m[2])
		require.NoError(t, err)
		if to.IsAbs() {
			targets = append(targets, to.String())
			continue
		}
		file := s.page
		if to.Path != "" {
			file = path.Join(path.Dir(s.page), to.Path)
		}
		assert.False(t, s.leavesLanguage(file), "%s links to %s, of which there is a page in Chinese", s.page, file)
		targets = append(targets, original(file)+headingAt(t, file, to.Fragment))
	}
	slices.Sort(targets)
	return targets
}

// leavesLanguage says whether a link takes readers of Chinese to English where they need
// not read it. A page may link to itself in the other language.
func (s pageSection) leavesLanguage(file string) bool {
	english := original(s.page)
	if s.page == english || file == english || file != original(file) {
		return false
	}
	_, err := os.Stat(filepath.Join(root, twin(file)))
	return err == nil
}

// headingAt is which heading of a page a fragment leads to, as in #3; "" without a fragment.
func headingAt(t *testing.T, file, fragment string) string {
	t.Helper()
	if fragment == "" {
		return ""
	}
	for i, s := range readPage(t, file).sections {
		if anchor(s.heading) == fragment {
			return "#" + strconv.Itoa(i)
		}
	}
	t.Errorf("%s has no heading #%s", file, fragment)
	return "#" + fragment
}

// What is found on a page, so that pages in which nothing is found do not seem equal.
func TestPartPage(t *testing.T) {
	page := partPage("page.md", strings.Join([]string{
		"Intro of `a`, 1,536 bytes.", "    no code", "# Title", "    curl x", "", "    curl y", "```yaml", "a: 1", "```",
		"## Table", "| h | `H` |", "| --- | --- |", `| b | c \| d |`, "- item", "  goes on",
	}, "\n"))
	assert.Equal(t, bilingualPage{[]pageSection{
		{page: "page.md", prose: "Intro of `a`, 1,536 bytes.\n    no code\n"},
		{page: "page.md", level: 1, heading: "Title", blocks: []string{"    curl x\n\n    curl y", "```yaml\na: 1\n```"}, prose: "Title\n"},
		{page: "page.md", level: 2, heading: "Table", rows: [][]string{{"b", `c \| d`}}, prose: "Table\nh `H`\n- item\n  goes on\n"},
	}}, page)
	assert.Equal(t, []string{"`a`"}, codeSpans(page.sections[0].prose))
	assert.Equal(t, []string{"1,536"}, figuresIn(page.sections[0].prose))
	assert.Equal(t, 1, countItems(page.sections[2].prose))
	for text, want := range map[string]bool{
		"strip-path": true, "[`unknown`](unknown.md)": true, "`full`, `code`": true, "300": true,
		"": false, "text": false, "`a` or `b`": false, "10 to 5000": false,
	} {
		assert.Equal(t, want, isCode(text), text)
	}
}
