package diagnose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every code has its page, named in the index and in the README's table, and at
// least one 405 that somebody met. (TestExplain asserts that each has a rule's
// test.)
func TestEveryCodeIsDocumented(t *testing.T) {
	cases := causesOfCases(t)
	index := read(t, "../../docs/causes/README.md")
	readme := read(t, "../../README.md")
	for _, code := range Codes() {
		page := read(t, "../../docs/causes/"+string(code)+".md")
		assert.True(t, strings.HasPrefix(page, "# "+string(code)+"\n"), "%s: its page is headed by the code", code)
		assert.Contains(t, index, "("+string(code)+".md)")
		assert.Contains(t, readme, "`"+string(code)+"`")
		if code != Unknown {
			assert.Contains(t, cases, code, "no case has this cause")
		}
	}
}

func causesOfCases(t *testing.T) map[Code]bool {
	t.Helper()
	files, err := filepath.Glob("../../examples/cases/*.json")
	require.NoError(t, err)
	found := map[Code]bool{}
	for _, file := range files {
		var c struct{ Expect struct{ Cause Code } }
		require.NoError(t, json.Unmarshal([]byte(read(t, file)), &c), file)
		found[c.Expect.Cause] = true
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}
