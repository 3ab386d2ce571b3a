package main

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// projectPairs are the pairs of the project's own files.
func projectPairs(t *testing.T) []pair {
	t.Helper()
	list, err := options{}.pairs()
	require.NoError(t, err)
	return list
}

// variantPairs are those of the other set-ups: the same mistakes in other shapes,
// which no strength was measured on.
func variantPairs(t *testing.T) []pair {
	t.Helper()
	list, err := options{worlds: "testdata/variants.jsonl.gz"}.pairs()
	require.NoError(t, err)
	return list
}

// variantsFile has the set-ups of variantPairs, from the project's root.
const variantsFile = "examples/frameworks/testdata/variants.jsonl.gz"

// The diagnosis is as good as the words confirmed and likely promise. What counts
// against it is in the log of the test, and the figures of each set-up.
func TestFigures(t *testing.T) {
	variantsWithoutProbe := withoutProbe
	variantsWithoutProbe.found = 45
	// Where a path is nowhere, Allow is no evidence, and without a probe nothing is said.
	missing := bounds{said: 95, confirmed: 99, blamed: 0.5}
	table := "| | answers | said | confirmed | blamed | found | fix |\n| --- | --- | --- | --- | --- | --- | --- |\n"
	for _, test := range []struct {
		name    string
		pairs   []pair
		probe   bool
		status  int
		bounds  bounds
		command string // that prints these figures, as in the README
	}{
		{"set-ups", projectPairs(t), false, http.StatusMethodNotAllowed, withoutProbe, "go run ./examples/frameworks"},
		{"set-ups, probe", projectPairs(t), true, http.StatusMethodNotAllowed, withProbe, "go run ./examples/frameworks -probe"},
		{"set-ups, probe, 404", projectPairs(t), true, http.StatusNotFound, missing, ""},
		{"variants", variantPairs(t), false, http.StatusMethodNotAllowed, variantsWithoutProbe, "go run ./examples/frameworks -worlds " + variantsFile},
		{"variants, probe", variantPairs(t), true, http.StatusMethodNotAllowed, withProbe, "go run ./examples/frameworks -probe -worlds " + variantsFile},
		{"variants, probe, 404", variantPairs(t), true, http.StatusNotFound, missing, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all figures
			byWorld := map[string]*figures{}
			for _, e := range measureInProcess(t, test.pairs, test.probe, test.status) {
				all.add(e.outcome)
				if byWorld[e.world.World] == nil {
					byWorld[e.world.World] = &figures{}
				}
				byWorld[e.world.World].add(e.outcome)
				if e.countsAgainst() {
					t.Log(e)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(byWorld)) {
				t.Logf("%-31s %3d: %s", name, byWorld[name].Refused, byWorld[name].shares())
			}
			t.Logf("all %d: %s", all.Refused, all.shares())
			assert.Empty(t, all.misses(test.bounds))
			table += all.row(test.name)
			if test.command != "" {
				checkREADME(t, test.command, all)
			}
		})
	}
	checkDocument(t, "figures", table)
}

// checkREADME compares the figures that the README shows for a command, or rewrites
// them.
func checkREADME(t *testing.T, command string, f figures) {
	t.Helper()
	shown := regexp.MustCompile(`(?m)^    \$ ` + regexp.QuoteMeta(command) + ` \| tail -n 1\n    (.*)$`)
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := shown.FindSubmatchIndex(text)
	require.NotNil(t, found, "the README does not show %s", command)
	if *update {
		text = slices.Concat(text[:found[2]], []byte(f.String()), text[found[3]:])
		require.NoError(t, os.WriteFile("README.md", text, 0o644))
		return
	}
	assert.Equal(t, f.String(), string(text[found[2]:found[3]]), "go test ./examples/frameworks -run TestFigures -update writes them anew")
}

// countsAgainst reports whether an outcome lowers a figure.
func (o outcome) countsAgainst() bool {
	_, gateway := o.world.truth(o.app)
	return o.diagnosed() && (o.said() && !o.right() ||
		gateway && o.world.derivable() && !(o.said() && o.right()) ||
		o.fix.tried && !o.fix.works())
}
