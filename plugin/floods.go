package plugin

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"diag405/plugin/diagnose"
	"diag405/plugin/report"
)

// logDiagnosis writes a diagnosis to the log. Of several alike in a second it writes
// one, and says on the next for how many it stands.
func (c *Common) logDiagnosis(gw gateway, x diagnose.Exchange, d diagnose.Diagnosis, o report.Options) {
	c.explained(x, d)
	if o.Times = c.lines.line(alike(x, d)); o.Times > 0 {
		_ = gw.Log("warn", report.DiagnosisLine(x, d, o))
	}
}

// alike are the keys of diagnoses that say the same: closely, of status, cause, route, methods,
// the shape of the upstream's path and the fix, and roughly, of what no client can make
// up.
func alike(x diagnose.Exchange, d diagnose.Diagnosis) (close, rough requestKey) {
	cause, route := string(d.Cause), ""
	if x.Route != nil {
		route = x.Route.ID
	}
	if d.Cause == diagnose.TargetDivergence {
		cause += " " + x.Target // each target is a finding of its own
	}
	about := []string{strconv.Itoa(x.Response.Status), cause, string(d.Certainty), route, x.Client.Method, x.Upstream.Method, shape(x.Upstream.Path)}
	return hashed(append(about, formOf(d.Fixes[0])...)...), hashed(cause, route)
}

// formOf is a fix without what it has of the request.
func formOf(f diagnose.Fix) []string {
	if f.Set == nil || f.FromClient != nil {
		return slices.Concat([]string{"keys"}, slices.Sorted(maps.Keys(f.Set)), slices.Sorted(maps.Keys(f.Client)))
	}
	set, _ := json.Marshal(f.Set) // of what a configuration may hold, in order
	return []string{"set", string(set)}
}

// maxWord is the length of the longest segment that is taken for a word, in bytes.
const maxWord = 32

// shape is a path with a star for each segment that looks like a value: a number, an
// id, anything that is no word.
func shape(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if !isWord(s) {
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}

// isWord reports letters, with digits only in a version: v1.
func isWord(s string) bool {
	if rest, ok := strings.CutPrefix(s, "v"); ok && len(rest) == 1 {
		return true
	}
	return len(s) <= maxWord && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-_.", r)
	}) < 0
}
