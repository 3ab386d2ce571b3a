package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readAll reads the cases of this folder, which all have to parse.
func readAll(t *testing.T) []*Case {
	t.Helper()
	files, err := readCases(".")
	require.NoError(t, err)
	var cases []*Case
	for _, f := range files {
		require.NoError(t, f.fail)
		cases = append(cases, f.c)
	}
	return cases
}

func readNamed(t *testing.T, id string) *Case {
	t.Helper()
	f := readCase(id + ".json")
	require.NoError(t, f.fail)
	return f.c
}

func TestCaseFiles(t *testing.T) {
	files, err := readCases(".")
	require.NoError(t, err)
	for _, f := range files {
		if !assert.NoError(t, f.fail) {
			continue
		}
		c := f.c
		assert.FileExists(t, c.ID+".json", "a case is called what its file is called")
		assert.Equal(t, 405, c.Expect.Status, c.ID)
		assert.NotEmpty(t, c.Source, c.ID)
		assert.NotEmpty(t, c.Expect.Cause, c.ID)
		fix := c.Expect.Fix
		assert.True(t, fix.App != "" || len(fix.Set) > 0 || len(fix.Client) > 0, "%s has a fix", c.ID)
		assert.Equal(t, fix.App == "", c.Expect.Derivable != "", "%s: a fix outside the application says what it is derivable from", c.ID)
	}
}

func TestParseCaseRefuses(t *testing.T) {
	const good = `{"id":"a","kong":{"_format_version":"3.0"},"apps":{"app.test:80":{}},"request":{"method":"GET","path":"/"},"expect":{}}`
	_, err := parseCase([]byte(good))
	require.NoError(t, err)
	for _, test := range []struct{ old, with, message string }{
		{`"id":"a"`, `"id":"a","colour":1`, `unknown field "colour"`},
		{`"path":"/"`, `"path":"/","colour":1`, `unknown field "colour"`},
		{`"id":"a"`, `"id":""`, "are required"},
		{`"method":"GET",`, ``, "are required"},
		{`app.test:80`, `app.test`, "missing port"},
		{`app.test:80`, `app.test:http`, "is not host:port"},
		{`"3.0"`, `"9"`, "kong: "},
		{`"expect":{}`, `"expect":{"derivable":"guess"}`, `unknown value "guess"`},
		{`"expect":{}}`, `"expect":{}} {}`, "more behind"},
	} {
		_, err := parseCase([]byte(strings.Replace(good, test.old, test.with, 1)))
		assert.ErrorContains(t, err, test.message)
	}
}

func TestReadCasesKeepsOnAfterABadFile(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile("cef-pdf-preflight.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), good, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("{"), 0o644))
	files, err := readCases(dir)
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, "a", files[0].id)
	assert.ErrorContains(t, files[0].fail, "a.json")
	assert.Equal(t, "cef-pdf-preflight", files[1].id)
	assert.NoError(t, files[1].fail)
}
