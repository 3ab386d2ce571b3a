package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is where a question was asked, and what shows the answer.
var source = regexp.MustCompile(`\nAsked in \[[^\]]+\]\((https://[^)]+)\)\. Shown by \[([^\]]+)\]\(([^)]+)\)\.\n*$`)

// shown is what the tests run: a case, or a script.
var shown = regexp.MustCompile(`^\.\./(examples/cases/[a-z0-9-]+\.json|cmd/diag405/testdata/[a-z]+/[a-z-]+\.txtar)$`)

// Every question names where it was asked and what shows the answer: a case of
// examples/cases, all of which are run, or a script.
func TestQuestions(t *testing.T) {
	text, err := os.ReadFile("faq.md")
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, section := range regexp.MustCompile(`(?m)^## .*$`).Split(string(text), -1) {
		entries := strings.Split(section, "\n### ")
		for _, entry := range entries[1:] {
			question, answer, _ := strings.Cut(entry, "\n")
			assert.Regexp(t, `[?.]$`, question)
			assert.Contains(t, question, "?")
			m := source.FindStringSubmatch(answer)
			if !assert.NotNil(t, m, "%s: where was it asked, and what shows it?", question) {
				continue
			}
			assert.False(t, asked[m[1]], "%s was asked twice", m[1])
			asked[m[1]] = true
			assert.Greater(t, len(answer)-len(m[0]), 40, "an answer to %s", question)
			assert.Regexp(t, shown, m[3], question)
			assert.FileExists(t, m[3], question)
			name := strings.TrimSuffix(filepath.Base(m[3]), filepath.Ext(m[3]))
			assert.Equal(t, name, m[2], question)
		}
	}
	assert.GreaterOrEqual(t, len(asked), 15)
}
