package measured

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A clone has all that was measured.
func TestSets(t *testing.T) {
	for _, c := range []struct {
		set                 Set
		scenarios, requests int
	}{
		{Routing, 60, 1560},
		{Traditional, 119, 2386},
		{Expressions, 59, 1534},
		{Fresh, 5, 5},
		{Plugins, 39, 111},
	} {
		t.Setenv(c.set.variable, "")
		list, err := c.set.Scenarios()
		require.NoError(t, err)
		requests := 0
		for _, s := range list {
			requests += len(s.Requests)
			for _, r := range s.Requests {
				assert.NotZero(t, r.Expect.Status, "%s: %s %s", s.ID, r.Method, r.Target)
			}
		}
		assert.Equal(t, c.scenarios, len(list), c.set.file)
		assert.Equal(t, c.requests, requests, c.set.file)
	}
}

func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "a.jsonl")
	write := func(text string) { require.NoError(t, os.WriteFile(plain, []byte(text), 0o644)) }
	set := Set{"DIAG405_OTHER", "gone.jsonl.gz"}

	write(`{"id":"a","kong":{},"requests":[]}` + "\n" + `{"id":"b","kong":{},"requests":[]}`)
	t.Setenv(set.variable, plain+":testdata/plugins-3.9.1.jsonl.gz")
	list, err := set.Scenarios()
	require.NoError(t, err)
	require.Len(t, list, 2+39)
	assert.Equal(t, []string{"a", "b", "http_method POST"}, []string{list[0].ID, list[1].ID, list[2].ID})

	for text, want := range map[string]string{
		"":                      "gone.jsonl.gz: no measurements",
		`{"id":"a"} {"id":1}`:   "scenario 2: ",
		`{"id":"a","new":true}`: `unknown field "new"`,
	} {
		write(text)
		t.Setenv(set.variable, plain)
		_, err := set.Scenarios()
		assert.ErrorContains(t, err, want, "%q", text)
	}
	for _, gone := range []string{"", filepath.Join(dir, "gone")} {
		t.Setenv(set.variable, gone)
		_, err := set.Scenarios()
		assert.ErrorIs(t, err, os.ErrNotExist, "%q", gone)
	}
}
