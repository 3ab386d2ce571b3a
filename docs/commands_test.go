package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A command on a page is run by a test, or marked. It counts as run when a script of
// cmd/diag405/testdata has the same line. A mark stands on a line of its own:
//
//	<!-- not run: WHY -->            nothing runs the block that follows
//	<!-- run by: FILE -->            FILE does: it reads this page, or has these commands
//	<!-- page not run: WHY -->       the same for every block of the page that has no mark
//	<!-- page run by: FILE -->
//
// A mark of a page never stands for diag405's own commands.
var markLine = regexp.MustCompile(`^<!-- (page )?(not run|run by): (.+?) -->$`)

// mark says who runs commands, or why nobody does.
type mark struct {
	page  bool
	runBy string // a file, below the project's folder
	why   string // nobody, and why
}

// block is a block of code: its commands, and the mark that it stands behind.
type block struct {
	line     int
	commands []string
	mark     *mark
}

// programs are what the first word of a command is. A block of a shell's language, or
// with prompts, has commands by these.
var programs = strings.Fields(`bash brew cat cd chmod chown cosign cp curl deck diag405 docker echo export for git
	go goreleaser grep grpcurl gunzip gzip head helm hg http inso jq kind kong kubectl make mkdir mv nginx npm npx
	openssl pip podman pre-commit printf python3 rm sed set sh sha256sum source sudo systemctl tail tar terraform
	time tofu touch uvicorn wget while wrk xargs yq zcat`)

// tally counts the commands of all pages.
type tally struct{ byScript, byTest, notRun int }

// Every command on every page is run by a test, or marked as not run.
func TestCommands(t *testing.T) {
	scripts := scriptLines(t)
	var all tally
	for _, page := range markdown(t) {
		text, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		blocks, ofPage := parsePage(t, page, string(text))
		var n tally
		forMarkOfPage := 0
		for _, b := range blocks {
			open := slices.DeleteFunc(slices.Clone(b.commands), func(c string) bool { return scripts[plain(c)] })
			n.byScript += len(b.commands) - len(open)
			switch {
			case b.mark != nil && b.mark.runBy != "": // checked also where a script has them
				checkRunBy(t, page, b.mark.runBy, b.commands)
				n.byTest += len(open)
			case len(open) == 0:
				assert.Nil(t, b.mark, "%s:%d: a script runs these", page, b.line)
			default:
				if b.mark == nil {
					forMarkOfPage++
				}
				n.add(t, page, b, ofPage, open)
			}
		}
		assert.True(t, ofPage == nil || forMarkOfPage > 0, "%s: its mark is for no block", page)
		all = tally{all.byScript + n.byScript, all.byTest + n.byTest, all.notRun + n.notRun}
	}
	t.Logf("commands: %+v", all)
	assert.Greater(t, all.byScript, 30, "commands that a script runs")
	assert.Greater(t, all.byTest, 3, "commands that another test runs")
	assert.Greater(t, all.notRun, 60, "commands that are marked")
}

// add counts the commands of a block that no script runs, and holds them against the
// mark that they stand behind.
func (n *tally) add(t *testing.T, page string, b block, ofPage *mark, open []string) {
	t.Helper()
	m := b.mark
	if m == nil {
		m = ofPage
	}
	switch {
	case m == nil:
		t.Errorf("%s:%d: no script of cmd/diag405/testdata runs %q, and no mark says why", page, b.line, open)
	case b.mark == nil && slices.ContainsFunc(open, isOurs):
		t.Errorf("%s:%d: a mark of the page does not stand for diag405's own %q", page, b.line, open)
	case m.runBy != "":
		n.byTest += len(open)
		checkRunBy(t, page, m.runBy, open)
	default:
		n.notRun += len(open)
	}
}

// markdown are the project's pages, below its folder.
func markdown(t *testing.T) []string {
	t.Helper()
	var pages []string
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(file) == ".md":
			rel, err := filepath.Rel(root, file)
			pages = append(pages, filepath.ToSlash(rel))
			return err
		}
		return nil
	}))
	require.Greater(t, len(pages), 30)
	return pages
}

// parsePage finds the blocks that have commands, and the page's own mark.
func parsePage(t *testing.T, page, text string) (blocks []block, ofPage *mark) {
	t.Helper()
	var open *mark // stands before what comes next
	lines := strings.Split(text, "\n")
	mayIndent := true // an indented block does not interrupt a paragraph
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		n := blockLength(lines[i:], mayIndent)
		if n == 0 {
			mayIndent = line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "<!--")
			if m := parseMark(line); m != nil && m.page {
				assert.Nil(t, ofPage, "%s:%d: a second mark of the page", page, i+1)
				ofPage = m
			} else if m != nil {
				assert.Nil(t, open, "%s:%d: a mark with no block behind it", page, i+1)
				open = m
			} else if line != "" {
				assert.Nil(t, open, "%s:%d: a mark with no block behind it", page, i)
				open = nil
			}
			continue
		}
		begin := i
		language, body := insideOf(lines[i : i+n])
		i += n - 1
		found := commandsIn(language, body, open != nil)
		if len(found) > 0 {
			blocks = append(blocks, block{begin + 1, found, open})
		} else {
			assert.Nil(t, open, "%s:%d: a mark, and no command in the block", page, begin+1)
			assert.NotContains(t, []string{"sh", "bash", "shell", "console"}, language, "%s:%d: a block of commands with none that is known", page, begin+1)
		}
		open, mayIndent = nil, true
	}
	assert.Nil(t, open, "%s: a mark at the end", page)
	return blocks, ofPage
}

// insideOf is a block of code without its fences or its indent.
func insideOf(lines []string) (language string, body []string) {
	indent := "    "
	if fence, isFence := strings.CutPrefix(strings.TrimSpace(lines[0]), "```"); isFence {
		language, indent = fence, indentOf(lines[0])
		lines = lines[1:max(1, len(lines)-1)]
	}
	for _, line := range lines {
		body = append(body, strings.TrimPrefix(line, indent))
	}
	return language, body
}

func parseMark(line string) *mark {
	m := markLine.FindStringSubmatch(line)
	switch {
	case m == nil:
		return nil
	case m[2] == "run by":
		return &mark{page: m[1] != "", runBy: m[3]}
	}
	return &mark{page: m[1] != "", why: m[3]}
}

// commandsIn are the commands in a block: what stands behind prompts where there are any,
// else each line that begins with a program, and where none does all lines of a block
// that is marked. Lines that go on are one command.
func commandsIn(language string, lines []string, marked bool) []string {
	if !slices.Contains([]string{"", "sh", "bash", "shell", "console"}, language) {
		return nil // a file
	}
	begins := beginsCommand
	switch isPrompt := func(line string) bool { return strings.HasPrefix(line, "$ ") }; {
	case slices.ContainsFunc(lines, isPrompt):
		begins = isPrompt
	case marked && !slices.ContainsFunc(lines, beginsCommand):
		begins = func(line string) bool { return line != "" }
	}
	var found []string
	for i := 0; i < len(lines); i++ {
		if !begins(lines[i]) {
			continue
		}
		line := strings.TrimPrefix(lines[i], "$ ")
		for goesOn(line) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimSpace(lines[i])
		}
		found = append(found, line)
	}
	return found
}

func goesOn(line string) bool {
	return strings.HasSuffix(line, `\`) || strings.HasSuffix(line, "|") || strings.HasSuffix(line, "&&")
}

// assignment is a variable that is set for one command.
var assignment = regexp.MustCompile(`^[A-Z][A-Z0-9_]*=\S*\s+`)

func beginsCommand(line string) bool {
	for assignment.MatchString(line) {
		line = assignment.ReplaceAllString(line, "")
	}
	word, rest, _ := strings.Cut(line, " ")
	isColumn := strings.HasSuffix(word, "/") || strings.HasPrefix(rest, " ") // of a list of folders, of a screen
	return !isColumn && slices.Contains(programs, path.Base(word))
}

func isOurs(command string) bool {
	word, _, _ := strings.Cut(plain(command), " ")
	return path.Base(word) == "diag405"
}

var (
	remark     = regexp.MustCompile(`\s{2,}#.*$|\s+# .*$`)
	toFile     = regexp.MustCompile(`\s*>\s*\S+$`)
	background = regexp.MustCompile(`\s*&\w*&?$`)
	fromSource = regexp.MustCompile(`^go run \./cmd/diag405\b`)
)

// plain is a command as a script has it.
func plain(command string) string {
	command = remark.ReplaceAllString(command, "")
	command = toFile.ReplaceAllString(command, "")
	return strings.TrimSpace(fromSource.ReplaceAllString(command, "diag405"))
}

// runs is what a line of a script runs.
var runs = regexp.MustCompile(`^(?:! )?(?:exec|refuses|exits \d+) (.*)$`)

// scriptLines are the commands of all scripts.
func scriptLines(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "cmd/diag405/testdata/*/*.txtar"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		script, _, _ := strings.Cut(string(text), "\n-- ")
		for line := range strings.Lines(script) {
			if m := runs.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				found[onPage(m[1])] = true
			}
		}
	}
	require.Greater(t, len(found), 200)
	return found
}

// loopback is what a script needs besides to ask nobody, and to be asked nothing.
var loopback = regexp.MustCompile(` -yes\b| --connect-to \S+`)

// onPage is a command of a script as a page has it.
func onPage(command string) string {
	return loopback.ReplaceAllString(background.ReplaceAllString(command, ""), "")
}

// literal is a string in a test.
var literal = regexp.MustCompile(`"([^"\n]+)"`)

// reads reports whether a test names a page: in one string, or in two that are put
// together, as one is where several pages are read alike.
func reads(test, text, page string) bool {
	named, isBelow := strings.CutPrefix(page, path.Dir(test)+"/")
	if !isBelow {
		named = page
	}
	all := map[string]bool{}
	for _, m := range literal.FindAllStringSubmatch(text, -1) {
		all[m[1]] = true
	}
	for l := range all {
		rest, isEnd := strings.CutSuffix(named, l)
		if path.Join(path.Dir(test), l) == page || isEnd && all[rest] {
			return true
		}
	}
	return false
}

// checkRunBy checks that a file reads the page, as a test does, or has the commands.
func checkRunBy(t *testing.T, page, file string, commands []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if !assert.NoError(t, err, page) {
		return
	}
	if strings.HasSuffix(file, "_test.go") && reads(file, string(text), page) {
		return
	}
	for _, c := range commands {
		assert.Contains(t, string(text), plain(c), "%s says that %s runs its commands", page, file)
	}
}

// What is found on a page, and what is held against it.
func TestCommandsOnAPage(t *testing.T) {
	blocks, ofPage := parsePage(t, "page.md", strings.Join([]string{
		"# Page", "<!-- page not run: asks your Kong -->", "",
		"    curl -i \\", "      localhost:8000   # a remark", "    weather  405", "",
		"    LINES=5 go test ./...", "", "Text", "    curl no block", "",
		"<!-- not run: needs Docker -->", "```", "docker build .", "```",
		"<!-- run by: x_test.go -->", "", "```console", "$ go run ./cmd/diag405 demo > out.txt", "curl is a screen here", "```",
		"```yaml", "go: 1", "```", "- a list", "", "  ```sh", "  cd x", "  ```",
		"<!-- not run: a function -->", "", "    send this", "    send that",
	}, "\n"))
	assert.Equal(t, &mark{page: true, why: "asks your Kong"}, ofPage)
	assert.Equal(t, []block{
		{4, []string{"curl -i localhost:8000   # a remark", "LINES=5 go test ./..."}, nil},
		{14, []string{"docker build ."}, &mark{why: "needs Docker"}},
		{19, []string{"go run ./cmd/diag405 demo > out.txt"}, &mark{runBy: "x_test.go"}},
		{28, []string{"cd x"}, nil},
		{33, []string{"send this", "send that"}, &mark{why: "a function"}},
	}, blocks)
	assert.Equal(t, "curl -i localhost:8000", plain(blocks[0].commands[0]))
	assert.Equal(t, "diag405 demo", plain(blocks[2].commands[0]))
	assert.True(t, isOurs(blocks[2].commands[0]))
}

// indentOf is the white space before a fence in a list.
func indentOf(line string) string { return line[:strings.Index(line, "`")] }
