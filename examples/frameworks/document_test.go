package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
)

// document tells people how evidence becomes certainty. What stands between its marks
// <!-- NAME --> and <!-- /NAME --> is measured.
const document = "../../docs/diagnosis.md"

// checkDocument compares what stands between the marks of a name, or rewrites it.
func checkDocument(t *testing.T, name, want string) {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	head, rest, begun := strings.Cut(string(text), "<!-- "+name+" -->\n")
	got, tail, ended := strings.Cut(rest, "<!-- /"+name+" -->\n")
	require.True(t, begun && ended, "%s has no marks %q", document, name)
	if *update {
		text := head + "<!-- " + name + " -->\n" + want + "<!-- /" + name + " -->\n" + tail
		require.NoError(t, os.WriteFile(document, []byte(text), 0o644))
		return
	}
	assert.Equal(t, want, got, "go test ./examples/frameworks -update writes it anew")
}

// observed is a row of the table of observations: all causes to which an observation
// is worth the same.
type observed struct {
	observation string
	certainty   diagnose.Certainty
	causes      []string
	share
}

// observations are those that make a cause confirmed or likely where the set-ups show
// them, the most telling first.
func observations(all []explained, measured strengths) []*observed {
	rows := map[string]*observed{}
	row := func(w diagnose.Weight, c diagnose.Certainty) *observed {
		key := fmt.Sprint(w.Observation, c)
		if rows[key] == nil {
			rows[key] = &observed{observation: string(w.Observation), certainty: c}
		}
		r := rows[key]
		if !slices.Contains(r.causes, string(w.Cause)) {
			r.causes = append(r.causes, string(w.Cause))
		}
		return r
	}
	for _, e := range all {
		if d := e.explanation; d.Certainty == diagnose.Confirmed {
			row(d.Evidence, diagnose.Confirmed).add(e.isTrue(d.Cause))
		}
	}
	for w, s := range measured {
		if s.isLikely() {
			r := row(w, diagnose.Likely)
			r.Part, r.Of = r.Part+s.Part, r.Of+s.Of
		}
	}
	return slices.SortedFunc(maps.Values(rows), func(a, b *observed) int {
		return cmp.Or(
			cmp.Compare(a.certainty, b.certainty), // confirmed before likely
			cmp.Compare(b.Of, a.Of), cmp.Compare(a.observation, b.observation))
	})
}

// String is the row in Markdown.
func (o *observed) String() string {
	slices.Sort(o.causes)
	return fmt.Sprintf("| %s | %s | %v | %s |\n", o.observation, strings.Join(o.causes, ", "), o.share, o.certainty)
}

// checkObservations compares the document's table of observations.
func checkObservations(t *testing.T, all []explained, measured strengths) {
	t.Helper()
	table := "| observation | cause | right | so |\n| --- | --- | --- | --- |\n"
	for _, o := range observations(all, measured) {
		table += o.String()
	}
	checkDocument(t, "observations", table)
}

// row is the figures in Markdown.
func (f figures) row(name string) string {
	return fmt.Sprintf("| %s | %d | %v | %v | %v | %v | %v |\n", name, f.Refused, f.Said, f.Confirmed, f.Blamed, f.Found, f.Fix)
}

func TestObservations(t *testing.T) {
	proof := diagnose.Weight{Cause: diagnose.StripPath, Observation: "taken"}
	confirmed := explained{
		outcome:     outcome{pair: pair{&application{}, &world{Mistake: "gateway", Truth: []string{"strip-path"}}}},
		explanation: diagnose.Diagnosis{Cause: diagnose.StripPath, Certainty: diagnose.Confirmed, Evidence: proof},
	}
	measured := strengths{
		{Cause: diagnose.StripPath, Observation: "seen"}:   {9, 9},
		{Cause: diagnose.ServicePath, Observation: "seen"}: {10, 10},
		{Cause: diagnose.PrefixKept, Observation: "seen"}:  {1, 9},
	}
	var got []string
	for _, o := range observations([]explained{confirmed, confirmed}, measured) {
		got = append(got, strings.TrimSpace(o.String()))
	}
	assert.Equal(t, []string{
		"| taken | strip-path | 2 of 2 | confirmed |",
		"| seen | service-path, strip-path | 19 of 19 | likely |",
	}, got)
}
